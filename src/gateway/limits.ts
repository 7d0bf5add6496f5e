/**
 * The limits in force: those of the configuration, operators' quotas over them, overrides over both.
 *
 * 1. Who asks for limits never waits for the store: what was read last stays in force while it cannot be read.
 * 2. A document that cannot be read changes nothing: the last good one of its name stays; where there was none, the
 *    configuration counts. One that does not fit the configuration counts for nothing while it does not fit.
 * 3. An override ends when it expires by the clock of this process, whether or not the store is there.
 * 4. One reading at a time; whatever is told during one leads to one more. No older reading follows a newer one.
 * 5. After `close` nothing is read any more and no timer is left.
 */
import type { Clock } from '../clock.ts'
import type { Config } from '../config/load.ts'
import type { Principal } from '../identity/principal.ts'
import {
  overridePrefix,
  quotaPrefix,
  readOverride,
  readQuota,
  type StoredOverride,
  type StoredQuota,
} from '../ops/documents.ts'
import {
  configuredRules,
  limitsByName,
  type NamedLimit,
  overrideFault,
  quotaFault,
} from '../ops/limit-rules.ts'
import type { Limit } from '../policy/limit.ts'
import { LimitBook } from '../policy/limit-book.ts'
import type { QuotaStore, StoredDocument } from '../quota/store.ts'
import type { Events } from '../telemetry/events.ts'
import { documentShapes } from './ops-shapes.ts'

export interface LimitsParts {
  readonly store: Pick<QuotaStore, 'documents'>
  readonly clock: Clock
  readonly events: Pick<Events, 'limitDocumentRejected' | 'limitsUnreadable'>
  /** Told of the names of all limits, at each change. */
  readonly learn?: (names: readonly string[]) => void
}

/** How soon a store that could not be read is asked again. */
const retryMs = 1_000
/** An override that ended is kept for so long: clocks of gateways differ, and whoever asks why should find it. */
const keptAfterExpiryMs = 86_400_000
/** Longest that a timer can sleep. */
const sleepMsMax = 2_147_483_647

/** Limits of a process, over all its configurations. */
export class Limits {
  readonly #parts: LimitsParts
  readonly #stop = new AbortController()
  readonly #watches: Disposable[] = []
  #policies: Pick<Config['policies'], 'roles' | 'limits' | 'organizations'> = { roles: {} }
  /** Undefined before the first configuration: until then nothing can be said of a document. */
  #configured: ReadonlyMap<string, NamedLimit> | undefined
  #quotas: ReadonlyMap<string, StoredQuota> = new Map()
  #overrides: ReadonlyMap<string, StoredOverride> = new Map()
  #all: ReadonlyMap<string, NamedLimit> = new Map()
  #book = new LimitBook({ roles: {}, limits: {} })
  #expiry = new AbortController()
  #last: Promise<void> = Promise.resolve()
  #next: Promise<void> | undefined
  /** Documents that were complained of, by name and version. */
  readonly #rejected = new Map<string, number>()

  constructor(parts: LimitsParts) {
    this.#parts = parts
  }

  /** Reads what operators have set and follows it from now on. Never rejects: a store that is away is asked again. */
  async start(): Promise<void> {
    const { documents } = this.#parts.store
    for (const prefix of [quotaPrefix, overridePrefix])
      this.#watches.push(documents.watch(prefix, () => void this.refresh()))
    await this.refresh()
  }

  /** Takes the limits of a checked configuration into force. Cannot fail. */
  configure({
    policies,
  }: {
    readonly policies: Pick<Config['policies'], 'roles' | 'limits' | 'organizations'>
  }): void {
    this.#policies = policies
    this.#configured = configuredRules(policies)
    this.#rebuild()
  }

  get book(): LimitBook {
    return this.#book
  }

  /** Every limit in force by name. */
  get all(): ReadonlyMap<string, NamedLimit> {
    return this.#all
  }

  /** What the configuration says, by name. */
  get configured(): ReadonlyMap<string, NamedLimit> {
    return this.#configured ?? new Map()
  }

  /** Names of the roles of the configuration, with what they grant. */
  get roles(): Config['policies']['roles'] {
    return this.#policies.roles
  }

  /** Overrides that have not expired, by id; those that win come first. */
  get overrides(): ReadonlyMap<string, StoredOverride> {
    const now = this.#parts.clock.now()
    const living = [...this.#overrides].filter(([, { expiresAt }]) => expiresAt > now)
    return new Map(living.sort(([, a], [, b]) => byPrecedence(a, b)))
  }

  limitsFor(principal: Pick<Principal, 'id' | 'tenant' | 'roles'>, model?: string): readonly Limit[] {
    return this.#book.limitsFor(principal, model)
  }

  /** Resolves when everything that was in the store at the call is in force, or could not be read. Never rejects. */
  refresh(): Promise<void> {
    this.#next ??= this.#last.then(() => {
      this.#next = undefined
      return this.#read()
    })
    this.#last = this.#next
    return this.#next
  }

  async close(): Promise<void> {
    this.#stop.abort()
    this.#expiry.abort()
    for (const watch of this.#watches) watch[Symbol.dispose]()
    await this.#last
  }

  async #read(): Promise<void> {
    if (this.#stop.signal.aborted) return
    const { store, events, clock } = this.#parts
    try {
      const quotas = await store.documents.list(quotaPrefix)
      const overrides = await store.documents.list(overridePrefix)
      if (this.#stop.signal.aborted) return
      this.#quotas = this.#readable(quotas, { prefix: quotaPrefix, before: this.#quotas, read: readQuota })
      const last = { prefix: overridePrefix, before: this.#overrides, read: readOverride }
      this.#overrides = this.#readable(overrides, last)
    } catch (error) {
      if (this.#stop.signal.aborted) return
      events.limitsUnreadable(error)
      void clock.sleep(retryMs, this.#stop.signal).then(
        () => this.refresh(),
        () => {},
      )
      return
    }
    this.#rebuild()
    await this.#forgetExpired()
  }

  /** The good ones of these documents, and the last good version of the others. */
  #readable<Read>(
    found: ReadonlyMap<string, StoredDocument>,
    { prefix, before, read }: Reading<Read>,
  ): ReadonlyMap<string, Read> {
    const readable = new Map<string, Read>()
    for (const [path, document] of found) {
      const name = path.slice(prefix.length)
      try {
        const value = read(document, name, documentShapes)
        if (value !== undefined) readable.set(name, value)
      } catch (error) {
        const old = before.get(name)
        if (old !== undefined) readable.set(name, old)
        this.#reject(path, document.version, error instanceof Error ? error.message : 'unknown failure')
      }
    }
    return readable
  }

  /** Once for each version of a document. */
  #reject(path: string, version: number, fault: string): void {
    if (this.#rejected.get(path) === version) return
    if (this.#rejected.size >= rejectedMax) this.#rejected.clear()
    this.#rejected.set(path, version)
    this.#parts.events.limitDocumentRejected(path, fault)
  }

  #rebuild(): void {
    if (this.#configured === undefined) return
    const { roles, limits = {}, organizations = {} } = this.#policies
    const quotas = this.#fittingQuotas()
    this.#all = limitsByName(this.#configured, quotas)
    const overrides = this.#fittingOverrides()
    this.#book = new LimitBook({
      roles: Object.fromEntries(Object.entries(roles).map(([name, role]) => [name, role.limits])),
      limits,
      quotas: Object.fromEntries([...quotas].map(([name, { rule }]) => [name, rule])),
      overrides,
      organizations: Object.fromEntries(
        Object.entries(organizations).flatMap(([organization, tenants]) =>
          tenants.map((tenant) => [tenant, organization]),
        ),
      ),
    })
    this.#parts.learn?.(this.#book.names)
    this.#rebuildAt(Math.min(...overrides.map(({ expiresAt }) => expiresAt)))
  }

  #fittingQuotas(): ReadonlyMap<string, StoredQuota> {
    const { roles } = this.#policies
    return new Map(
      [...this.#quotas].filter(([name, { rule, version }]) => {
        const fault = quotaFault(name, rule, { roles })
        if (fault !== undefined)
          this.#reject(`${quotaPrefix}${name}`, version, `${fault.field} ${fault.message}`)
        return fault === undefined
      }),
    )
  }

  #fittingOverrides(): readonly StoredOverride[] {
    return [...this.overrides.values()].filter((override) => {
      const rule = this.#all.get(override.limit)?.rule
      const fault = rule === undefined ? noSuchLimit : overrideFault(rule, override)
      if (fault !== undefined)
        this.#reject(`${overridePrefix}${override.id}`, override.version, `${fault.field} ${fault.message}`)
      return fault === undefined
    })
  }

  /** The one timer of this object. */
  #rebuildAt(time: number): void {
    this.#expiry.abort()
    if (!Number.isFinite(time) || this.#stop.signal.aborted) return
    this.#expiry = new AbortController()
    const { clock } = this.#parts
    const ms = Math.min(Math.max(time - clock.now(), 1), sleepMsMax)
    clock.sleep(ms, this.#expiry.signal).then(
      () => this.#rebuild(),
      () => {},
    )
  }

  /** Every replica does it, the version makes sure that each goes once. Best effort: the next reading tries again. */
  async #forgetExpired(): Promise<void> {
    const { store, clock } = this.#parts
    const until = clock.now() - keptAfterExpiryMs
    for (const [id, { expiresAt, version }] of this.#overrides)
      if (expiresAt < until)
        await store.documents.delete(`${overridePrefix}${id}`, version).catch(() => false)
  }
}

interface Reading<Read> {
  readonly prefix: string
  readonly before: ReadonlyMap<string, Read>
  readonly read: (document: StoredDocument, name: string, shapes: typeof documentShapes) => Read | undefined
}

/** Complaints that are remembered; then all are forgotten. */
const rejectedMax = 10_000
const noSuchLimit = { field: 'limit', message: 'is not the name of a limit' }

/** Of several overrides of a bucket the one that says most about it wins; of equals, the newest. */
const byPrecedence = (a: StoredOverride, b: StoredOverride): number =>
  Object.keys(b.match).length - Object.keys(a.match).length || b.createdAt - a.createdAt
