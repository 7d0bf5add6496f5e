import type { Clock } from '../../clock.ts'
import { DecayingRatio } from './decaying-ratio.ts'
import type { PoolPace } from './pool-pace.ts'

/** Half of what is known of a server is forgotten in this time, if nothing is served meanwhile. */
const halfLifeMs = 10_000
const slownessMin = 1 / 16
const slownessMax = 64

/**
 * How many times as long a server takes as one of its pool does. Time to the first token is divided by the prompt tokens
 * that had to be read for it, those of earlier calls included, so a server is not slow for having much to do.
 * It is from `slownessMin` to `slownessMax`; 1 as long as nothing is known, and again some time after anything was.
 */
export class Slowness {
  readonly #pace: PoolPace
  readonly #prefill: DecayingRatio
  readonly #output: DecayingRatio

  constructor(pace: PoolPace, clock: Pick<Clock, 'monotonic'>) {
    this.#pace = pace
    this.#prefill = new DecayingRatio(clock, halfLifeMs)
    this.#output = new DecayingRatio(clock, halfLifeMs)
  }

  /** @param waited A call that waits for its first token already longer than it should: known before it is over. */
  factor(waited?: { readonly ms: number; readonly tokens: number }): number {
    const { callMs } = this.#pace
    const expectedMs = waited === undefined ? 0 : this.#pace.prefillMs(waited.tokens)
    const isLate = waited !== undefined && waited.ms > expectedMs
    const [ms, of] = isLate ? [waited.ms, expectedMs] : [0, 0]
    const prefill = this.#prefill.with(ms, of, 1, callMs)
    const output = this.#output.ratio(1, callMs)
    return Math.min(slownessMax, Math.max(slownessMin, Math.sqrt(prefill * output)))
  }

  prefilled(ms: number, tokens: number): void {
    this.#prefill.add(ms, this.#pace.prefillMs(tokens))
    this.#pace.prefilled(ms, tokens)
  }

  made(ms: number, tokens: number): void {
    this.#output.add(ms, this.#pace.outputMs(tokens))
    this.#pace.made(ms, tokens)
  }

  /** A reply that came whole: reading and writing cannot be told apart. */
  replied(ms: number, promptTokens: number, outputTokens: number): void {
    const expectedMs = this.#pace.prefillMs(promptTokens) + this.#pace.outputMs(outputTokens)
    this.#prefill.add(ms, expectedMs)
    this.#output.add(ms, expectedMs)
  }
}
