import { type Dimension, dimensions } from './limit.ts'

/** A bucket's key in parts; `LimitBook` makes it: `tpm|total_tokens/minute|model=llama,tenant=acme`. */
export interface BucketKey {
  /** Of the limit. */
  readonly name: string
  readonly values: Readonly<Partial<Record<Dimension, string>>>
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
