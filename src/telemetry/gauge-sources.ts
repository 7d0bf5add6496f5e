import type { Instruments } from './instruments.ts'
import type { CertificateRole } from './metrics.ts'
import { type PoolState, showPool } from './pool-metrics.ts'

/** State that is read at each scrape instead of being counted along. Each part is asked only when it is there. */
export interface GaugeSources {
  readonly audit?: {
    readonly healthy: boolean
    readonly queued: number
    readonly head: { readonly seq: number }
  }
  readonly quota?: {
    readonly size: { readonly buckets: number; readonly leases: number }
    readonly health: { readonly available: boolean; readonly replicas: number; readonly backlog: number }
  }
  /** Certificates in use; `notAfter` in milliseconds since the epoch. */
  certificates?(): Iterable<{ readonly role: CertificateRole; readonly notAfter: number }>
  keySets?(): Iterable<{ readonly issuer: string; readonly ageMs: number }>
  pools?(): Iterable<PoolState>
}

/** Sets the gauges from the state that these parts have now. */
export function readGauges(sources: GaugeSources, to: Pick<Instruments, 'set'>): void {
  const { audit, quota } = sources
  if (audit) {
    to.set('sallyport_audit_healthy', {}, audit.healthy ? 1 : 0)
    to.set('sallyport_audit_queue_depth', {}, audit.queued)
    to.set('sallyport_audit_last_seq', {}, audit.head.seq)
  }
  if (quota) {
    to.set('sallyport_quota_buckets', {}, quota.size.buckets)
    to.set('sallyport_quota_leases', {}, quota.size.leases)
    to.set('sallyport_quota_store_available', {}, quota.health.available ? 1 : 0)
    to.set('sallyport_quota_replicas', {}, quota.health.replicas)
    to.set('sallyport_quota_settlements_waiting', {}, quota.health.backlog)
  }
  // Of several certificates in one role the one that expires last is read first, so the earliest expiry stays.
  const certificates = [...(sources.certificates?.() ?? [])].sort((a, b) => b.notAfter - a.notAfter)
  for (const { role, notAfter } of certificates) {
    to.set('sallyport_tls_certificate_not_after_seconds', { role }, notAfter / 1000)
  }
  for (const state of sources.pools?.() ?? []) showPool(state, to)
  for (const { issuer, ageMs } of sources.keySets?.() ?? []) {
    to.set('sallyport_jwks_age_seconds', { issuer }, ageMs / 1000)
  }
}
