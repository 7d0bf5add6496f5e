import type { Principal } from '../identity/principal.ts'
import { Refusal } from '../refusal.ts'
import type { Client } from './arrival.ts'

/**
 * How long an exchange may live. One abort signal per exchange, whose reason is the Refusal that ends it: the caller
 * left, the token was revoked, the time is up, the gateway is draining. Every wait in the path listens to it.
 */
export class Life implements Disposable {
  readonly #controller = new AbortController()
  readonly #lives: Set<Life>
  readonly #ended: (life: Life) => void
  readonly #gone: AbortSignal
  #timer: NodeJS.Timeout | undefined
  principal: Principal | undefined

  constructor(client: Client, lives: Set<Life>, ended: (life: Life) => void) {
    this.#lives = lives
    this.#ended = ended
    this.#gone = client.gone
    lives.add(this)
    if (client.gone.aborted) this.#leave()
    else client.gone.addEventListener('abort', this.#leave, { once: true })
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** From now on a revocation that covers the principal ends the exchange. */
  belongsTo(principal: Principal): void {
    this.principal = principal
  }

  /** Ends the exchange after `timeoutMs` unless it ends before. */
  limit(timeoutMs: number): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.cut(new Refusal('stream_timeout', 'above totalTimeoutMs')), timeoutMs)
    this.#timer.unref()
  }

  cut(refusal: Refusal): void {
    this.#controller.abort(refusal)
  }

  readonly #leave = (): void => this.cut(new Refusal('caller_gone', 'connection closed'));

  [Symbol.dispose](): void {
    clearTimeout(this.#timer)
    this.#gone.removeEventListener('abort', this.#leave)
    if (this.#lives.delete(this)) this.#ended(this)
  }
}

/** Somebody who waits for some exchanges to end. */
interface Waiting {
  readonly left: Set<Life>
  resolve(): void
}

/**
 * The exchanges that are under way in this process.
 *
 * 1. An exchange is in here from `begin` to its disposal, and counts once.
 * 2. `ended` resolves when the last exchange that was under way at the call has been disposed of, whatever began since.
 */
export class Lives {
  readonly #lives = new Set<Life>()
  readonly #waiting = new Set<Waiting>()

  begin(client: Client): Life {
    return new Life(client, this.#lives, (life) => this.#leave(life))
  }

  /** Resolves when every exchange that is under way now has ended: from then on nothing uses what they began with. */
  ended(): Promise<void> {
    if (this.#lives.size === 0) return Promise.resolve()
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#waiting.add({ left: new Set(this.#lives), resolve })
    return promise
  }

  get size(): number {
    return this.#lives.size
  }

  /** Ends every exchange whose principal is `covered`; returns how many. */
  cutWhere(covered: (principal: Principal) => boolean, refusal: () => Refusal): number {
    let cut = 0
    for (const life of this.#lives) {
      if (life.principal === undefined || !covered(life.principal)) continue
      life.cut(refusal())
      cut += 1
    }
    return cut
  }

  cutAll(refusal: () => Refusal): void {
    for (const life of this.#lives) life.cut(refusal())
  }

  #leave(life: Life): void {
    for (const waiting of this.#waiting) {
      waiting.left.delete(life)
      if (waiting.left.size > 0) continue
      this.#waiting.delete(waiting)
      waiting.resolve()
    }
  }
}
