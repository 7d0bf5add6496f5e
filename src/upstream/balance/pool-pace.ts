import type { Clock } from '../../clock.ts'
import { DecayingRatio } from './decaying-ratio.ts'

/** A pool that was idle for a while may have other servers, or another model, than it had. */
const halfLifeMs = 30_000

/** What is presumed before anything was served: orders of magnitude of a 70B model, corrected by the first calls. */
const prefillMsPerToken = 0.1
const outputMsPerToken = 30
const callTokens = 1_000

/**
 * Tokens that every call counts beside those of its prompt when its time to the first token is judged: scheduling and the
 * first step take their time for the shortest prompt too.
 */
export const callOverheadTokens = 256

/**
 * What one output token takes of a server, in prompt tokens. Output of a full batch comes some 5 to 15 times slower than
 * prompts are read; what docs/benchmarks/balance.md simulates is the same from 1 to 8.
 */
export const outputCost = 4

/** What calls of a pool are like, on all of its servers together: what one of them is compared with. */
export class PoolPace {
  readonly #prefill: DecayingRatio
  readonly #output: DecayingRatio
  /** Output that came beside what was expected. */
  readonly #outputShare: DecayingRatio
  readonly #expected: DecayingRatio
  #held = 0
  #outstanding = 0

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#prefill = new DecayingRatio(clock, halfLifeMs)
    this.#output = new DecayingRatio(clock, halfLifeMs)
    this.#outputShare = new DecayingRatio(clock, halfLifeMs)
    this.#expected = new DecayingRatio(clock, halfLifeMs)
  }

  /** How long a server of the pool takes for so many prompt tokens, those that came before included. */
  prefillMs(tokens: number): number {
    return tokens * this.#prefill.ratio(prefillMsPerToken, callTokens)
  }

  /** How long a server of the pool takes for so many output tokens of one call. */
  outputMs(tokens: number): number {
    return tokens * this.#output.ratio(outputMsPerToken, 1)
  }

  /** What of the output that callers allow for usually comes: many allow for far more than they get. */
  outputExpected(tokensMax: number): number {
    return Math.round(tokensMax * this.#outputShare.ratio(1, 1))
  }

  /** What one call counts against what is learned of a server: evidence of less is mostly presumption. */
  get callMs(): number {
    return this.#expected.ratio(this.prefillMs(callTokens), 0.01)
  }

  /** Tokens that a call under way still has to come. */
  get meanOutstanding(): number {
    return this.#held === 0 ? callTokens : this.#outstanding / this.#held
  }

  prefilled(ms: number, tokens: number): void {
    this.#expected.add(this.prefillMs(tokens), 1)
    this.#prefill.add(ms, tokens)
  }

  made(ms: number, tokens: number): void {
    this.#output.add(ms, tokens)
  }

  ended(outputTokens: number, outputTokensMax: number): void {
    this.#outputShare.add(outputTokens, outputTokensMax)
  }

  /** A call began (1) or ended (-1), or what it still has to come changed. */
  changed(calls: number, outstanding: number): void {
    this.#held += calls
    this.#outstanding += outstanding
  }
}
