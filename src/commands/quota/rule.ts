import { burstOf, type LimitRule } from '../../policy/limit-rule.ts'

/** A limit as the API and the files write it. Fields that this version does not know are kept as they are. */
export type Rule = Readonly<Record<string, unknown>>

export interface Change {
  readonly field: string
  /** Empty: it was not there. */
  readonly before: string
  readonly after: string
}

const defaults = { mode: 'enforce', onStoreFailure: 'lease', timeZone: 'UTC' } as const

/** Whether a field says nothing: left out, `null`, or `where` with nothing in it. */
const isAbsent = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  (typeof value === 'object' && !Array.isArray(value) && Object.values(value).every(isAbsent))

/** Order never matters in the lists of a rule. */
const listText = (list: readonly unknown[]): string => list.map(String).sort().join(', ')

const valueText = (value: unknown): string =>
  typeof value === 'object' ? (JSON.stringify(value) ?? '') : String(value)

/**
 * Fields and their values as text, so that two rules that mean the same are the same: defaults are filled in, lists
 * are sorted, `where.tenants` is a field of its own, and a burst that is left out is the one that it comes to.
 */
export function ruleFields(rule: Rule): ReadonlyMap<string, string> {
  const { where, ...rest } = { ...defaults, ...rule } as Rule
  const fields = new Map(
    Object.entries(rest)
      .filter(([field, value]) => field !== 'by' && field !== 'burst' && !isAbsent(value))
      .map(([field, value]) => [field, valueText(value)]),
  )
  const { by } = rule
  fields.set('by', Array.isArray(by) && by.length > 0 ? listText(by) : '(everybody together)')
  if (rates.includes(rule['per'])) fields.set('burst', String(effectiveBurst(rule)))
  for (const [field, globs] of Object.entries((where ?? {}) as Rule))
    if (!isAbsent(globs))
      fields.set(`where.${field}`, Array.isArray(globs) ? listText(globs) : valueText(globs))
  return new Map([...fields].toSorted(([a], [b]) => rank(a) - rank(b)))
}

const order = ['counts', 'amount', 'per', 'burst', 'by', 'where', 'mode', 'onStoreFailure', 'timeZone']

/** Fields stand in the order in which a person thinks of them; those of a later version come last. */
function rank(field: string): number {
  const at = order.indexOf(field.split('.')[0] as string)
  return at === -1 ? order.length : at
}

const rates: readonly unknown[] = ['second', 'minute', 'hour']

/** The burst of a rate, whether or not the rule says it. */
export function effectiveBurst(rule: Rule): number {
  const { counts, per, amount } = rule as unknown as LimitRule
  const { burst } = rule
  return burstOf({ counts, per, amount, burst: typeof burst === 'number' ? burst : undefined })
}

/** What would change, field by field, in the order of the new rule. */
export function changesOf(before: Rule | undefined, after: Rule | undefined): Change[] {
  const old = before === undefined ? new Map<string, string>() : ruleFields(before)
  const next = after === undefined ? new Map<string, string>() : ruleFields(after)
  return [...new Set([...next.keys(), ...old.keys()])]
    .map((field) => ({ field, before: old.get(field) ?? '', after: next.get(field) ?? '' }))
    .filter(({ before, after }) => before !== after)
}

/** `amount: 1000 -> 2000` */
export function changeText({ field, before, after }: Change): string {
  if (before === '') return `${field}: ${after}`
  return `${field}: ${before} -> ${after === '' ? '(gone)' : after}`
}

export const textOf = (rule: Rule, field: string): string => {
  const value = rule[field]
  return value === undefined || value === null ? '' : valueText(value)
}

/** `tenants acme, beta; models llama-*`; empty: whoever it is. */
export const whereText = (rule: Rule): string =>
  [...ruleFields(rule)]
    .filter(([field]) => field.startsWith('where.'))
    .map(([field, globs]) => `${field.slice('where.'.length)} ${globs}`)
    .join('; ')
