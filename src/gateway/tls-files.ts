import { readFileSync } from 'node:fs'
import type { GatewayConfig, TrafficConfig } from '../config/schema/gateway.ts'
import { loadTlsMaterial, type TlsMaterial } from '../identity/tls-material.ts'
import { naming } from './file-refused.ts'
import { readKeyFile } from './key-file.ts'

/** Reads and checks the TLS files of the traffic listener as one. Throws `FileRefused` with every problem. */
export function readTlsMaterial({ tls }: TrafficConfig, now: number): TlsMaterial {
  return naming('traffic.tls', () => readMaterial(tls, now))
}

/** What the two listeners that ask for certificates are opened with. */
export interface ListenerMaterial {
  readonly traffic: TlsMaterial
  /** The very same where the operators' listener has no files of its own. */
  readonly ops: TlsMaterial
}

/** Reads and checks the TLS files of both listeners. Throws `FileRefused` with every problem of one of them. */
export function readListenerMaterial(
  { traffic, ops }: Pick<GatewayConfig, 'traffic' | 'ops'>,
  now: number,
): ListenerMaterial {
  const material = readTlsMaterial(traffic, now)
  const { tls } = ops
  return {
    traffic: material,
    ops: tls === undefined ? material : naming('ops.tls', () => readMaterial(tls, now)),
  }
}

function readMaterial(tls: TrafficConfig['tls'], now: number): TlsMaterial {
  const domains = tls.spiffe?.trustDomains
  return loadTlsMaterial(
    {
      certificate: readFileSync(tls.certificate),
      key: readKeyFile(tls.key),
      clientCa: domains || tls.clientCa === undefined ? undefined : readFileSync(tls.clientCa),
      crl: tls.crl?.map((file) => readFileSync(file)),
      trustDomains:
        domains && new Map(Object.entries(domains).map(([domain, file]) => [domain, readFileSync(file)])),
    },
    {
      minVersion: tls.minVersion,
      sessionTickets: tls.sessionTickets,
      chainDepthMax: tls.chainDepthMax,
      now,
    },
  )
}
