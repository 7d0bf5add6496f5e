/**
 * A bucket's key in parts: `tpm|total_tokens/minute|model=llama,tenant=acme` (src/policy/limit-book.ts makes it). Unlike
 * src/policy/bucket-key.ts it reads dimensions that this version does not know: the gateway may be a later one.
 */
export interface BucketKey {
  readonly name: string
  readonly counts: string
  /** Empty for exchanges in flight. */
  readonly per: string
  readonly dimensions: readonly (readonly [name: string, value: string])[]
}

/** What is no such key comes back as a name. */
export function parseKey(key: string): BucketKey {
  const [name = '', what = '', whom = ''] = key.split('|')
  const [counts = '', per = ''] = what.split('/')
  const dimensions = whom
    .split(',')
    .filter((part) => part !== '')
    .map((part) => {
      const [dimension = '', ...value] = part.split('=')
      return [dimension, decoded(value.join('='))] as const
    })
  return { name, counts, per, dimensions }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
