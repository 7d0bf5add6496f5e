import type { BlockCache } from './block-cache.ts'

/** One call as a simulated server sees it. */
export interface SimulatedCall {
  readonly inputTokens: number
  readonly outputTokens: number
  /** Ids of the blocks of its prompt, each of `blockTokens`; ids cover what is before them. */
  readonly blocks: readonly number[]
}

/** Told of what becomes of a call. Times are milliseconds of the simulation. */
export interface CallProgress {
  firstToken(now: number): void
  produced(now: number): void
  ended(now: number): void
}

export const blockTokens = 512

/** A server with continuous batching and chunked prefill, as vLLM: all running calls advance by one step at a time. */
export interface ServerShape {
  /** How many times as long everything takes. */
  readonly slowness: number
  /** Calls in the batch; more wait in line. */
  readonly slots: number
  /** Prompt tokens of one step. */
  readonly chunkTokens: number
  readonly stepMs: number
  readonly prefillMsPerToken: number
  /** What one more call in the batch adds to a step. */
  readonly sequenceMs: number
}

/** Orders of magnitude of a 70B model on four H100. */
export const ordinaryShape: ServerShape = {
  slowness: 1,
  slots: 64,
  chunkTokens: 2_048,
  stepMs: 20,
  prefillMsPerToken: 0.1,
  sequenceMs: 0.2,
}

interface Sequence {
  readonly call: SimulatedCall
  readonly progress: CallProgress
  promptLeft: number
  outputLeft: number
  isLookedUp: boolean
  hasSpoken: boolean
}

export class SimulatedServer {
  readonly shape: ServerShape
  readonly #cache: BlockCache | undefined
  readonly #line: Sequence[] = []
  #running: Sequence[] = []
  /** Those that are read in the step under way, and how much of each. */
  #reading: { sequence: Sequence; tokens: number }[] = []
  stepEndsAt = Number.POSITIVE_INFINITY
  hitBlocks = 0
  askedBlocks = 0
  /** Prompt tokens that were read and output tokens that were made. */
  workTokens = 0

  constructor(shape: ServerShape, cache?: BlockCache) {
    this.shape = shape
    this.#cache = cache
  }

  get running(): number {
    return this.#running.length
  }

  get waiting(): number {
    return this.#line.length
  }

  /** What it still has to do, in prompt and output tokens: only an oracle knows. */
  get left(): { prompt: number; output: number } {
    const all = [...this.#running, ...this.#line]
    return {
      prompt: all.reduce((sum, { promptLeft }) => sum + promptLeft, 0),
      output: all.reduce((sum, { outputLeft }) => sum + outputLeft, 0),
    }
  }

  take(call: SimulatedCall, progress: CallProgress, now: number): void {
    this.#line.push({
      ...{ call, progress },
      promptLeft: call.inputTokens,
      outputLeft: call.outputTokens,
      isLookedUp: false,
      hasSpoken: false,
    })
    if (this.stepEndsAt === Number.POSITIVE_INFINITY) this.#beginStep(now)
  }

  /** Ends the step whose time has come, and begins the next. */
  step(): void {
    const now = this.stepEndsAt
    for (const { sequence, tokens } of this.#reading) sequence.promptLeft -= tokens
    for (const sequence of this.#running) if (sequence.promptLeft === 0) this.#made(sequence, now)
    this.#running = this.#running.filter(({ outputLeft }) => outputLeft > 0)
    this.#beginStep(now)
  }

  #made(sequence: Sequence, now: number): void {
    const { progress } = sequence
    if (!sequence.hasSpoken) {
      sequence.hasSpoken = true
      this.#cache?.add(sequence.call.blocks)
      progress.firstToken(now)
    }
    sequence.outputLeft--
    this.workTokens++
    progress.produced(now)
    if (sequence.outputLeft === 0) progress.ended(now)
  }

  #beginStep(now: number): void {
    this.#admit()
    const { slowness, stepMs, prefillMsPerToken, sequenceMs } = this.shape
    let budget = this.shape.chunkTokens
    this.#reading = []
    for (const sequence of this.#running) {
      if (sequence.promptLeft === 0 || budget === 0) continue
      if (!sequence.isLookedUp) this.#lookUp(sequence)
      const tokens = Math.min(budget, sequence.promptLeft)
      this.#reading.push({ sequence, tokens })
      budget -= tokens
    }
    const read = this.shape.chunkTokens - budget
    this.workTokens += read
    const ms = (stepMs + prefillMsPerToken * read + sequenceMs * this.#running.length) * slowness
    this.stepEndsAt = this.#running.length === 0 ? Number.POSITIVE_INFINITY : now + ms
  }

  #admit(): void {
    while (this.#running.length < this.shape.slots) {
      const sequence = this.#line.shift()
      if (sequence === undefined) return
      this.#running.push(sequence)
    }
  }

  /** When reading begins, as vLLM: what was read for calls before is there by then. */
  #lookUp(sequence: Sequence): void {
    sequence.isLookedUp = true
    const { blocks, inputTokens } = sequence.call
    const hits = this.#cache?.hits(blocks) ?? 0
    this.askedBlocks += blocks.length
    this.hitBlocks += hits
    sequence.promptLeft = Math.max(1, inputTokens - hits * blockTokens)
  }
}
