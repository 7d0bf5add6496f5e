import type { Clock } from '../../clock.ts'
import type { Work, WorkLoad } from '../work.ts'
import { callOverheadTokens, outputCost, type PoolPace } from './pool-pace.ts'
import type { ServerLoad } from './server-load.ts'
import { Slowness } from './slowness.ts'

export interface LoadOptions {
  readonly clock: Pick<Clock, 'monotonic'>
  /** One for all servers of the pool. */
  readonly pace: PoolPace
  /** Age from which what a server says of itself does not count any more; 5 000 by default. */
  readonly reportMsMax?: number | undefined
}

interface Report {
  readonly at: number
  /** Requests that are not ours. */
  readonly foreign: number
}

/**
 * How much a server has to do, in tokens: prompt tokens that it has to read, output tokens that it has to make, at its
 * speed beside the others of the pool.
 *
 * 1. `outstanding` is the sum of what the calls under way still have to come, a whole number, and 0 when there is none.
 * 2. A call's part never grows while it runs, and is returned once, whatever is said of the call afterwards.
 * 3. What others sent there counts as long as the server's report of it is not older than `reportMsMax`.
 */
export class Load implements WorkLoad {
  readonly #options: LoadOptions
  readonly #slowness: Slowness
  /** Calls without a token so far, the oldest first. */
  readonly #silent = new Set<CallWork>()
  readonly #reportMsMax: number
  #held = 0
  #promptTokens = 0
  #outputTokens = 0
  #report: Report = { at: Number.NEGATIVE_INFINITY, foreign: 0 }

  constructor(options: LoadOptions) {
    this.#options = options
    this.#reportMsMax = options.reportMsMax ?? 5_000
    this.#slowness = new Slowness(options.pace, options.clock)
  }

  /** Own tokens of work that are still to come, output in prompt tokens. */
  get outstanding(): number {
    return this.#promptTokens + outputCost * this.#outputTokens
  }

  /** Own calls under way. */
  get held(): number {
    return this.#held
  }

  /** How many times as long as one of its pool it takes: 1 as long as nothing is known. */
  get slowness(): number {
    const [oldest] = this.#silent
    return this.#slowness.factor(oldest && { ms: oldest.elapsedMs, tokens: oldest.ahead })
  }

  /** The live load: what is to be done there, in tokens at the speed of the pool. */
  get score(): number {
    return this.slowness * this.backlog
  }

  /** The same at its own speed: own work that is outstanding, and what is presumed of others' requests. */
  get backlog(): number {
    return this.outstanding + this.#foreignTokens
  }

  reported({ running, waiting, at }: ServerLoad): void {
    this.#report = { at, foreign: Math.max(0, running + waiting - this.#held) }
  }

  /** @param call `inputTokens`: those that have to be read; what the server has in its prefix cache is no work. */
  begin(call: { readonly inputTokens: number; readonly outputTokensExpected: number }): Work {
    const { clock, pace } = this.#options
    const promptTokens = wholeTokens(call.inputTokens)
    const outputTokens = pace.outputExpected(wholeTokens(call.outputTokensExpected))
    const ahead = this.#promptTokens + promptTokens + callOverheadTokens
    const work = new CallWork({
      ...{ clock, pace, slowness: this.#slowness, promptTokens, outputTokens, ahead },
      outputTokensMax: wholeTokens(call.outputTokensExpected),
      changed: (prompt, output) => this.#changed(prompt, output),
      spoke: () => this.#silent.delete(work),
      left: () => this.#changedCalls(-1),
    })
    this.#silent.add(work)
    this.#changedCalls(1)
    this.#changed(promptTokens, outputTokens)
    return work
  }

  get #foreignTokens(): number {
    const { at, foreign } = this.#report
    const isFresh = this.#options.clock.monotonic() - at <= this.#reportMsMax
    return isFresh ? foreign * this.#options.pace.meanOutstanding : 0
  }

  #changedCalls(calls: number): void {
    this.#held += calls
    this.#options.pace.changed(calls, 0)
  }

  #changed(promptTokens: number, outputTokens: number): void {
    this.#promptTokens += promptTokens
    this.#outputTokens += outputTokens
    this.#options.pace.changed(0, promptTokens + outputCost * outputTokens)
  }
}

/** Sums of whole numbers come back to 0. */
const wholeTokens = (tokens: number): number =>
  Number.isFinite(tokens) ? Math.max(0, Math.round(tokens)) : 0

interface CallWorkParts {
  readonly clock: Pick<Clock, 'monotonic'>
  readonly pace: PoolPace
  readonly slowness: Slowness
  readonly promptTokens: number
  /** Expected, and the most that the caller allows for. */
  readonly outputTokens: number
  readonly outputTokensMax: number
  /** Prompt tokens that are read before its first token. */
  readonly ahead: number
  changed(promptTokens: number, outputTokens: number): void
  /** No longer silent. */
  spoke(): void
  left(): void
}

/** A reply that is longer than expected still takes its share of the batch. */
const leftOfExpected = 1 / 8

class CallWork implements Work {
  readonly #parts: CallWorkParts
  readonly #startedAt: number
  #promptLeft: number
  #outputLeft: number
  #produced = 0
  #firstTokenAt: number | undefined
  #lastTokenAt = 0
  #hasEnded = false

  constructor(parts: CallWorkParts) {
    this.#parts = parts
    this.#startedAt = parts.clock.monotonic()
    this.#promptLeft = parts.promptTokens
    this.#outputLeft = parts.outputTokens
  }

  get ahead(): number {
    return this.#parts.ahead
  }

  get elapsedMs(): number {
    return this.#parts.clock.monotonic() - this.#startedAt
  }

  firstToken(): void {
    if (this.#hasEnded || this.#firstTokenAt !== undefined) return
    const { clock, slowness, ahead } = this.#parts
    this.#firstTokenAt = clock.monotonic()
    this.#lastTokenAt = this.#firstTokenAt
    slowness.prefilled(this.elapsedMs, ahead)
    this.#promptRead()
  }

  produced(tokens: number): void {
    if (this.#hasEnded) return
    this.#promptRead()
    this.#produced += wholeTokens(tokens)
    this.#lastTokenAt = this.#parts.clock.monotonic()
    const { outputTokens } = this.#parts
    const left = Math.max(outputTokens - this.#produced, Math.ceil(outputTokens * leftOfExpected))
    this.#outputLeftIs(Math.min(left, this.#outputLeft))
  }

  end(used?: { readonly inputTokens: number; readonly outputTokens: number }): void {
    if (this.#hasEnded) return
    this.#learn(used)
    this.#promptRead()
    this.#outputLeftIs(0)
    this.#hasEnded = true
    this.#parts.left()
  }

  #learn(used: { readonly outputTokens: number } | undefined): void {
    const { slowness, pace, ahead, outputTokensMax } = this.#parts
    const outputTokens = Math.max(this.#produced, wholeTokens(used?.outputTokens ?? 0))
    if (used !== undefined) pace.ended(outputTokens, outputTokensMax)
    if (this.#firstTokenAt !== undefined) {
      if (outputTokens > 1) slowness.made(this.#lastTokenAt - this.#firstTokenAt, outputTokens - 1)
    } else if (used !== undefined) slowness.replied(this.elapsedMs, ahead, outputTokens)
    // Nobody knows how long it would have taken; that it was too long already is known.
    else if (this.elapsedMs > pace.prefillMs(ahead)) slowness.prefilled(this.elapsedMs, ahead)
  }

  #promptRead(): void {
    this.#parts.spoke()
    if (this.#promptLeft > 0) this.#parts.changed(-this.#promptLeft, 0)
    this.#promptLeft = 0
  }

  #outputLeftIs(tokens: number): void {
    this.#parts.changed(0, tokens - this.#outputLeft)
    this.#outputLeft = tokens
  }
}
