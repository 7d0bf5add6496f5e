import { readFileSync } from 'node:fs'
import type { Config } from '../config/load.ts'
import { createIdentity, type Identity } from '../identity/identity.ts'
import type { VerifyWithLibrary } from '../identity/library.ts'
import { noRevocations, parseRevocations, type Revocations } from '../identity/revocation.ts'
import type { Events } from '../telemetry/events.ts'
import { issuerOptions } from './issuers.ts'

interface Built {
  readonly madeFrom: string
  readonly identity: Identity
}

/** The identity that is in service, and the revocation list that it asks at each use of a token. */
export class Identities {
  readonly #verifyWithLibrary: () => VerifyWithLibrary
  readonly #events: Events
  #built: Built | undefined
  #revocations: Revocations = noRevocations

  constructor(verifyWithLibrary: () => VerifyWithLibrary, events: Events) {
    this.#verifyWithLibrary = verifyWithLibrary
    this.#events = events
  }

  /** In service now; absent before the first configuration. */
  get current(): Identity | undefined {
    return this.#built?.identity
  }

  /** Takes the list that the configuration names. Throws when it cannot be read, and keeps the old one. */
  loadRevocations({ gateway }: Config): Revocations {
    const { revocations } = gateway.identity
    this.#revocations =
      revocations === undefined ? noRevocations : parseRevocations(readFileSync(revocations))
    return this.#revocations
  }

  /** The identity of a configuration; the one in service, with its keys asked again, when the issuers did not change. */
  async build({ gateway }: Config): Promise<Identity> {
    const { issuers } = gateway.identity
    const madeFrom = JSON.stringify(issuers)
    if (this.#built?.madeFrom === madeFrom) {
      await this.#built.identity.refresh()
      return this.#built.identity
    }
    const identity = createIdentity({
      issuers: issuers.map(issuerOptions),
      verifyWithLibrary: this.#verifyWithLibrary(),
      revocations: () => this.#revocations,
      onKeysRefresh: (issuer, result, fault) => {
        if (result === 'changed') this.#events.keysReloaded(issuer)
        if (result === 'failed') this.#events.keysUnavailable(issuer, fault)
      },
    })
    await identity.refresh()
    const replaced = this.#built
    this.#built = { madeFrom, identity }
    await replaced?.identity.close()
    return identity
  }

  async close(): Promise<void> {
    await this.#built?.identity.close()
  }
}
