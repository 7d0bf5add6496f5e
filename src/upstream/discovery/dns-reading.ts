import { isIPv6 } from 'node:net'
import type { Clock } from '../../clock.ts'
import { type AddressFault, addressFault } from './address-rules.ts'
import { type DiscoveredEndpoint, orderedSet } from './discovered.ts'
import type { Answer, DnsAnswers, Family, Service } from './dns-answers.ts'

/** Where the endpoints of a pool come from. */
export type DnsSource = {
  /** Complete, there is no search list: `vllm.llm.svc.cluster.local`; for `srv` with `_http._tcp.` before it. */
  readonly name: string
  readonly scheme: 'https' | 'http'
  /**
   * What certificates are checked against. Default: the name, for `srv` without its labels that begin with `_`. Never the
   * target of an SRV record: that is what an unauthenticated answer says.
   */
  readonly serverName?: string | undefined
  /**
   * Default `all`. A headless Service with two families names each Pod twice: choose one, or each Pod is two endpoints.
   */
  readonly families?: 'all' | Family | undefined
} & ({ readonly kind: 'a'; readonly port: number } | { readonly kind: 'srv' })

/** What one round of questions brought. */
export interface Reading {
  /**
   * `ok`: every question was answered. `partial`: some failed, and what was last known stands in for them. `empty`: the
   * answers name no endpoint. `failed`: no address was answered and something failed; what was last known stands in.
   */
  readonly result: 'ok' | 'partial' | 'empty' | 'failed'
  readonly endpoints: readonly DiscoveredEndpoint[]
  /** Until the first record expires; absent when nothing says so. */
  readonly ttlMs: number | undefined
  /** The first failure's code (c-ares): `ETIMEOUT`, `ESERVFAIL`, ... */
  readonly code: string | undefined
  /** Addresses that no call may go to. */
  readonly refused: Readonly<Partial<Record<AddressFault, number>>>
  /** Endpoints above the bound. */
  readonly cut: number
}

export interface ReaderOptions {
  readonly answers: Pick<DnsAnswers, 'addresses' | 'services'>
  readonly clock: Pick<Clock, 'monotonic'>
  readonly endpointsMax: number
  /** How long an answer may stand in for one that fails. */
  readonly staleMsMax: number
}

interface Round {
  /** Addresses in the answers of this round. */
  addresses: number
  failed: number
  code: string | undefined
  ttlMs: number | undefined
  readonly refused: Partial<Record<AddressFault, number>>
}

/** Questions that are asked at once. */
const parallelMax = 16

/** Asks what a source names, and remembers for each question its last answer. Bounded by what one round asks. */
export class DnsReader {
  readonly #source: DnsSource
  readonly #options: ReaderOptions
  #known = new Map<string, { readonly items: readonly unknown[]; readonly at: number }>()
  #next = new Map<string, { readonly items: readonly unknown[]; readonly at: number }>()

  constructor(source: DnsSource, options: ReaderOptions) {
    this.#source = source
    this.#options = options
  }

  /** One round; never rejects. Do not start one before the last has ended. */
  async read(): Promise<Reading> {
    const round: Round = { addresses: 0, failed: 0, code: undefined, ttlMs: undefined, refused: {} }
    this.#next = new Map()
    const found = await (this.#source.kind === 'a'
      ? this.#hosts(round, this.#source.name, { port: this.#source.port, priority: 0, weight: 1 })
      : this.#services(round, this.#source.name))
    this.#known = this.#next
    const { endpoints, cut } = orderedSet(found, this.#options.endpointsMax)
    const { code, ttlMs, refused } = round
    return { result: resultOf(round, endpoints.length), endpoints, ttlMs, code, refused, cut }
  }

  async #services(round: Round, name: string): Promise<DiscoveredEndpoint[]> {
    const answer = await this.#options.answers.services(name)
    const services = [...this.#settle(round, `srv ${name}`, answer)].sort(byPreference)
    // One target may stand for several ports, so the bound of endpoints bounds the questions too.
    const kept = services.slice(0, this.#options.endpointsMax)
    const lists: DiscoveredEndpoint[][] = []
    for (let from = 0; from < kept.length; from += parallelMax) {
      const some = kept.slice(from, from + parallelMax)
      lists.push(...(await Promise.all(some.map((service) => this.#hosts(round, service.target, service)))))
    }
    return lists.flat()
  }

  async #hosts(
    round: Round,
    host: string,
    { port, priority, weight }: Omit<Service, 'target'>,
  ): Promise<DiscoveredEndpoint[]> {
    const { name, scheme, families = 'all' } = this.#source
    const asked: readonly Family[] = families === 'all' ? ['ipv4', 'ipv6'] : [families]
    const lists = await Promise.all(asked.map((family) => this.#addresses(round, host, family)))
    const serverName = serverNameOf(this.#source)
    return lists.flat().flatMap((address) => {
      const fault = addressFault(address, name)
      if (fault !== undefined) round.refused[fault] = (round.refused[fault] ?? 0) + 1
      const authority = isIPv6(address) ? `[${address}]` : address
      return fault === undefined
        ? [{ origin: `${scheme}://${authority}:${port}`, serverName, priority, weight }]
        : []
    })
  }

  async #addresses(round: Round, host: string, family: Family): Promise<readonly string[]> {
    const answer = await this.#options.answers.addresses(host, family)
    if (answer.result === 'found') round.addresses += answer.items.length
    return this.#settle(round, `${family} ${host}`, answer)
  }

  /** What is taken for the answer. A question is always asked for the same kind of records. */
  #settle<Item>(round: Round, question: string, answer: Answer<Item>): readonly Item[] {
    const at = this.#options.clock.monotonic()
    if (answer.result === 'failed') {
      round.failed++
      round.code ??= answer.code
      const known = this.#known.get(question)
      if (known === undefined || at - known.at > this.#options.staleMsMax) return []
      this.#next.set(question, known)
      return known.items as readonly Item[]
    }
    if (answer.result === 'none') return []
    this.#next.set(question, { items: answer.items, at })
    if (answer.ttlMs !== undefined) round.ttlMs = Math.min(round.ttlMs ?? answer.ttlMs, answer.ttlMs)
    return answer.items
  }
}

const byPreference = (a: Service, b: Service): number => {
  if (a.priority !== b.priority) return a.priority - b.priority
  const [left, right] = [`${a.target}:${a.port}`, `${b.target}:${b.port}`]
  return left < right ? -1 : Number(left > right)
}

const resultOf = ({ addresses, failed }: Round, endpoints: number): Reading['result'] => {
  if (failed > 0) return addresses === 0 ? 'failed' : 'partial'
  return endpoints === 0 ? 'empty' : 'ok'
}

function serverNameOf({ kind, name, serverName }: DnsSource): string {
  if (serverName !== undefined) return serverName
  if (kind === 'a') return name
  const labels = name.split('.')
  const first = labels.findIndex((label) => !label.startsWith('_'))
  return first === -1 ? name : labels.slice(first).join('.')
}
