import { readFileSync } from 'node:fs'
import type { Config } from '../config/load.ts'
import type { IssuerConfig } from '../config/schema/gateway.ts'
import { createIdentity, type Identity } from '../identity/identity.ts'
import { parseKeySet } from '../identity/key-set.ts'
import type { RefreshListener } from '../identity/key-source.ts'
import type { VerifyWithLibrary } from '../identity/library.ts'
import { noRevocations, parseRevocations, type Revocable, type Revocations } from '../identity/revocation.ts'
import type { Events } from '../telemetry/events.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { naming } from './file-refused.ts'
import { issuerOptions, type OpenedKeys, openKeys } from './issuers.ts'

interface Built {
  readonly madeFrom: string
  readonly identity: Identity
  readonly keys: readonly OpenedKeys[]
}

/** An identity that is ready and not yet in service. One of the two must be called. */
export interface PreparedIdentity {
  readonly identity: Identity
  /** Puts it into service; returns how to close the one that it replaces. */
  takeOver(): () => Promise<void>
  discard(): Promise<void>
}

/**
 * The identity that is in service, and the revocations that it asks at each use of a token.
 *
 * 1. `prepare` changes nothing of what is in service; only `takeOver` does, and it cannot fail.
 * 2. While a reload is under way, what either of two lists shuts out is shut out; `settleRevocations` ends that.
 * 3. Keys that are fetched outlive a change of anything but where they come from: an issuer that cannot be reached at
 *    that moment must not shut out its callers.
 */
export class Identities {
  readonly #verifyWithLibrary: () => VerifyWithLibrary
  readonly #events: Events
  readonly #metrics: Pick<Metrics, 'keysRefreshed'>
  #built: Built | undefined
  #settled: Revocations = noRevocations
  #newest: Revocations = noRevocations
  #inForce: Revocations = noRevocations

  constructor(
    verifyWithLibrary: () => VerifyWithLibrary,
    { events, metrics }: { readonly events: Events; readonly metrics: Pick<Metrics, 'keysRefreshed'> },
  ) {
    this.#verifyWithLibrary = verifyWithLibrary
    this.#events = events
    this.#metrics = metrics
  }

  /** In service now; absent before the first configuration. */
  get current(): Identity | undefined {
    return this.#built?.identity
  }

  /** Whoever is shut out at this moment. */
  get revocations(): Revocations {
    return this.#inForce
  }

  /** Takes the list that the configuration names into force beside the old one. Throws when it cannot be read. */
  addRevocations({ gateway }: Config): void {
    const { revocations: file } = gateway.identity
    this.#newest =
      file === undefined ? noRevocations : naming(file, () => parseRevocations(readFileSync(file)))
    this.#inForce = either(this.#newest, this.#settled)
  }

  /** From now on only the list that was read last is in force. */
  settleRevocations(): void {
    this.#settled = this.#newest
    this.#inForce = this.#newest
  }

  /** The identity of a configuration: the one in service, with its keys asked again, when the issuers did not change. */
  async prepare({ gateway }: Config): Promise<PreparedIdentity> {
    const { issuers } = gateway.identity
    checkKeyFiles(issuers)
    const madeFrom = fingerprintOf(issuers)
    const before = this.#built
    if (before?.madeFrom === madeFrom) {
      this.renewKeys()
      return { identity: before.identity, takeOver: () => async () => {}, discard: async () => {} }
    }
    const open = before?.keys ?? []
    const built = this.#build(issuers, madeFrom, open)
    // New issuers are waited for: their first callers should find their keys.
    await Promise.all(except(built.keys, open).map(({ source }) => source.refresh()))
    return {
      identity: built.identity,
      takeOver: () => {
        this.#built = built
        for (const { source } of except(built.keys, except(built.keys, open))) void source.refresh()
        return () => closeAll(except(open, built.keys))
      },
      discard: () => closeAll(except(built.keys, open)),
    }
  }

  /** Reads the key files again and asks for the other keys in the background: a slow issuer must not hold up a reload. */
  renewKeys(): void {
    void this.#built?.identity.refresh()
  }

  async close(): Promise<void> {
    await closeAll(this.#built?.keys ?? [])
  }

  #build(issuers: readonly IssuerConfig[], madeFrom: string, open: readonly OpenedKeys[]): Built {
    const keys = issuers.map((issuer) =>
      openKeys(issuer, open, (result, fault) => this.#refreshed(issuer.name, result, fault)),
    )
    const identity = createIdentity({
      issuers: issuers.map((issuer, index) => issuerOptions(issuer, keys[index] as OpenedKeys)),
      verifyWithLibrary: this.#verifyWithLibrary(),
      revocations: () => this.revocations,
    })
    return { madeFrom, identity, keys }
  }

  #refreshed(issuer: string, ...[result, fault]: Parameters<RefreshListener>): void {
    this.#metrics.keysRefreshed(issuer, result)
    if (result === 'changed') this.#events.keysReloaded(issuer)
    if (result === 'failed') this.#events.keysUnavailable(issuer, fault)
  }
}

const either = (one: Revocations, other: Revocations): Revocations => ({
  size: one.size,
  covers: (principal: Revocable) => one.covers(principal) ?? other.covers(principal),
})

const except = (some: readonly OpenedKeys[], others: readonly OpenedKeys[]): OpenedKeys[] =>
  some.filter((each) => !others.includes(each))

async function closeAll(keys: readonly OpenedKeys[]): Promise<void> {
  await Promise.all(keys.map((each) => each.close()))
}

/** A key file that is no good refuses the reload as a whole, as every other file does. */
function checkKeyFiles(issuers: readonly IssuerConfig[]): void {
  for (const { keys } of issuers) {
    if ('file' in keys) naming(keys.file, () => parseKeySet(readFileSync(keys.file)))
  }
}

/** The authorities of a key server are read once, when its fetcher is made: they are part of what it was made from. */
const fingerprintOf = (issuers: readonly IssuerConfig[]): string =>
  JSON.stringify(
    issuers.map((issuer) => [
      issuer,
      'url' in issuer.keys && issuer.keys.ca !== undefined ? readFileSync(issuer.keys.ca, 'latin1') : '',
    ]),
  )
