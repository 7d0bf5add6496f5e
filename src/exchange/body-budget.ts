/**
 * Memory that the request bodies of the whole process may take: each is bounded by itself, and nothing else bounds
 * how many callers send one at the same time.
 *
 *  1. `held` is the sum of what the shares hold, and 0 when all are released.
 *  2. It exceeds the bound only while a single share holds all of it: whoever is alone is let in, so that no setting
 *     of the two bounds shuts everybody out.
 *  3. A share that was released holds nothing any more, whatever is still asked of it.
 */
import { Refusal } from '../refusal.ts'

/** Bodies come and go with the calls of others: a short wait spreads the callers. */
const RETRY_MS = 1_000

/** What one body takes of the budget. Released at the latest when it is left. */
export interface BodyShare extends Disposable {
  /** The body takes this many bytes now. Throws `overloaded` when the others leave no room for them. */
  hold(bytes: number): void
  release(): void
}

/** The bytes of request bodies that are being read, or held until a model server has answered. */
export class BodyBudget {
  #held = 0

  get held(): number {
    return this.#held
  }

  share(bytesMax: number): BodyShare {
    let own = 0
    let released = false
    const hold = (bytes: number): void => {
      // A body that was given up may still be arriving.
      if (released) return
      const others = this.#held - own
      if (others > 0 && others + bytes > bytesMax) {
        throw new Refusal('overloaded', 'bodiesBytesMax', { retryAfterMs: RETRY_MS })
      }
      this.#held = others + bytes
      own = bytes
    }
    const release = (): void => {
      this.#held -= own
      own = 0
      released = true
    }
    return { hold, release, [Symbol.dispose]: release }
  }
}
