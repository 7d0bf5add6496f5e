import { claimAt } from './claim-mapping.ts'
import type { JsonObject } from './strict-json.ts'

/**
 * Projected ServiceAccount tokens (TokenRequest API): whether the bound claims name the same account as `sub`, whose
 * parts cannot hold a colon. Legacy tokens, which have no `exp` and the issuer `kubernetes/serviceaccount`, never come
 * this far: `exp` is always required and that issuer cannot be configured.
 */
export function kubernetesIsConsistent(claims: JsonObject, subject: string): boolean {
  const namespace = claimAt(claims, ['kubernetes.io', 'namespace'])
  const account = claimAt(claims, ['kubernetes.io', 'serviceaccount', 'name'])
  if (typeof namespace !== 'string' || typeof account !== 'string') return false
  return subject === `system:serviceaccount:${namespace}:${account}` && !/:/.test(namespace + account)
}
