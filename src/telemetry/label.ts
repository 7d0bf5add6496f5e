import { type KnownNames, type NameKind, other } from './known-names.ts'

/** The values of one label: a closed list, names from configuration, or `single` (the metric has one series at a time). */
export type LabelDomain = readonly string[] | NameKind | 'single'
export type LabelDomains = Readonly<Record<string, LabelDomain>>

/** Label values ready to be shown: each is a member of its domain or `_other`. */
export type LabelValues = Readonly<Record<string, string>>

/** What callers pass for the labels of a metric. */
export type LabelInput<D extends LabelDomains> = { readonly [L in keyof D]: string | number | undefined }

const singleLengthMax = 128

type FoldValue = (value: string | number | undefined) => string

function foldOf(domain: LabelDomain, names: KnownNames): FoldValue {
  if (domain === 'single') return (value) => String(value ?? '').slice(0, singleLengthMax)
  if (typeof domain === 'string') return (value) => names.fold(domain, value)
  const closed = new Set(domain)
  return (value) => {
    const text = String(value ?? '')
    return closed.has(text) ? text : other
  }
}

/** Makes the function that folds every label of a metric into its domain, in the order of the table. */
export function labelFold(
  domains: LabelDomains,
  names: KnownNames,
): (input: LabelInput<LabelDomains>) => LabelValues {
  const folds = Object.entries(domains).map(([label, domain]) => [label, foldOf(domain, names)] as const)
  return (input) => {
    const values: Record<string, string> = {}
    for (const [label, fold] of folds) values[label] = fold(input[label])
    return values
  }
}
