/**
 * How an operator's change is made.
 *
 * 1. Its audit record is durable before anything is changed; where it cannot be, nothing is.
 * 2. A record stands for a change that was made, unless a later one of the same `request_id` says otherwise: `not_made`
 *    when somebody at another replica was faster, `unknown` when the store did not say what came of it.
 * 3. One change at a time in this process, so what a record says was there before was there.
 */
import { createHash } from 'node:crypto'
import type { AuditEvent, AuditLog, AuditValue } from '../audit/record.ts'
import type { Clock } from '../clock.ts'
import type { Principal } from '../identity/principal.ts'
import { Refusal } from '../refusal.ts'

export interface Operator {
  readonly requestId: string
  readonly principal: Principal
}

export interface Change {
  readonly event: 'quota.changed' | 'quota.deleted' | 'override.created' | 'override.deleted' | 'bucket.reset'
  /** Of the limit, the override or the bucket. */
  readonly name: string
  readonly before: object | null
  readonly after: object | null
  readonly reason?: string | undefined
}

export class Changes {
  readonly #audit: Pick<AuditLog, 'append'>
  readonly #clock: Pick<Clock, 'now'>
  #last: Promise<unknown> = Promise.resolve()

  constructor({
    audit,
    clock,
  }: { readonly audit: Pick<AuditLog, 'append'>; readonly clock: Pick<Clock, 'now'> }) {
    this.#audit = audit
    this.#clock = clock
  }

  /** Runs alone, after what was asked for before. */
  alone<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(work)
    this.#last = result.catch(() => {})
    return result
  }

  /**
   * Records and makes a change. `act` resolves to undefined when the store holds something else by now. Throws
   * `audit_unavailable`, `precondition_failed` or `quota_unavailable`.
   */
  async make<Result>(
    operator: Operator,
    change: Change,
    act: () => Promise<Result | undefined>,
  ): Promise<Result> {
    await this.#record(operator, change)
    let result: Result | undefined
    try {
      result = await act()
    } catch (error) {
      await this.#record(operator, change, 'unknown').catch(() => {})
      throw storeAway(error)
    }
    if (result === undefined) {
      await this.#record(operator, change, 'not_made').catch(() => {})
      throw new Refusal('precondition_failed', 'another replica was faster')
    }
    return result
  }

  async #record(
    { requestId, principal }: Operator,
    { event, name, before, after, reason }: Change,
    outcome?: 'not_made' | 'unknown',
  ): Promise<void> {
    const record: AuditEvent = {
      event,
      request_id: requestId,
      time: new Date(this.#clock.now()).toISOString(),
      principal: principal.id,
      tenant: principal.tenant,
      roles: [...principal.roles],
      token_id: principal.tokenId ?? null,
      certificate: principal.certificate.fingerprint,
      name,
      before: plainValue(before),
      after: plainValue(after),
      ...(reason === undefined ? {} : { reason }),
      ...(outcome === undefined ? {} : { outcome }),
    }
    try {
      await this.#audit.append(record)
    } catch (error) {
      throw new Refusal('audit_unavailable', 'append failed', { cause: error })
    }
  }
}

export const storeAway = (cause: unknown): Refusal =>
  cause instanceof Refusal
    ? cause
    : new Refusal('quota_unavailable', 'the quota store failed', { retryAfterMs: 1_000, cause })

/** What the store says, or `quota_unavailable`. */
export async function fromStore<Result>(asked: Promise<Result>): Promise<Result> {
  try {
    return await asked
  } catch (error) {
    throw storeAway(error)
  }
}

/** A record has a bound, and a rule may name a thousand tenants. */
const valueBytesMax = 4_096

/** Without fields that are undefined: a record is JSON. Of what is too long, its scalars and what it is known by. */
function plainValue(value: object | null): AuditValue {
  const text = JSON.stringify(value)
  const plain = JSON.parse(text) as { readonly [field: string]: AuditValue } | null
  if (plain === null || Buffer.byteLength(text) <= valueBytesMax) return plain
  const scalars = Object.entries(plain).filter(([, field]) => typeof field !== 'object')
  return { ...Object.fromEntries(scalars), sha256: createHash('sha256').update(text).digest('hex') }
}
