/**
 * What operators have set, as the quota store keeps it: small JSON texts that any replica, older or newer, may read.
 * What cannot be read is refused here, with a reason; who reads decides what then counts.
 */
import type { Dimension } from '../policy/limit.ts'
import { type LimitOverride, type LimitRule, ruleFault } from '../policy/limit-rule.ts'
import type { StoredDocument } from '../quota/store.ts'

export const quotaPrefix = 'quota/'
export const overridePrefix = 'override/'

type Checked<Value> =
  | { readonly value: Value }
  | {
      readonly mistakes: readonly { readonly path: readonly (string | number)[]; readonly message: string }[]
    }

interface QuotaText {
  readonly rule: LimitRule
  readonly changed_by: string
  readonly changed_at: string
}

interface OverrideText {
  readonly limit: string
  readonly match: { readonly [dimension in Dimension]?: string | undefined }
  readonly amount: number
  readonly burst?: number | undefined
  readonly expires_at: string
  readonly reason: string
  readonly created_by: string
  readonly created_at: string
}

/** Checks shapes and fills in defaults. */
export interface DocumentShapes {
  quota(input: unknown): Checked<QuotaText>
  override(input: unknown): Checked<OverrideText>
}

/** An operator's quota with the version of its document. */
export interface StoredQuota {
  readonly version: number
  readonly rule: LimitRule
  readonly changedBy: string
  /** RFC 3339. */
  readonly changedAt: string
}

/** An override with the version of its document. */
export interface StoredOverride extends LimitOverride {
  readonly id: string
  readonly version: number
  readonly reason: string
  readonly createdBy: string
  /** Milliseconds since the epoch. */
  readonly createdAt: number
}

/** A document that nobody can make a limit of. The message never quotes it. */
export class UnreadableDocument extends Error {}

/** Undefined for a quota that was taken away. Throws UnreadableDocument. */
export function readQuota(
  { version, text }: StoredDocument,
  _name: string,
  shapes: DocumentShapes,
): StoredQuota | undefined {
  const document = parsed(text)
  if (isTakenAway(document)) return undefined
  const { rule, changed_by, changed_at } = accepted(shapes.quota(document))
  const fault = ruleFault(rule)
  if (fault !== undefined) throw new UnreadableDocument(`rule.${fault.field} ${fault.message}`)
  return { version, rule, changedBy: changed_by, changedAt: changed_at }
}

/** Throws UnreadableDocument. */
export function readOverride(
  { version, text }: StoredDocument,
  id: string,
  shapes: DocumentShapes,
): StoredOverride {
  const { limit, match, amount, burst, ...said } = accepted(shapes.override(parsed(text)))
  return {
    id,
    version,
    limit,
    match: withoutGaps(match),
    amount,
    burst,
    expiresAt: timeOf(said.expires_at),
    reason: said.reason,
    createdBy: said.created_by,
    createdAt: timeOf(said.created_at),
  }
}

export const writeQuota = ({ rule, changedBy, changedAt }: Omit<StoredQuota, 'version'>): string =>
  JSON.stringify({ rule, changed_by: changedBy, changed_at: changedAt })

export const writeOverride = (override: Omit<StoredOverride, 'id' | 'version'>): string =>
  JSON.stringify({
    limit: override.limit,
    match: override.match,
    amount: override.amount,
    burst: override.burst,
    expires_at: isoTime(override.expiresAt),
    reason: override.reason,
    created_by: override.createdBy,
    created_at: isoTime(override.createdAt),
  })

/**
 * What stays of a quota that was taken away: its document, so that versions go on and the ETag of one that was deleted
 * never fits one that was made later under the same name.
 */
export const takenAway = ({ changedBy, changedAt }: Pick<StoredQuota, 'changedBy' | 'changedAt'>): string =>
  JSON.stringify({ taken_away: true, changed_by: changedBy, changed_at: changedAt })

const isTakenAway = (document: unknown): boolean =>
  typeof document === 'object' &&
  document !== null &&
  (document as { taken_away?: unknown }).taken_away === true

export const isoTime = (ms: number): string => new Date(ms).toISOString()

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new UnreadableDocument('is not JSON')
  }
}

function accepted<Value>(checked: Checked<Value>): Value {
  if ('value' in checked) return checked.value
  const [first] = checked.mistakes
  throw new UnreadableDocument(`${first?.path.join('.')} ${first?.message}`)
}

function timeOf(text: string): number {
  const ms = Date.parse(text)
  if (Number.isNaN(ms)) throw new UnreadableDocument('has a time that does not exist')
  return ms
}

const withoutGaps = (match: OverrideText['match']): LimitOverride['match'] =>
  Object.fromEntries(Object.entries(match).filter(([, value]) => value !== undefined))
