import { readFileSync } from 'node:fs'
import type { Config } from '../config/load.ts'
import type { IssuerConfig } from '../config/schema/gateway.ts'
import { createIdentity, type Identity } from '../identity/identity.ts'
import { parseKeySet } from '../identity/key-set.ts'
import type { VerifyWithLibrary } from '../identity/library.ts'
import { noRevocations, parseRevocations, type Revocable, type Revocations } from '../identity/revocation.ts'
import type { Events } from '../telemetry/events.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { naming } from './file-refused.ts'
import { type OpenedIssuer, openIssuer } from './issuers.ts'

interface Built {
  readonly madeFrom: string
  readonly identity: Identity
  close(): Promise<void>
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
    const built = this.#build(issuers, madeFrom)
    // New issuers are waited for: their first callers should find their keys.
    await built.identity.refresh()
    return {
      identity: built.identity,
      takeOver: () => {
        this.#built = built
        return async () => before?.close()
      },
      discard: () => built.close(),
    }
  }

  /** Reads the key files again and asks for the other keys in the background: a slow issuer must not hold up a reload. */
  renewKeys(): void {
    void this.#built?.identity.refresh()
  }

  async close(): Promise<void> {
    await this.#built?.close()
  }

  #build(issuers: readonly IssuerConfig[], madeFrom: string): Built {
    const opened = issuers.map(openIssuer)
    const identity = createIdentity({
      issuers: opened.map(({ options }) => options),
      verifyWithLibrary: this.#verifyWithLibrary(),
      revocations: () => this.revocations,
      onKeysRefresh: (issuer, result, fault) => {
        this.#metrics.keysRefreshed(issuer, result)
        if (result === 'changed') this.#events.keysReloaded(issuer)
        if (result === 'failed') this.#events.keysUnavailable(issuer, fault)
      },
    })
    return { madeFrom, identity, close: () => closeAll(identity, opened) }
  }
}

const either = (one: Revocations, other: Revocations): Revocations => ({
  size: one.size,
  covers: (principal: Revocable) => one.covers(principal) ?? other.covers(principal),
})

async function closeAll(identity: Identity, issuers: readonly OpenedIssuer[]): Promise<void> {
  await identity.close()
  await Promise.all(issuers.map((issuer) => issuer.close()))
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
