import { readFileSync } from 'node:fs'
import type { IssuerConfig } from '../config/schema/gateway.ts'
import type { IssuerOptions, KeyOrigin } from '../identity/issuer.ts'
import { kubernetesIsConsistent } from '../identity/kubernetes.ts'
import { createKeyFetcher } from '../upstream/key-fetcher.ts'

/** Configuration of an issuer -> what verifies its tokens. */
export const issuerOptions = (issuer: IssuerConfig): IssuerOptions => ({
  name: issuer.name,
  issuer: issuer.issuer,
  audience: issuer.audience,
  audienceMayBeList: issuer.audienceMayBeList,
  algorithms: issuer.algorithms,
  keys: keyOrigin(issuer.keys),
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

function keyOrigin(keys: IssuerConfig['keys']): KeyOrigin {
  if ('file' in keys) return { kind: 'file', read: () => readFileSync(keys.file) }
  const fetcher = createKeyFetcher(keys.ca === undefined ? {} : { ca: readFileSync(keys.ca) })
  return { kind: 'url', url: keys.url, fetcher }
}
