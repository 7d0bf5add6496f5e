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
  readonly #gone: AbortSignal
  #timer: NodeJS.Timeout | undefined
  principal: Principal | undefined

  constructor(client: Client, lives: Set<Life>) {
    this.#lives = lives
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
    this.#lives.delete(this)
  }
}

/** The exchanges that are under way in this process. */
export class Lives {
  readonly #lives = new Set<Life>()

  begin(client: Client): Life {
    return new Life(client, this.#lives)
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
}
