import type { ServerLoad } from './balance/server-load.ts'

/** One call's part of a server's load. */
export interface Work {
  firstToken(): void
  produced(tokens: number): void
  end(used?: { readonly inputTokens: number; readonly outputTokens: number }): void
}

/** How much a server has to do. */
export interface WorkLoad {
  /** Tokens of work, at the speed of the pool. */
  readonly score: number
  /** The same at its own speed. */
  readonly backlog: number
  /** How many times as long as one of its pool it takes. */
  readonly slowness: number
  begin(call: { readonly inputTokens: number; readonly outputTokensExpected: number }): Work
  reported(load: ServerLoad): void
}
