import type { IpcPort } from '../../src/workers/ipc-port.ts'

export interface SimulatedEnd extends IpcPort {
  /** Messages that have been sent here and not been delivered. */
  readonly held: number
  /** While it stands still, nothing that is sent here leaves. */
  stop(): void
  go(): void
}

/** Two ends of a channel in one process: messages pass as JSON, in order, one turn later. */
export function simulatedChannel(): readonly [SimulatedEnd, SimulatedEnd, close: () => void] {
  const closers: (() => void)[] = []
  const [a, b] = [new End(closers), new End(closers)]
  a.other = b
  b.other = a
  return [
    a,
    b,
    () =>
      closers.forEach((close) => {
        close()
      }),
  ]
}

class End implements SimulatedEnd {
  other: End | undefined
  readonly #closers: (() => void)[]
  readonly #listeners: ((message: unknown) => void)[] = []
  readonly #queue: { readonly text: string; readonly left: () => void }[] = []
  #stopped = false
  #closed = false

  constructor(closers: (() => void)[]) {
    this.#closers = closers
    closers.push(() => {
      this.#closed = true
    })
  }

  get held(): number {
    return this.#queue.length
  }

  send(message: object, left: () => void): void {
    if (this.#closed) left()
    else this.#queue.push({ text: JSON.stringify(message), left })
    this.#deliver()
  }

  onMessage(listener: (message: unknown) => void): void {
    this.#listeners.push(listener)
  }

  onClose(listener: () => void): void {
    this.#closers.push(listener)
  }

  stop(): void {
    this.#stopped = true
  }

  go(): void {
    this.#stopped = false
    this.#deliver()
  }

  /** Something that is none of ours comes. */
  hear(message: unknown): void {
    for (const listener of this.#listeners) listener(message)
  }

  #deliver(): void {
    if (this.#stopped) return
    for (const { text, left } of this.#queue.splice(0))
      queueMicrotask(() => {
        left()
        this.other?.hear(JSON.parse(text))
      })
  }
}
