/** What a model server last said of its own load. */
export interface ServerLoad {
  /** Requests in execution. */
  readonly running: number
  /** Requests in the server's own queue. */
  readonly waiting: number
  /** Share of the KV cache in use, 0 to 1; absent when unknown. */
  readonly kvUse?: number | undefined
  /** Monotonic milliseconds of the reading. */
  readonly at: number
}
