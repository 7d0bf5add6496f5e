import type { Clock } from '../../clock.ts'

/** What Redis's clock says, by what was last heard of it. */
export class RedisTime {
  readonly #clock: Pick<Clock, 'now'>
  #offsetMs = 0

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock
  }

  get nowMs(): number {
    return Math.floor(this.#clock.now()) + this.#offsetMs
  }

  /** It was so when the answer was written; it is a little later now. */
  heard(redisMs: number): void {
    this.#offsetMs = redisMs - Math.floor(this.#clock.now())
  }
}
