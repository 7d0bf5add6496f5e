import { Resolver } from 'node:dns/promises'

/**
 * Asks a DNS server, and says of each question whether it was answered. Node's resolver asks the servers alone: no
 * hosts file and no search list, so names must be complete. It caches nothing.
 */
export interface DnsOptions {
  /** `10.0.0.10:53`, `[fd00::a]:53`; default: those of the machine, as they were at the start. */
  readonly servers?: readonly string[] | undefined
  /** For each try. Default 2 000. */
  readonly timeoutMs?: number | undefined
  /** Default 2. */
  readonly tries?: number | undefined
}

export type Answer<Item> =
  | { readonly result: 'found'; readonly items: readonly Item[]; readonly ttlMs: number | undefined }
  /** The name, or this kind of record, does not exist. */
  | { readonly result: 'none' }
  /** Nobody knows: no answer in time, or the server's own failure. `code` is one of c-ares: `ETIMEOUT`, `ESERVFAIL`. */
  | { readonly result: 'failed'; readonly code: string }

export type Family = 'ipv4' | 'ipv6'

export interface Service {
  /** Without a dot at the end. */
  readonly target: string
  readonly port: number
  readonly priority: number
  readonly weight: number
}

const noData: ReadonlySet<string> = new Set(['ENODATA', 'ENOTFOUND'])
const nameLengthMax = 253

export class DnsAnswers {
  readonly #resolver: Resolver

  constructor({ servers, timeoutMs = 2_000, tries = 2 }: DnsOptions = {}) {
    this.#resolver = new Resolver({ timeout: timeoutMs, tries, maxTimeout: timeoutMs })
    if (servers !== undefined) this.#resolver.setServers(servers)
  }

  /** Never rejects. */
  addresses(name: string, family: Family): Promise<Answer<string>> {
    return answered(async () => {
      const options = { ttl: true } as const
      const records = await (family === 'ipv4'
        ? this.#resolver.resolve4(name, options)
        : this.#resolver.resolve6(name, options))
      const ttlMs = records.reduce((least, { ttl }) => Math.min(least, ttl * 1_000), Number.POSITIVE_INFINITY)
      return { items: records.map(({ address }) => address), ttlMs }
    })
  }

  /** Never rejects. Node does not show the TTL of these. A target of `.` means: no such service (RFC 2782). */
  services(name: string): Promise<Answer<Service>> {
    return answered(async () => {
      const records = await this.#resolver.resolveSrv(name)
      const items = records.flatMap(({ name: target, port, priority, weight }) =>
        target === '' || target.length > nameLengthMax || port === 0
          ? []
          : [{ target, port, priority, weight }],
      )
      return { items, ttlMs: undefined }
    })
  }

  /** Questions under way end as `failed`. */
  cancel(): void {
    this.#resolver.cancel()
  }
}

async function answered<Item>(
  ask: () => Promise<{ readonly items: readonly Item[]; readonly ttlMs: number | undefined }>,
): Promise<Answer<Item>> {
  try {
    const { items, ttlMs } = await ask()
    return items.length === 0 ? { result: 'none' } : { result: 'found', items, ttlMs }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'EUNKNOWN'
    return noData.has(code) ? { result: 'none' } : { result: 'failed', code }
  }
}
