import { issuerFindings } from './consistency/issuers.ts'
import { limitFindings } from './consistency/limits.ts'
import { listenerFindings } from './consistency/listeners.ts'
import { quotaFindings } from './consistency/quota.ts'
import { redactionFindings } from './consistency/redaction.ts'
import { roleFindings } from './consistency/roles.ts'
import { upstreamFindings } from './consistency/upstreams.ts'
import type { Finding, Part } from './problem.ts'
import { gatewaySchema } from './schema/gateway.ts'
import { modelsSchema } from './schema/models.ts'
import { policiesSchema } from './schema/policies.ts'
import { redactionSchema } from './schema/redaction.ts'
import type { Knowledge, Sections } from './sections.ts'

export const configSchemas = {
  gateway: gatewaySchema,
  models: modelsSchema,
  policies: policiesSchema,
  redaction: redactionSchema,
} as const satisfies Record<Part, unknown>

interface Check {
  readonly needs: readonly Part[]
  find(sections: Sections, knowledge: Knowledge): Finding[]
}

const checks: readonly Check[] = [
  { needs: ['gateway'], find: ({ gateway }) => listenerFindings(gateway) },
  { needs: ['gateway'], find: ({ gateway }) => issuerFindings(gateway) },
  { needs: ['models'], find: ({ models }) => upstreamFindings(models) },
  { needs: ['redaction'], find: ({ redaction }, knowledge) => redactionFindings(redaction, knowledge) },
  { needs: ['models', 'policies', 'redaction', 'gateway'], find: roleFindings },
  { needs: ['models', 'policies'], find: limitFindings },
  { needs: ['gateway', 'policies'], find: quotaFindings },
]

/**
 * What no single field shows: references that lead nowhere, and rules that could not be enforced.
 * A file that is wrong in itself is left out (`undefined`), and so is every check that needs it.
 */
export const consistencyFindings = (sections: Partial<Sections>, knowledge: Knowledge): Finding[] =>
  checks
    .filter(({ needs }) => needs.every((part) => sections[part] !== undefined))
    .flatMap(({ find }) => find(sections as Sections, knowledge))
