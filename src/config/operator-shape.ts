import type { TSchema } from 'typebox'
import type { LimitRule } from '../policy/limit-rule.ts'
import type { SchemaNode } from './defaults.ts'
import { forEditors } from './json-schema.ts'
import { type AdminSchemaName, type AdminValue, adminSchemas } from './schema/admin-api.ts'
import {
  type OverrideDocument,
  overrideDocument,
  type QuotaDocument,
  quotaDocument,
} from './schema/operators.ts'
import { checkShape, type Mistake } from './shape.ts'

/** A value of the right shape with its defaults, or what is wrong with it. */
export type Checked<Value> = { readonly value: Value } | { readonly mistakes: readonly Mistake[] }

type Read<Document> = (input: unknown) => Checked<Document>

/** What operators set, as the store keeps it. */
export const checkQuotaDocument: Read<Omit<QuotaDocument, 'rule'> & { readonly rule: LimitRule }> = (input) =>
  checked(checkShape(quotaDocument, input))
export const checkOverrideDocument: Read<OverrideDocument> = (input) =>
  checked(checkShape(overrideDocument, input))

/** A body of the admin API. */
export const checkAdminBody = <Name extends AdminSchemaName>(
  name: Name,
  input: unknown,
): Checked<AdminValue<Name>> => checked(checkShape(adminSchemas[name], input))

/** The same schemas for readers: JSON Schema without keywords of ours. */
export const adminJsonSchemas = (): Readonly<Record<string, object>> =>
  Object.fromEntries(
    Object.entries(adminSchemas).map(([name, schema]) => [name, forEditors(schema as TSchema as SchemaNode)]),
  )

function checked<Value>({ value, mistakes }: ReturnType<typeof checkShape>): Checked<Value> {
  return mistakes.length > 0 ? { mistakes } : { value: value as Value }
}
