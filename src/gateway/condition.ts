import type { TlsMaterial } from '../identity/tls-material.ts'
import type { ReadyState } from '../telemetry/probes.ts'
import type { ListenerMaterial } from './tls-files.ts'

export interface Condition {
  readonly now: number
  /** Hash of the policy that serves. */
  readonly policy: string | undefined
  readonly material: ListenerMaterial
  /** Seconds since the keys of each issuer were last confirmed. */
  readonly ages: ReadonlyMap<string, number | undefined> | undefined
  readonly auditHealthy: boolean
  readonly quota: ReadyState['quota']
  readonly draining: boolean
}

/** What readiness is judged by. */
export const readyStateOf = ({ material, ages, policy, ...condition }: Condition): ReadyState => ({
  ...condition,
  config: policy,
  certificates: rolesOf(material).map(([role, { certificate }]) => ({
    role,
    notBefore: certificate.notBefore,
    notAfter: certificate.notAfter,
  })),
  issuers: keySetsOf(ages).map(({ issuer, ageMs }) => ({ issuer, keys: Number.isNaN(ageMs) ? 0 : 1 })),
})

/** Certificates of the listeners with their authorities, for metrics. */
export const certificatesOf = (material: ListenerMaterial) =>
  rolesOf(material).flatMap(([role, { certificate, authorities, crlNextUpdateFirst }]) => [
    { role, notAfter: certificate.notAfter },
    { role: `${role}_ca` as const, notAfter: Math.min(...authorities.map(({ notAfter }) => notAfter)) },
    ...(role === 'traffic' && crlNextUpdateFirst
      ? [{ role: 'traffic_crl' as const, notAfter: crlNextUpdateFirst }]
      : []),
  ])

export const keySetsOf = (ages: Condition['ages'] = new Map()) =>
  [...ages].map(([issuer, seconds]) => ({ issuer, ageMs: (seconds ?? Number.NaN) * 1000 }))

/** The operators' listener is one of its own only where it has files of its own. */
const rolesOf = ({
  traffic,
  ops,
}: ListenerMaterial): readonly (readonly ['traffic' | 'ops', TlsMaterial])[] =>
  ops === traffic
    ? [['traffic', traffic]]
    : [
        ['traffic', traffic],
        ['ops', ops],
      ]
