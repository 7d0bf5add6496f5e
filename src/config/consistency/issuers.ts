import { error, type Finding, type Path, quote, warning } from '../problem.ts'
import type { GatewayConfig, IssuerConfig } from '../schema/gateway.ts'

/** Issuers must be told apart: the claim `iss` alone decides which keys verify a token. */
export const issuerFindings = ({ identity, ops }: GatewayConfig): Finding[] => [
  ...(ops.issuers ?? []).flatMap((name, index) =>
    identity.issuers.some((issuer) => issuer.name === name)
      ? []
      : [error('gateway', ['ops', 'issuers', index], `${quote(name)} is not the name of an issuer`)],
  ),
  ...repeated(identity.issuers, 'name'),
  ...repeated(identity.issuers, 'issuer'),
  ...identity.issuers.flatMap((issuer, index) => {
    const path: Path = ['identity', 'issuers', index]
    return [...times(path, issuer), ...(issuer.kind === 'kubernetes' ? kubernetes(path, issuer) : [])]
  }),
]

const times = (path: Path, issuer: IssuerConfig): Finding[] =>
  issuer.clockToleranceSeconds * 2 > issuer.tokenLifetimeSecondsMax
    ? [
        warning(
          'gateway',
          [...path, 'clockToleranceSeconds'],
          'is more than half the longest life of a token',
        ),
      ]
    : []

/** What is known of ServiceAccount tokens: another setting would be ignored, and nothing that is ignored may be written. */
function kubernetes(path: Path, issuer: IssuerConfig): Finding[] {
  const { claims, binding } = issuer
  const findings: Finding[] = []
  const refuse = (field: Path, message: string): void => {
    findings.push(error('gateway', [...path, ...field], message))
  }
  for (const field of ['audienceMayBeList', 'typeMayBeAbsent'] as const) {
    if (!issuer[field]) refuse([field], 'must be true for kind: kubernetes, whose tokens have no other form')
  }
  if (claims.roles.join() !== 'sub') refuse(['claims', 'roles'], 'must be [sub] for kind: kubernetes')
  if (claims.roleMap === undefined) {
    refuse(
      ['claims'],
      'needs a roleMap for kind: kubernetes, from system:serviceaccount:<namespace>:<name> to a role',
    )
  }
  if (Array.isArray(claims.tenant) && claims.tenant.join() !== 'kubernetes.io,namespace') {
    refuse(
      ['claims', 'tenant'],
      'must be [kubernetes.io, namespace] or {value: <tenant>} for kind: kubernetes',
    )
  }
  if (claims.scopes !== undefined) refuse(['claims', 'scopes'], 'cannot be given for kind: kubernetes')
  if (binding !== 'none')
    refuse(['binding'], 'must be none for kind: kubernetes: such tokens are never bound')
  return findings
}

function repeated(issuers: GatewayConfig['identity']['issuers'], field: 'name' | 'issuer'): Finding[] {
  const first = new Map<string, number>()
  return issuers.flatMap((issuer, index) => {
    const earlier = first.get(issuer[field])
    if (earlier === undefined) first.set(issuer[field], index)
    return earlier === undefined
      ? []
      : [
          error(
            'gateway',
            ['identity', 'issuers', index, field],
            `${quote(issuer[field])} is the ${field} of issuers[${earlier}] too`,
          ),
        ]
  })
}
