import type { Asking, FairQueue, Turn } from './fair-queue.ts'
import type { EndpointHandle } from './upstream.ts'

/** A turn, and the server where it is. */
export interface EndpointTurn extends Turn {
  readonly endpoint: EndpointHandle
}

/**
 * Turns at the servers of one pool. A turn belongs to the server with the fewest, the first of equals, so that a quiet
 * pool keeps its connections warm; it is chosen when the turn comes, not when the wait begins.
 *
 * 1. A server has at most as many turns as an equal share of the pool's places: its connections.
 */
export class EndpointTurns {
  readonly queue: FairQueue
  readonly #endpoints: readonly EndpointHandle[]
  readonly #held: number[]

  constructor(endpoints: readonly EndpointHandle[], queue: FairQueue) {
    this.queue = queue
    this.#endpoints = endpoints
    this.#held = endpoints.map(() => 0)
  }

  async take(asking: Asking, signal: AbortSignal): Promise<EndpointTurn> {
    const turn = await this.queue.wait(asking, signal)
    const index = this.#held.indexOf(Math.min(...this.#held))
    this.#held[index] = (this.#held[index] as number) + 1
    let isHeld = true
    return {
      endpoint: this.#endpoints[index] as EndpointHandle,
      waitedMs: turn.waitedMs,
      produced: (tokens) => turn.produced(tokens),
      end: (used) => {
        if (!isHeld) return
        isHeld = false
        this.#held[index] = (this.#held[index] as number) - 1
        turn.end(used)
      },
    }
  }
}
