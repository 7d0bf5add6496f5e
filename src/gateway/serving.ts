import type { Config } from '../config/load.ts'
import type { Gateway } from '../exchange/parts.ts'
import type { TlsMaterial } from '../identity/tls-material.ts'
import { Refusal } from '../refusal.ts'
import { Analyzers } from './analyzers.ts'
import type { Identities } from './identities.ts'
import { Pools } from './pools.ts'
import { learnNames, type Telemetry } from './telemetry.ts'
import { type ListenerMaterial, readListenerMaterial } from './tls-files.ts'
import { buildVersion, type Foundation } from './version.ts'

export interface ServingParts {
  readonly foundation: Foundation
  readonly telemetry: Telemetry
  readonly identities: Identities
  /** What the listeners were opened with. */
  readonly material: ListenerMaterial
  readonly config: Config
  /** Gives a listener new material; on a throw the old stays. */
  swapTls(listener: keyof ListenerMaterial, material: TlsMaterial): void
}

/**
 * What serves: one configuration, and everything that was made from it and from the files that it names.
 *
 * 1. `apply` is all or nothing: whatever can fail comes before the first change. Revocations are the exception: they
 *    shut out at once, and nobody is let in again before the rest has succeeded.
 * 2. An exchange keeps the version that it began with; what only that version used is closed after its end.
 * 3. While a newer configuration is refused, the files of the one that runs are still followed (`renew`): a slip of
 *    the pen in a policy must neither keep a revoked caller in nor a renewed certificate out.
 */
export class Serving {
  readonly #parts: ServingParts
  readonly #pools: Pools
  readonly #analyzers: Analyzers
  readonly #retiring = new Set<Promise<void>>()
  #material: ListenerMaterial
  #config: Config
  #current: Gateway | undefined

  constructor(parts: ServingParts) {
    this.#parts = parts
    this.#pools = new Pools(parts.foundation)
    this.#analyzers = new Analyzers(parts.foundation)
    this.#material = parts.material
    this.#config = parts.config
  }

  /** The version for exchanges that begin now; absent before the first `apply`. */
  get current(): Gateway | undefined {
    return this.#current
  }

  get config(): Config {
    return this.#config
  }

  get material(): ListenerMaterial {
    return this.#material
  }

  /** Puts a checked configuration into service, whole; throws when it cannot. */
  async apply(config: Config): Promise<void> {
    const { foundation, identities, telemetry } = this.#parts
    this.#shutOut(config)
    const material = this.#readTls(config)
    const prepared = await identities.prepare(config)
    try {
      const routes = this.#pools.prepare(config)
      const service = this.#analyzers.prepare(config)
      const { identity } = prepared
      const made = { identity, upstreams: routes.upstreams, analyzer: service.analyzer }
      const next = buildVersion(config, made, foundation)
      this.#swapTls(material)
      // From here on nothing can fail.
      identities.settleRevocations()
      foundation.limits.configure(config)
      this.#current = next
      this.#config = config
      this.#retire([routes.takeOver(), service.takeOver(), prepared.takeOver()])
    } catch (error) {
      await prepared.discard()
      throw error
    }
    learnNames(telemetry, config)
    telemetry.setLevel(config.gateway.log.level)
    foundation.metrics.configRuns(config.hash)
  }

  /** Reads the files that the running configuration names once more, each by itself. Never throws. */
  renew(): void {
    if (this.#current === undefined) return
    const { events } = this.#parts.foundation
    const attempt = (renewal: () => void, refused: (error: unknown) => void): void => {
      try {
        renewal()
      } catch (error) {
        refused(error)
      }
    }
    attempt(
      () => {
        this.#shutOut(this.#config)
        this.#parts.identities.settleRevocations()
      },
      (error) => events.revocationsRejected(error),
    )
    this.#parts.identities.renewKeys()
    attempt(
      () => this.#swapTls(this.#readTls(this.#config)),
      (error) => events.tlsRejected('traffic', error),
    )
    attempt(
      () => this.#renewPools(),
      (error) => events.upstreamsRejected(error),
    )
    attempt(
      () => this.#renewAnalyzer(),
      (error) => events.recognizerRejected(error),
    )
  }

  /** Call it when no exchange is left. */
  async close(): Promise<void> {
    const { identities } = this.#parts
    await Promise.all([this.#pools.close(), this.#analyzers.close(), identities.close(), ...this.#retiring])
  }

  #shutOut(config: Config): void {
    const { identities, foundation } = this.#parts
    identities.addRevocations(config)
    const { revocations } = identities
    const cut = foundation.lives.cutWhere(
      (principal) => revocations.covers(principal) !== undefined,
      () => new Refusal('token_revoked', 'revoked while running'),
    )
    if (cut > 0) foundation.events.revocationsReloaded(revocations.size, cut)
  }

  #readTls({ gateway }: Config): ListenerMaterial {
    return readListenerMaterial(gateway, this.#parts.foundation.clock.now())
  }

  #swapTls(next: ListenerMaterial): void {
    this.#swapListener('traffic', next)
    if (next.ops !== next.traffic) this.#swapListener('ops', next)
    else if (next.ops.hash !== this.#material.ops.hash) this.#swapQuietly(next)
  }

  #swapListener(listener: keyof ListenerMaterial, next: ListenerMaterial): void {
    const { events } = this.#parts.foundation
    const material = next[listener]
    const isNew = material.hash !== this.#material[listener].hash
    if (isNew || this.#current === undefined) {
      for (const { source, message } of material.warnings) events.tlsWarning(listener, source, message)
    }
    if (!isNew) return
    this.#parts.swapTls(listener, material)
    this.#material = { ...this.#material, [listener]: material }
    events.tlsReloaded(listener, material.certificate.fingerprint, material.certificate.notAfter)
  }

  /** The files are those of traffic: what there is to say of them has been said. */
  #swapQuietly({ ops }: ListenerMaterial): void {
    this.#parts.swapTls('ops', ops)
    this.#material = { ...this.#material, ops }
  }

  #renewPools(): void {
    const routes = this.#pools.prepare(this.#config)
    this.#current = Object.freeze({ ...(this.#current as Gateway), upstreams: routes.upstreams })
    this.#retire([routes.takeOver()])
  }

  #renewAnalyzer(): void {
    const { analyzer, takeOver } = this.#analyzers.prepare(this.#config)
    this.#current = Object.freeze({ ...(this.#current as Gateway), analyzer })
    this.#retire([takeOver()])
  }

  /** Closes what was replaced once the exchanges that may still use it have ended. */
  #retire(closers: readonly (() => Promise<void>)[]): void {
    const retired = this.#parts.foundation.lives
      .ended()
      .then(() => Promise.all(closers.map((close) => close())))
      .then(() => {
        this.#retiring.delete(retired)
      })
    this.#retiring.add(retired)
  }
}
