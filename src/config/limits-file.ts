import { Type } from 'typebox'
import { readDocument } from './document.ts'
import { printPath } from './problem.ts'
import { namedEntries, section } from './schema/field.ts'
import { limitRule } from './schema/limits.ts'
import { checkShape } from './shape.ts'

export interface LimitsProblem {
  readonly line: number
  readonly column: number
  readonly path: string
  readonly message: string
}

/** Limits by name, with defaults filled in; or everything that is wrong with the text, at once. */
export type LimitsFile =
  | { readonly limits: Readonly<Record<string, Readonly<Record<string, unknown>>>> }
  | { readonly problems: readonly LimitsProblem[] }

/** Also the limits of roles can be named: they are longer than the names of policies.yaml. */
const names = { pattern: '^[a-z0-9](?:[a-z0-9._-]{0,126}[a-z0-9])?$', entriesMax: 10_000 }

const limitsFile = section('Quotas of operators.', {
  limits: namedEntries('Limits, by name; in the form of policies.yaml.', limitRule, names),
})

/** Looks at one rule that has the right shape; `field` is a key of it. */
export type RuleFault = (
  rule: Readonly<Record<string, unknown>>,
) => { readonly field: string; readonly message: string } | undefined

/** Reads `limits: {name: rule}` in YAML or JSON. */
export function readLimits(text: string, ruleFault: RuleFault): LimitsFile {
  const document = readDocument(text)
  if (document.faults.length > 0)
    return { problems: document.faults.map((fault) => ({ ...fault, path: '' })) }
  const { value, mistakes } = checkShape(Type.Unsafe(limitsFile), document.value)
  const { limits } = (value ?? {}) as { limits: Record<string, Record<string, unknown>> }
  const found = mistakes.length > 0 ? mistakes : ruleFaults(limits, ruleFault)
  if (found.length === 0) return { limits }
  const problems = found.map(({ path, message }) => ({
    ...document.place(path),
    path: printPath(path),
    message,
  }))
  return { problems }
}

const ruleFaults = (limits: Readonly<Record<string, Record<string, unknown>>>, ruleFault: RuleFault) =>
  Object.entries(limits).flatMap(([name, rule]) => {
    const fault = ruleFault(rule)
    return fault === undefined ? [] : [{ path: ['limits', name, fault.field], message: fault.message }]
  })
