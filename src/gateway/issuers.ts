import { readFileSync } from 'node:fs'
import { systemClock } from '../clock.ts'
import type { IssuerConfig } from '../config/schema/gateway.ts'
import { createKeySource, type IssuerOptions } from '../identity/issuer.ts'
import type { KeySource, RefreshListener } from '../identity/key-source.ts'
import { kubernetesIsConsistent } from '../identity/kubernetes.ts'
import { createKeyFetcher } from '../upstream/key-fetcher.ts'

/** Where the keys of an issuer come from, open. */
export interface OpenedKeys {
  /** Keys that are made from the same are the same. */
  readonly madeFrom: string
  readonly source: KeySource
  close(): Promise<void>
}

/** Opens the keys of an issuer; those that are fetched are taken from `open` where they did not change. */
export function openKeys(
  { name, keys }: IssuerConfig,
  open: readonly OpenedKeys[],
  onRefresh: RefreshListener,
): OpenedKeys {
  const surroundings = { clock: systemClock, onRefresh }
  if ('file' in keys) {
    const source = createKeySource({ kind: 'file', read: () => readFileSync(keys.file) }, surroundings)
    return { madeFrom: '', source, close: () => source.close() }
  }
  const ca = keys.ca === undefined ? undefined : readFileSync(keys.ca)
  // The authorities of a key server are read once, when its fetcher is made.
  const madeFrom = JSON.stringify([name, keys, ca?.toString('latin1')])
  const same = open.find((opened) => opened.madeFrom === madeFrom)
  if (same) return same
  const fetcher = createKeyFetcher(ca === undefined ? {} : { ca })
  const source = createKeySource({ kind: 'url', url: keys.url, fetcher }, surroundings)
  return {
    madeFrom,
    source,
    close: async () => {
      await source.close()
      await fetcher.close()
    },
  }
}

/** Configuration of an issuer -> what verifies its tokens. Who closes the verifier does not close the keys. */
export const issuerOptions = (issuer: IssuerConfig, { source }: OpenedKeys): IssuerOptions => ({
  name: issuer.name,
  issuer: issuer.issuer,
  audience: issuer.audience,
  audienceMayBeList: issuer.audienceMayBeList,
  algorithms: issuer.algorithms,
  keys: { kind: 'ready', source: keptOpen(source) },
  types: issuer.types,
  typeMayBeAbsent: issuer.typeMayBeAbsent,
  tokenLifetimeSecondsMax: issuer.tokenLifetimeSecondsMax,
  clockSkewSeconds: issuer.clockToleranceSeconds,
  binding: issuer.binding,
  mapping: {
    tenant:
      'value' in issuer.claims.tenant
        ? { fixed: issuer.claims.tenant.value }
        : { path: issuer.claims.tenant },
    roles: issuer.claims.roles,
    ...(issuer.claims.scopes ? { scopes: issuer.claims.scopes } : {}),
    ...(issuer.claims.roleMap ? { roleMap: issuer.claims.roleMap } : {}),
  },
  ...(issuer.kind === 'kubernetes' ? { isConsistent: kubernetesIsConsistent } : {}),
})

/** Keys outlive the verifier that a change of configuration replaces. */
const keptOpen = (source: KeySource): KeySource => ({
  get current() {
    return source.current
  },
  get ageSeconds() {
    return source.ageSeconds
  },
  find: (kid) => source.find(kid),
  refresh: () => source.refresh(),
  close: async () => {},
})
