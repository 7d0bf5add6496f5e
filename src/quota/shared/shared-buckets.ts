/**
 * Buckets as Redis keeps them. Invariants:
 *
 * 1. An admission is one call of a script, and so is a settlement. A second one only when a calendar period has ended
 *    between the question and the answer: the first has changed nothing then.
 * 2. All keys of a call have one hash tag.
 */
import type { Limit } from '../../policy/limit.ts'
import type { BudgetCalendar, BudgetWindow } from '../budget-window.ts'
import type { Decision, Demand, LimitState } from '../store.ts'
import type { Settlement } from './backlog.ts'
import type { HeldSlots } from './held-slots.ts'
import type { Keys } from './keys.ts'
import type { RunScript } from './link.ts'
import type { RedisTiming } from './options.ts'
import type { Charge } from './outage.ts'
import type { RedisTime } from './redis-time.ts'
import {
  decisionOf,
  encodeCharge,
  encodeCorrection,
  encodeDemand,
  type Head,
  readReply,
  stale,
  stateOf,
  windowOf,
} from './wire.ts'

export interface SharedParts {
  readonly keys: Keys
  readonly calendar: BudgetCalendar
  readonly time: RedisTime
  readonly timing: RedisTiming
  repaired(key: string): void
}

/** What Redis decided, and the calendar periods that were meant. */
export interface SharedDecision {
  readonly decision: Decision
  readonly windows: readonly (BudgetWindow | undefined)[]
}

/** What is charged to Redis under one name, once. */
export interface Transfer {
  readonly id: string
  readonly charges: readonly Charge[]
}

type Reply = Head & { readonly numbers: readonly number[] }

const triesMax = 3
const renewedAtOnce = 256

export class SharedBuckets {
  readonly #parts: SharedParts

  constructor(parts: SharedParts) {
    this.#parts = parts
  }

  async admit(run: RunScript, exchangeId: string, demands: readonly Demand[]): Promise<SharedDecision> {
    const { keys, timing } = this.#parts
    const names = [
      keys.marker(shardOf(demands), exchangeId),
      ...demands.map(({ limit }) => keys.bucket(limit)),
    ]
    const limits = demands.map(({ limit }) => limit)
    const { reply, windows } = await this.#inPeriod(limits, async (windows) => {
      const asked = JSON.stringify(demands.map((demand, index) => encodeDemand(demand, windows[index])))
      const args = [exchangeId, timing.openMs, timing.leaseMs, asked]
      return readReply(await run('admit', names, args), demands.length, 4)
    })
    return { decision: decisionOf(reply.outcome, demands, reply.numbers), windows }
  }

  async settle(run: RunScript, settlement: Settlement): Promise<void> {
    const { keys, timing } = this.#parts
    const { exchangeId, marker, corrections, slots, unknown } = settlement
    const names = [marker, ...corrections.map(({ limit }) => keys.bucket(limit)), ...slots]
    const encoded = corrections.map((correction) => encodeCorrection(correction, correction.window))
    const args = [exchangeId, timing.settledMs, unknown, JSON.stringify(encoded)]
    this.#heard(readReply(await run('settle', names, args), 0, 0))
  }

  /** All of one shard. */
  async peek(run: RunScript, limits: readonly Limit[]): Promise<readonly LimitState[]> {
    const names = limits.map((limit) => this.#parts.keys.bucket(limit))
    const { reply } = await this.#inPeriod(limits, async (windows) => {
      const asked = limits.map((limit, index) => encodeDemand({ limit, amount: 0 }, windows[index]))
      return readReply(await run('peek', names, [JSON.stringify(asked)]), limits.length, 3)
    })
    return limits.map((limit, index) => stateOf(limit, reply.numbers, index * 3))
  }

  /** All of one shard. */
  async charge(run: RunScript, { id, charges }: Transfer): Promise<void> {
    const { keys, timing } = this.#parts
    const [first] = charges
    if (first === undefined) return
    const marker = keys.localMarker(first.limit.shard, id)
    const names = [marker, ...charges.map(({ limit }) => keys.bucket(limit))]
    const added = charges.map(({ limit, units, window }) => encodeCharge(limit, units, window))
    this.#heard(readReply(await run('charge', names, [timing.settledMs, JSON.stringify(added)]), 0, 0))
  }

  async reset(run: RunScript, limit: Limit): Promise<void> {
    const { keys, timing } = this.#parts
    const names =
      limit.counts === 'in_flight' ? [keys.bucket(limit), keys.resetOf(limit)] : [keys.bucket(limit)]
    await run('reset', names, [timing.openMs])
  }

  /** Says that these exchanges live. Those that an operator has ended leave their slots. */
  async renew(run: RunScript, slots: HeldSlots): Promise<void> {
    const { keys, timing } = this.#parts
    for (const [limit, since] of slots.entries()) {
      const holders = [...since]
      for (let from = 0; from < holders.length; from += renewedAtOnce) {
        const args = holders.slice(from, from + renewedAtOnce).flat()
        const names = [keys.bucket(limit), keys.resetOf(limit)]
        const [, ...ended] = (await run('renew', names, [timing.leaseMs, ...args])) as readonly unknown[]
        for (const exchangeId of ended) slots.leave(limit, String(exchangeId))
      }
    }
  }

  /** Asks with the calendar periods of Redis's present; again when they were of another one. */
  async #inPeriod(
    limits: readonly Limit[],
    ask: (windows: readonly (BudgetWindow | undefined)[]) => Promise<Reply>,
  ): Promise<{ readonly reply: Reply; readonly windows: readonly (BudgetWindow | undefined)[] }> {
    const { calendar, time } = this.#parts
    for (let tries = 0; tries < triesMax; tries += 1) {
      const nowMs = time.nowMs
      const windows = limits.map((limit) => windowOf(limit, calendar, nowMs))
      const reply = await ask(windows)
      this.#heard(reply)
      if (reply.outcome !== stale) return { reply, windows }
    }
    throw new Error('the clock of Redis runs wild')
  }

  #heard({ redisMs, repaired }: Head): void {
    this.#parts.time.heard(redisMs)
    if (repaired !== '') this.#parts.repaired(repaired)
  }
}

/** The book of limits gives all limits of an exchange one shard; a Cluster could not decide on them at once otherwise. */
export function shardOf(asked: readonly { readonly limit: Limit }[]): string {
  const shard = asked[0]?.limit.shard ?? ''
  const other = asked.find(({ limit }) => limit.shard !== shard)
  if (other !== undefined)
    throw new TypeError(`limits of one exchange must have one shard: ${other.limit.name} has another one`)
  return shard
}
