import { Refusal } from '../../../src/refusal.ts'
import type { CallEnd } from '../../../src/upstream/health/call-end.ts'
import type { EndpointPool, Place, PlaceAsked } from '../../../src/upstream/pool.ts'
import type { RetryPolicy } from '../../../src/upstream/retry-policy.ts'
import type { UpstreamAnswer } from '../../../src/upstream/upstream.ts'
import { endpointOf } from '../fake-parts.ts'

/** What a server of the pool does with a call. */
export type Deed = (signal: AbortSignal) => Promise<UpstreamAnswer>

export interface SimulatedPoolOptions {
  readonly name?: string
  readonly retries?: Partial<RetryPolicy>
  /** Retries that the budget lets through. */
  readonly budget?: number
  readonly totalMs?: number
  /** Instead of a place. */
  readonly refusal?: Refusal
}

/** A pool whose servers do what the test says, each place given in the order of the list, and everything kept. */
export class SimulatedPool implements EndpointPool {
  readonly name: string
  readonly server = 'vllm'
  readonly retries: RetryPolicy
  readonly totalMs: number
  prefixOf = (): number[] => []
  readonly ends: { readonly origin: string; readonly end: CallEnd }[] = []
  readonly asked: PlaceAsked[] = []
  readonly answers: { readonly origin: string; readonly status: number }[] = []
  calls = 0
  held = 0
  #budget: number
  readonly #deeds: ReadonlyMap<string, Deed>
  readonly #refusal: Refusal | undefined

  constructor(deeds: Readonly<Record<string, Deed>>, options: SimulatedPoolOptions = {}) {
    this.name = options.name ?? 'gpu'
    this.retries = { attemptsMax: 3, afterSend: 'never', ...options.retries }
    this.totalMs = options.totalMs ?? Number.POSITIVE_INFINITY
    this.#budget = options.budget ?? 100
    this.#refusal = options.refusal
    this.#deeds = new Map(Object.entries(deeds))
  }

  cacheSaltOf = (tenant: string): string => `salt of ${tenant}`

  called(): void {
    this.calls += 1
  }

  retried(_reason: string): boolean {
    this.#budget -= 1
    return this.#budget >= 0
  }

  async take(asked: PlaceAsked, signal: AbortSignal): Promise<Place> {
    signal.throwIfAborted()
    this.asked.push({ ...asked, tried: new Set(asked.tried) })
    if (this.#refusal) throw this.#refusal
    const place = this.takeNow(asked)
    if (place === undefined) throw new Refusal('upstream_unavailable', `no other server at pool ${this.name}`)
    return place
  }

  forbids(): Refusal | undefined {
    return this.#refusal
  }

  takeNow({ tried }: PlaceAsked): Place | undefined {
    const next = [...this.#deeds].find(([origin]) => !tried.has(origin))
    if (next === undefined) return undefined
    const [origin, deed] = next
    this.held += 1
    let isHeld = true
    return {
      endpoint: endpointOf(origin, {
        post: (request, signal) => {
          request.sent?.()
          return deed(signal)
        },
      }),
      waitedMs: 0,
      answered: (status) => void this.answers.push({ origin, status }),
      produced: () => {},
      end: (end) => {
        if (!isHeld) return
        isHeld = false
        this.held -= 1
        this.ends.push({ origin, end })
      },
    }
  }

  snapshot(): never {
    throw new Error('nobody looks at a simulated pool')
  }

  async close(): Promise<void> {}
}
