import { claimAt } from './claim-mapping.ts'
import type { IssuerOptions, KeyOrigin } from './issuer.ts'
import type { JsonObject } from './strict-json.ts'

/** What there is to say about a cluster whose ServiceAccount tokens are accepted. */
export interface KubernetesIssuerOptions {
  readonly name: string
  /** The API server's `--service-account-issuer`. */
  readonly issuer: string
  /** Our own audience, as the pods' projected volumes ask for it; never the API server's. */
  readonly audience: string
  readonly keys: KeyOrigin
  /** `system:serviceaccount:<namespace>:<name>` -> our role. Every other account has no role. */
  readonly roles: Readonly<Record<string, string>>
  /** Billed to this tenant; otherwise the namespace is the tenant. */
  readonly tenant?: string
  readonly tokenLifetimeSecondsMax?: number
}

/**
 * The issuer options for projected ServiceAccount tokens (TokenRequest API). They carry no `typ`, their `aud` is
 * always a list, and they live an hour or as long as the pod asked for. Legacy tokens, which have no `exp` and the
 * issuer `kubernetes/serviceaccount`, are refused: `exp` is always required and that issuer cannot be configured.
 */
export function kubernetesIssuer(options: KubernetesIssuerOptions): IssuerOptions {
  const { name, issuer, audience, keys, roles, tenant, tokenLifetimeSecondsMax } = options
  return {
    name,
    issuer,
    audience,
    audienceMayBeList: true,
    algorithms: ['RS256', 'ES256'],
    keys,
    types: ['JWT'],
    typeMayBeAbsent: true,
    // kube-apiserver extends tokens of an hour to a year for old clients unless told otherwise; that is refused here.
    tokenLifetimeSecondsMax: tokenLifetimeSecondsMax ?? 86_400,
    mapping: {
      tenant: tenant === undefined ? { path: ['kubernetes.io', 'namespace'] } : { fixed: tenant },
      roles: ['sub'],
      roleMap: roles,
    },
    isConsistent: kubernetesIsConsistent,
  }
}

/** Whether the bound claims name the same account as `sub`, whose parts cannot hold a colon. */
export function kubernetesIsConsistent(claims: JsonObject, subject: string): boolean {
  const namespace = claimAt(claims, ['kubernetes.io', 'namespace'])
  const account = claimAt(claims, ['kubernetes.io', 'serviceaccount', 'name'])
  if (typeof namespace !== 'string' || typeof account !== 'string') return false
  return subject === `system:serviceaccount:${namespace}:${account}` && !/:/.test(namespace + account)
}
