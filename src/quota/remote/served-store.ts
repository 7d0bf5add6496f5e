/**
 * A store of this process, served to workers. Invariants:
 *
 * 1. Of a worker that is gone no slot is held: its exchanges end at once. What they had reserved stays charged.
 * 2. An exchange is remembered here from its admission until its settlement; the store bounds how many there are.
 * 3. Every worker is told of every change of a document, whoever made it, and how the store is, each `stateMs`.
 */
import type { Clock } from '../../clock.ts'
import type { QuotaStore } from '../store.ts'
import { nameOf, type StoreLine } from './line.ts'
import {
  decodeCorrection,
  decodeDemand,
  decodeLimit,
  encodeDecision,
  encodeState,
  type Method,
  methods,
} from './wire.ts'

export interface ServedStoreOptions {
  readonly store: QuotaStore
  readonly clock: Pick<Clock, 'sleep'>
  readonly stateMs?: number
}

type List = readonly unknown[]

export class ServedStore {
  readonly #store: QuotaStore
  readonly #lines = new Set<StoreLine>()
  readonly #stop = new AbortController()
  readonly #watch: Disposable

  constructor({ store, clock, stateMs = 1_000 }: ServedStoreOptions) {
    this.#store = store
    this.#watch = store.documents.watch('', () => this.#tellAll('changed', []))
    void this.#tellState(clock, stateMs)
  }

  /** Answers a worker from now on. Returns how to end that when it is gone. */
  serve(
    line: StoreLine & { on(name: string, answerer: (args: List) => unknown): void },
  ): () => Promise<void> {
    const worker = new ServedWorker(this.#store)
    for (const method of methods) line.on(nameOf(method), (args) => worker[method](args))
    line.on(nameOf('keep'), ([exchangeId, text]) =>
      this.#store.decisions.keep(String(exchangeId), String(text)),
    )
    this.#lines.add(line)
    line.tell(nameOf('state'), [this.#state])
    return async () => {
      this.#lines.delete(line)
      await worker.leave()
    }
  }

  /** The store is closed by whoever opened it. */
  close(): void {
    this.#stop.abort()
    this.#watch[Symbol.dispose]()
  }

  get #state() {
    return { available: this.#store.health.available, ...this.#store.size }
  }

  async #tellState(clock: ServedStoreOptions['clock'], stateMs: number): Promise<void> {
    const { signal } = this.#stop
    while (!signal.aborted) {
      await clock.sleep(stateMs, signal).catch(() => {})
      if (!signal.aborted) this.#tellAll('state', [this.#state])
    }
  }

  #tellAll(what: string, args: List): void {
    for (const line of this.#lines) line.tell(nameOf(what), args)
  }
}

/** What one worker may ask, and the exchanges that it has open. */
class ServedWorker implements Readonly<Record<Method, (args: List) => Promise<unknown>>> {
  readonly #store: QuotaStore
  readonly #open = new Set<string>()
  #left = false

  constructor(store: QuotaStore) {
    this.#store = store
  }

  async admit([id, list]: List): Promise<unknown> {
    const exchangeId = String(id)
    const demands = (list as List).map(decodeDemand)
    // Before the decision, which may wait for the disk: a settlement that overtakes it finds the exchange.
    this.#open.add(exchangeId)
    try {
      const decision = await this.#store.admit(exchangeId, demands)
      if (!decision.allowed) this.#open.delete(exchangeId)
      else if (this.#left) await this.#store.settle(exchangeId, [])
      return encodeDecision(decision, demands)
    } catch (error) {
      this.#open.delete(exchangeId)
      throw error
    }
  }

  async settle([id, list]: List): Promise<void> {
    this.#open.delete(String(id))
    await this.#store.settle(String(id), (list as List).map(decodeCorrection))
  }

  async peek([limits]: List): Promise<unknown> {
    return (await this.#store.peek((limits as List).map(decodeLimit))).map(encodeState)
  }

  async reset([limit]: List): Promise<void> {
    await this.#store.reset(decodeLimit(limit))
  }

  async keys([prefix, cursor, countMax]: List): Promise<unknown> {
    return this.#store.keys(String(prefix), String(cursor), Number(countMax))
  }

  async get([name]: List): Promise<unknown> {
    return this.#store.documents.get(String(name))
  }

  async list([prefix]: List): Promise<unknown> {
    return [...(await this.#store.documents.list(String(prefix)))]
  }

  async put([name, text, expected]: List): Promise<unknown> {
    return this.#store.documents.put(String(name), String(text), Number(expected))
  }

  async delete([name, expected]: List): Promise<unknown> {
    return this.#store.documents.delete(String(name), Number(expected))
  }

  async find([exchangeId]: List): Promise<unknown> {
    return this.#store.decisions.find(String(exchangeId))
  }

  async leave(): Promise<void> {
    this.#left = true
    await Promise.all([...this.#open].map((exchangeId) => this.#store.settle(exchangeId, [])))
    this.#open.clear()
  }
}
