import { type Dimension, dimensions, type Limit } from './limit.ts'

/** A bucket's key in parts: `tpm|total_tokens/minute|model=llama,tenant=acme`. */
export interface BucketKey {
  /** Of the limit. */
  readonly name: string
  readonly values: Readonly<Partial<Record<Dimension, string>>>
}

/** Names as they stand in keys: no separator of a key and no brace of a Redis hash tag. */
export const encode = (value: string): string => encodeURIComponent(value.toWellFormed())

/** The key of a limit's bucket for these values; a dimension without one has the empty name. */
export function bucketKey(
  { name, counts, per }: { readonly name: string } & Pick<Limit, 'counts'> & { readonly per?: Limit['per'] },
  values: readonly (readonly [Dimension, string | undefined])[],
): string {
  const pairs = values.map(([dimension, value = '']) => `${dimension}=${encode(value)}`).sort()
  return `${name}|${counts}${per === undefined ? '' : `/${per}`}|${pairs.join(',')}`
}

/** Undefined for what is no key. */
export function parseBucketKey(key: string): BucketKey | undefined {
  const [name, , pairs, more] = key.split('|')
  if (name === undefined || pairs === undefined || more !== undefined) return undefined
  const values: Partial<Record<Dimension, string>> = {}
  for (const pair of pairs === '' ? [] : pairs.split(',')) {
    const [word, encoded = ''] = pair.split('=')
    const dimension = dimensions.find((each) => each === word)
    const value = decoded(encoded)
    if (dimension === undefined || value === undefined) return undefined
    values[dimension] = value
  }
  return { name, values }
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
