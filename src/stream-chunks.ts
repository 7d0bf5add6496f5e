import type { Readable } from 'node:stream'

interface Waiting {
  resolve(result: IteratorResult<Uint8Array>): void
  reject(error: unknown): void
}

const over: IteratorResult<Uint8Array> = { done: true, value: undefined }

/**
 * The bytes of a stream, one read after the other. Node's own iterator is a generator with a promise for each of its
 * steps, and this is asked once for every event of every stream.
 *
 * 1. A read takes what is there and no more: the next one is asked for when the last was dealt with (backpressure).
 * 2. Leaving early leaves the stream as it is; whoever owns it reads on or destroys it.
 * 3. A stream that closes before its end rejects, with its own error if it has one; after `fail` with that one.
 * 4. Nothing of the stream is read before somebody asks.
 */
export class StreamChunks implements AsyncIterableIterator<Uint8Array> {
  readonly #stream: Readable
  readonly #named: (error: unknown) => unknown
  #waiting: Waiting | undefined
  #failure: { readonly error: unknown } | undefined

  /** `named`: what an error of the stream is called by us. */
  constructor(stream: Readable, named: (error: unknown) => unknown = (error) => error) {
    this.#stream = stream
    this.#named = named
  }

  [Symbol.asyncIterator](): this {
    const look = this.#look
    this.#stream.on('readable', look).on('end', look).on('error', look).on('close', look)
    return this
  }

  /** From now on every read rejects with this error, the one under way as well. */
  fail(error: unknown): void {
    this.#failure = { error }
    this.#look()
  }

  next(): Promise<IteratorResult<Uint8Array>> {
    const { promise, resolve, reject } = Promise.withResolvers<IteratorResult<Uint8Array>>()
    this.#waiting = { resolve, reject }
    this.#look()
    return promise
  }

  return(): Promise<IteratorResult<Uint8Array>> {
    const look = this.#look
    this.#stream.off('readable', look).off('end', look).off('error', look).off('close', look)
    return Promise.resolve(over)
  }

  readonly #look = (): void => {
    const waiting = this.#waiting
    if (waiting === undefined) return
    this.#waiting = undefined
    const stream = this.#stream
    const failure = this.#failure
    const chunk: Uint8Array | null = failure || stream.destroyed ? null : stream.read()
    if (failure !== undefined) waiting.reject(failure.error)
    else if (chunk !== null) waiting.resolve({ done: false, value: chunk })
    else if (stream.readableEnded) waiting.resolve(over)
    else if (stream.destroyed)
      waiting.reject(this.#named(stream.errored ?? new Error('closed before its end')))
    else this.#waiting = waiting
  }
}
