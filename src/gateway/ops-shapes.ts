import { checkOverrideDocument, checkQuotaDocument } from '../config/operator-shape.ts'
import type { DocumentShapes } from '../ops/documents.ts'

/** What the schemas of the configuration say to documents of operators. */
export const documentShapes: DocumentShapes = {
  quota: checkQuotaDocument,
  override: checkOverrideDocument,
}
