import { readFileSync } from 'node:fs'
import type { IssuerConfig } from '../config/schema/gateway.ts'
import type { IssuerOptions, KeyOrigin } from '../identity/issuer.ts'
import { kubernetesIsConsistent } from '../identity/kubernetes.ts'
import { createKeyFetcher } from '../upstream/key-fetcher.ts'

/** What verifies the tokens of an issuer, and how to close what fetches its keys. */
export interface OpenedIssuer {
  readonly options: IssuerOptions
  close(): Promise<void>
}

/** Configuration of an issuer -> what verifies its tokens. */
export function openIssuer(issuer: IssuerConfig): OpenedIssuer {
  const { origin, close } = openKeys(issuer.keys)
  return { options: issuerOptions(issuer, origin), close }
}

const issuerOptions = (issuer: IssuerConfig, keys: KeyOrigin): IssuerOptions => ({
  name: issuer.name,
  issuer: issuer.issuer,
  audience: issuer.audience,
  audienceMayBeList: issuer.audienceMayBeList,
  algorithms: issuer.algorithms,
  keys,
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

interface OpenedKeys {
  readonly origin: KeyOrigin
  close(): Promise<void>
}

function openKeys(keys: IssuerConfig['keys']): OpenedKeys {
  if ('file' in keys) {
    return { origin: { kind: 'file', read: () => readFileSync(keys.file) }, close: async () => {} }
  }
  const fetcher = createKeyFetcher(keys.ca === undefined ? {} : { ca: readFileSync(keys.ca) })
  return { origin: { kind: 'url', url: keys.url, fetcher }, close: () => fetcher.close() }
}
