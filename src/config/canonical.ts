import { createHash } from 'node:crypto'

/**
 * JSON with sorted keys and no white space: equal configurations have equal text whatever the order in their files.
 * The same form as RFC 8785 for what a configuration holds: text, safe integers, booleans, lists, mappings.
 */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`).join(',')}}`
}

/** First 16 hex digits of the SHA-256 of the canonical form: the version of a policy. */
export const versionHash = (value: unknown): string =>
  createHash('sha256').update(canonicalJson(value)).digest('hex').slice(0, 16)
