/**
 * A model server with continuous batching, simulated step by step: each step gives one token to every sequence that
 * decodes and reads a piece of the prompts that wait (chunked prefill), and takes `stepMs + sequenceMs x sequences +
 * promptTokenMs x prompt tokens`. Sequences beyond `sequencesMax` wait. Whoever calls keeps as many calls in flight as
 * the limit and the demand let it.
 */
export interface BatchingServerOptions {
  readonly stepMs: number
  readonly sequenceMs: number
  readonly promptTokenMs: number
  readonly sequencesMax: number
  readonly stepTokensMax: number
  readonly random: () => number
}

export interface FinishedCall {
  readonly ttftMs: number
  readonly tpotMs: number
  readonly inputTokens: number
  readonly inFlight: number
}

interface Sequence {
  readonly sentAt: number
  readonly inputTokens: number
  readonly outputTokens: number
  readonly inFlight: number
  promptLeft: number
  made: number
  firstAt: number
}

export class SimulatedBatchingServer {
  nowMs = 0
  /** 3: everything takes three times as long. */
  slowness = 1
  readonly #options: BatchingServerOptions
  readonly #waiting: Sequence[] = []
  #running: Sequence[] = []

  constructor(options: Partial<BatchingServerOptions> & Pick<BatchingServerOptions, 'random'>) {
    const usual = { stepMs: 20, sequenceMs: 0.5, promptTokenMs: 0.02, sequencesMax: 256, stepTokensMax: 2048 }
    this.#options = { ...usual, ...options }
  }

  monotonic = (): number => this.nowMs

  get inFlight(): number {
    return this.#waiting.length + this.#running.length
  }

  send(inputTokens: number, outputTokens: number): void {
    const inFlight = this.inFlight + 1
    const start = { promptLeft: inputTokens, made: 0, firstAt: 0 }
    this.#waiting.push({ sentAt: this.nowMs, inputTokens, outputTokens, inFlight, ...start })
  }

  /** One step; the calls that ended with it. */
  step(): FinishedCall[] {
    const { sequencesMax, stepTokensMax, stepMs, sequenceMs, promptTokenMs, random } = this.#options
    while (this.#running.length < sequencesMax && this.#waiting.length > 0)
      this.#running.push(this.#waiting.shift() as Sequence)
    const decoding = this.#running.filter(({ promptLeft }) => promptLeft === 0)
    let budget = Math.max(0, stepTokensMax - decoding.length)
    let read = 0
    for (const sequence of this.#running) {
      const part = Math.min(budget, sequence.promptLeft)
      sequence.promptLeft -= part
      budget -= part
      read += part
    }
    const noise = 0.9 + 0.2 * random()
    const batch = this.#running.length
    this.nowMs += (stepMs + sequenceMs * batch + promptTokenMs * read) * this.slowness * noise
    return this.#decode()
  }

  #decode(): FinishedCall[] {
    const ended: FinishedCall[] = []
    for (const sequence of this.#running) {
      if (sequence.promptLeft > 0) continue
      sequence.made += 1
      if (sequence.made === 1) sequence.firstAt = this.nowMs
      if (sequence.made >= sequence.outputTokens) ended.push(this.#finished(sequence))
    }
    this.#running = this.#running.filter(({ made, outputTokens }) => made < outputTokens)
    return ended
  }

  #finished({ sentAt, firstAt, made, inputTokens, inFlight }: Sequence): FinishedCall {
    const tpotMs = (this.nowMs - firstAt) / Math.max(1, made - 1)
    return { ttftMs: firstAt - sentAt, tpotMs, inputTokens, inFlight }
  }
}
