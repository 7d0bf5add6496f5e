/**
 * Limits as the path of a request sees them.
 *
 * 1. An exchange holds a slot of this process from `enter` to the disposal of its admission. No limit in flight is
 *    passed by the exchanges of one process, whatever the store says and before a byte of a body is read.
 * 2. What an exchange asks of all its limits is one decision of the store: all of it is charged, or nothing.
 * 3. Every exchange that entered is counted once as a request: by its reservation, or by `count` when it ended before
 *    one; one that a limit refused is not.
 * 4. A reservation is settled once. What was charged and not used is returned; what was used and not charged is charged.
 */
import type { Limit } from '../policy/limit.ts'
import type { Price } from '../policy/rules.ts'
import { Refusal } from '../refusal.ts'
import { type Consumption, demandOf, demandsOf } from './demands.ts'
import { EstimateCorrection } from './estimate-correction.ts'
import { InFlight } from './in-flight.ts'
import { LimitRefusal } from './limit-refusal.ts'
import { outputBound } from './output-bound.ts'
import type { CallSize } from './smaller-call.ts'
import type { Decision, Demand, LimitState, QuotaStore, Verdict } from './store.ts'

export interface QuotaOptions {
  readonly store: QuotaStore
  /** Exchanges of this process at a time. */
  readonly exchangesMax?: number
}

/** What a call can cost, before it is known what it does. */
export interface Asked {
  readonly limits: readonly Limit[]
  /** Public model name; learned corrections of the estimate are kept by it. */
  readonly model: string
  /** Estimated tokens of the prompt. */
  readonly inputTokens: number
  /** Choices over all prompts; each may use the output bound. */
  readonly choices: number
  /** Output bound of each choice. */
  readonly outputTokensMax: number
  /** The caller named the bound: it is kept. Otherwise it shrinks to what the limits could ever hold. */
  readonly bound: 'named' | 'default'
  readonly price?: Price | undefined
}

/** What was set aside for one exchange. */
export interface Reservation extends Consumption {
  /** Bound of each choice: what is sent upstream. */
  readonly outputTokensMax: number
  readonly decision: Decision
  /** Tells the truth, once; further calls change nothing. `reported`: the model server counted, not we. */
  settle(used: Consumption & { readonly reported: boolean }): Promise<void>
}

/** What a call would ask of its limits. */
export interface Plan extends Consumption {
  /** Bound of each choice. */
  readonly outputTokensMax: number
  readonly demands: readonly Demand[]
}

/** Leave to enter, and all that an exchange does with its limits. */
export interface Admission extends AsyncDisposable {
  /** Takes one request and a slot of every limit, and sets tokens and cost aside; or throws a `LimitRefusal`. */
  reserve(asked: Asked): Promise<Reservation>
  /** Counts the request when nothing was asked of the limits so far. The states are for the headers of the refusal. */
  count(): Promise<readonly LimitState[]>
}

/** When a slot becomes free is not known: long enough for a short exchange to end, far below a client's patience. */
const slotRetryMs = 1000

export class Quota {
  readonly store: QuotaStore
  readonly #slots: InFlight
  readonly #corrections = new EstimateCorrection()

  constructor({ store, exchangesMax = 100_000 }: QuotaOptions) {
    this.store = store
    this.#slots = new InFlight(exchangesMax)
  }

  /** Exchanges of this process. */
  get inFlight(): number {
    return this.#slots.leases
  }

  /** Before the body: throws when a slot is missing here, or when the store is known to refuse. Asks nobody. */
  enter(exchangeId: string, limits: readonly Limit[]): Admission {
    const verdict = this.#fullSlot(limits) ?? this.store.foresee(limits.filter(isCertain).map(demandOf))
    if (verdict !== undefined) throw new LimitRefusal(verdict, [verdict.state])
    if (this.#slots.full) {
      throw new Refusal('overloaded', 'exchanges of this process', { retryAfterMs: slotRetryMs })
    }
    const keys = limits.filter(isSlot).map(({ key }) => key)
    this.#slots.begin(exchangeId, keys)
    return new Entered(exchangeId, limits, {
      store: this.store,
      corrections: this.#corrections,
      leave: () => this.#slots.end(exchangeId),
    })
  }

  /** What a reservation would ask of each limit. Asks nobody and changes nothing. */
  plan(asked: Asked): Plan {
    return planOf(asked, this.#corrections)
  }

  #fullSlot(limits: readonly Limit[]): Verdict | undefined {
    const full = limits.find((limit) => isSlot(limit) && this.#slots.count(limit.key) >= limit.amount)
    if (full === undefined) return undefined
    const state = { limit: full, used: this.#slots.count(full.key), remaining: 0, resetMs: 0 }
    return { state, asked: 1, waitMs: slotRetryMs }
  }
}

/** What every exchange takes, whatever it turns out to be: one with no output asks nothing of a limit on output. */
const isCertain = ({ counts }: Limit): boolean => counts === 'requests' || counts === 'in_flight'
const isSlot = ({ counts, mode }: Limit): boolean => counts === 'in_flight' && mode === 'enforce'

interface Shared {
  readonly store: QuotaStore
  readonly corrections: EstimateCorrection
  leave(): void
}

class Entered implements Admission {
  readonly #exchangeId: string
  readonly #limits: readonly Limit[]
  readonly #shared: Shared
  #decided = false
  #left = false

  constructor(exchangeId: string, limits: readonly Limit[], shared: Shared) {
    this.#exchangeId = exchangeId
    this.#limits = limits
    this.#shared = shared
  }

  async reserve(asked: Asked): Promise<Reservation> {
    this.#decided = true
    const { corrections, store } = this.#shared
    const { demands, ...bounds } = planOf(asked, corrections)
    const decision = await store.admit(this.#exchangeId, demands)
    if (!decision.allowed) throw refusalOf(decision, { ...asked, ...bounds })
    return {
      ...bounds,
      decision,
      settle: (used) => this.#settle(demands, asked, used),
    }
  }

  async count(): Promise<readonly LimitState[]> {
    if (this.#decided) return []
    this.#decided = true
    const { store } = this.#shared
    const counted = this.#limits.filter(({ counts }) => counts === 'requests')
    await store.settle(
      this.#exchangeId,
      counted.map((limit) => ({ limit, reserved: 0, used: 1 })),
    )
    return store.peek(this.#limits)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // By this admission, not by id alone: the id may have been used again since.
    if (!this.#left) this.#shared.leave()
    this.#left = true
    // The caller left before anything was decided, or the gateway failed: the request came all the same.
    await this.count()
  }

  async #settle(
    demands: readonly Demand[],
    { price, model, inputTokens }: Asked,
    used: Consumption & { readonly reported: boolean },
  ): Promise<void> {
    const truth = demandsOf(
      demands.map(({ limit }) => limit),
      used,
      price,
    )
    const { store, corrections } = this.#shared
    if (used.reported) corrections.learn(model, inputTokens, used.inputTokens)
    await store.settle(
      this.#exchangeId,
      demands.map(({ limit, amount }, index) => ({
        limit,
        reserved: amount,
        used: limit.counts === 'in_flight' ? 0 : (truth[index]?.amount ?? amount),
      })),
    )
  }
}

function planOf(asked: Asked, corrections: EstimateCorrection): Plan {
  const inputTokens = corrections.corrected(asked.model, asked.inputTokens)
  const outputTokensMax = boundOf(asked, inputTokens)
  const tokens = { inputTokens, outputTokens: outputTokensMax * asked.choices }
  return { ...tokens, outputTokensMax, demands: demandsOf(asked.limits, tokens, asked.price) }
}

/** A bound that nobody named gives way to limits that could never hold it; one that the caller named is explained. */
function boundOf({ limits, choices, outputTokensMax, bound, price }: Asked, inputTokens: number): number {
  if (bound === 'named' || outputTokensMax === 0) return outputTokensMax
  const most = Math.floor(outputBound(limits, inputTokens, price) / choices)
  return Math.max(1, Math.min(outputTokensMax, most))
}

function refusalOf({ deciding, states, by }: Decision, size: CallSize): Refusal {
  if (by === 'closed' || deciding === undefined) {
    const retryAfterMs = Math.min(deciding?.waitMs ?? slotRetryMs, 60_000)
    return new Refusal('quota_unavailable', 'the quota store is away', { retryAfterMs })
  }
  return new LimitRefusal(deciding, states, size)
}
