/** Optimistic locking by the version of a document (RFC 9110 section 13). */
import { Refusal } from '../refusal.ts'

export interface Preconditions {
  /** As it was sent; undefined when it was not. */
  readonly ifMatch?: string | undefined
  readonly ifNoneMatch?: string | undefined
}

const strongTag = /^"(0|[1-9]\d{0,15})"$/

export const etagOf = (version: number): string => `"${version}"`

/**
 * Throws `precondition_required` when it is not said what is to be changed, `precondition_failed` when something else is
 * there: `version`, 0 when no operator has set anything.
 */
export function demandPrecondition(conditions: Preconditions, version: number): void {
  const { ifMatch, ifNoneMatch } = conditions
  if (ifMatch === undefined && ifNoneMatch === undefined)
    throw new Refusal('precondition_required', 'neither If-Match nor If-None-Match')
  honorPrecondition(conditions, version)
}

/** The same where nothing needs to be said. */
export function honorPrecondition({ ifMatch, ifNoneMatch }: Preconditions, version: number): void {
  if (ifNoneMatch !== undefined) {
    if (ifNoneMatch.trim() !== '*')
      throw new Refusal('invalid_value', 'If-None-Match', { param: 'if-none-match' })
    if (version !== 0) throw stale()
  }
  if (ifMatch === undefined) return
  const tag = ifMatch.trim()
  // Comparison is strong: a weak tag never matches. `*` would say "whatever it is", which is what this is to prevent.
  const [, named] = strongTag.exec(tag) ?? []
  if (named === undefined && !/^W\/"[^"]*"$|^"[^"]*"$/.test(tag))
    throw new Refusal('invalid_value', 'If-Match', { param: 'if-match' })
  if (named !== String(version)) throw stale()
}

export const stale = (): Refusal => new Refusal('precondition_failed', 'another version is there')
