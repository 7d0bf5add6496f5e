import { isIP } from 'node:net'
import type { Clock } from '../../clock.ts'
import { addressFault } from './address-rules.ts'
import { changeBetween, type DiscoveredEndpoint, type EndpointChange } from './discovered.ts'
import { DnsAnswers, type DnsOptions } from './dns-answers.ts'
import { DnsReader, type DnsSource, type Reading } from './dns-reading.ts'

/**
 * The endpoints that a name leads to, read again as its records expire. Invariants:
 *
 * 1. Rounds of questions never overlap, and none begins after `close()`.
 * 2. An empty or failed round changes nothing until it has been so for `staleMsMax`; only then the set is given up.
 * 3. `changed` is told each difference once, and only differences; the changes add up to `endpoints`.
 * 4. Never more than `endpointsMax` endpoints, in an order that depends on the records alone.
 * 5. No endpoint's address is refused by the rules of address-rules.ts.
 * 6. From one round to the next at least `refreshMsMin` pass, and at most `refreshMsMax`.
 */
export interface DnsEndpointsOptions extends DnsOptions {
  readonly source: DnsSource
  readonly clock: Pick<Clock, 'monotonic' | 'sleep'>
  readonly random: () => number
  readonly observer: DiscoveryObserver
  /** Default 1 000. */
  readonly refreshMsMin?: number | undefined
  /** Default 60 000. */
  readonly refreshMsMax?: number | undefined
  /** How long the last good set is kept without a good answer. Default: for ever. */
  readonly staleMsMax?: number | undefined
  /** Default 64. */
  readonly endpointsMax?: number | undefined
  /** For a whole round of questions. Default 10 000. */
  readonly roundMsMax?: number | undefined
}

/** Without an answer the pause doubles up to so many times `refreshMsMin`: a pool that comes back is wanted soon. */
const backoffMax = 16

/** Told what happens, for the pool and for metrics. Must not throw. */
export interface DiscoveryObserver {
  changed(change: EndpointChange): void
  /** After each round, before `changed`. `kept`: the set is the last good one, not what was read. */
  read?(reading: Reading & { readonly kept: boolean }): void
}

export class DnsEndpoints {
  /** Resolves after the first round, however it ended: look at `endpoints` then. */
  readonly ready: Promise<void>
  readonly #options: DnsEndpointsOptions
  readonly #reader: DnsReader
  readonly #answers: DnsAnswers
  readonly #closing = new AbortController()
  readonly #done: Promise<void>
  #endpoints: readonly DiscoveredEndpoint[] = []
  #goodAt: number
  #misses = 0
  #pauseMs = 0

  /** Asks at once. */
  constructor(options: DnsEndpointsOptions) {
    const { source, clock, endpointsMax = 64, staleMsMax = Number.POSITIVE_INFINITY } = options
    this.#options = options
    this.#answers = new DnsAnswers(options)
    this.#reader = new DnsReader(source, { answers: this.#answers, clock, endpointsMax, staleMsMax })
    this.#goodAt = clock.monotonic()
    const fixed = fixedReading(source)
    this.ready = fixed ? Promise.resolve(fixed).then((reading) => this.#take(reading)) : this.#round()
    this.#done = fixed ? this.ready : this.ready.then(() => this.#run())
  }

  /** The last good set. */
  get endpoints(): readonly DiscoveredEndpoint[] {
    return this.#endpoints
  }

  /** Milliseconds since an answer last named endpoints. */
  get ageMs(): number {
    return this.#options.clock.monotonic() - this.#goodAt
  }

  /** Ends what is under way; resolves when it has ended. The endpoints stay as they are. */
  close(): Promise<void> {
    this.#closing.abort()
    this.#answers.cancel()
    return this.#done
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing
    while (!signal.aborted) {
      await this.#options.clock.sleep(this.#pauseMs, signal).catch(() => undefined)
      if (!signal.aborted) await this.#round()
    }
  }

  /** Gateways that started together should not ask together, so up to a tenth is taken off. */
  #schedule({ ttlMs }: Reading): void {
    const { random, refreshMsMin = 1_000, refreshMsMax = 60_000 } = this.#options
    const backoffMs = refreshMsMin * Math.min(2 ** this.#misses, backoffMax)
    const wanted = this.#misses > 0 ? backoffMs : (ttlMs ?? refreshMsMin)
    const bounded = Math.min(Math.max(wanted, refreshMsMin), refreshMsMax)
    this.#pauseMs = Math.max(bounded * (0.9 + 0.1 * random()), Math.min(refreshMsMin, refreshMsMax))
  }

  async #round(): Promise<void> {
    const { clock, roundMsMax = 10_000 } = this.#options
    const over = new AbortController()
    clock.sleep(roundMsMax, over.signal).then(
      () => this.#answers.cancel(),
      () => undefined,
    )
    const reading = await this.#reader.read()
    over.abort()
    if (!this.#closing.signal.aborted) this.#take(reading)
  }

  #take(reading: Reading): void {
    const { observer, clock, staleMsMax = Number.POSITIVE_INFINITY } = this.#options
    const now = clock.monotonic()
    const isGood = reading.endpoints.length > 0 && reading.result !== 'failed'
    if (isGood) this.#goodAt = now
    this.#misses = isGood ? 0 : this.#misses + 1
    this.#schedule(reading)
    const kept = !isGood && this.#endpoints.length > 0 && now - this.#goodAt <= staleMsMax
    observer.read?.({ ...reading, kept })
    const after = kept ? this.#endpoints : reading.endpoints
    const change = changeBetween(this.#endpoints, after)
    this.#endpoints = after
    if (change !== undefined) observer.changed(change)
  }
}

/** What needs no DNS: an address, or this machine. */
function fixedReading(source: DnsSource): Reading | undefined {
  if (source.kind !== 'a') return undefined
  const { name, scheme, port, serverName } = source
  const version = isIP(name)
  if (version === 0 && name !== 'localhost') return undefined
  const address = version === 0 ? '127.0.0.1' : name
  const fault = addressFault(address, name)
  const origin = `${scheme}://${version === 6 ? `[${address}]` : address}:${port}`
  const endpoint = {
    origin,
    serverName: serverName ?? (version === 0 ? name : undefined),
    priority: 0,
    weight: 1,
  }
  return {
    result: fault ? 'empty' : 'ok',
    endpoints: fault ? [] : [endpoint],
    ttlMs: undefined,
    code: undefined,
    refused: fault ? { [fault]: 1 } : {},
    cut: 0,
  }
}
