import type { Config } from '../config/load.ts'

/** Fields that are read once, when the process starts: sockets and the folder of the audit log are not made anew. */
const onceRead: readonly (readonly string[])[] = [
  ['traffic', 'host'],
  ['traffic', 'port'],
  ['traffic', 'serverName'],
  ['traffic', 'tls', 'handshakeTimeoutMs'],
  ['traffic', 'bounds', 'connectionsMax'],
  ['traffic', 'bounds', 'connectionsPerCertificateMax'],
  ['traffic', 'bounds', 'requestsPerConnectionMax'],
  ['traffic', 'bounds', 'headerBytesMax'],
  ['traffic', 'bounds', 'headersTimeoutMs'],
  ['traffic', 'bounds', 'bodyTimeoutMs'],
  ['traffic', 'bounds', 'keepAliveTimeoutMs'],
  ['probes', 'host'],
  ['probes', 'port'],
  ['ops', 'host'],
  ['ops', 'port'],
  ['audit', 'directory'],
  ['audit', 'segmentBytesMax'],
  ['quota'],
]

/** The fields of gateway.yaml in which a configuration differs from the one that the process started with, and cannot take effect. */
export const needingRestart = (started: Config, next: Config): readonly string[] =>
  onceRead.filter((path) => valueAt(started, path) !== valueAt(next, path)).map((path) => path.join('.'))

function valueAt({ gateway }: Config, path: readonly string[]): string | undefined {
  let value: unknown = gateway
  for (const step of path) value = (value as Readonly<Record<string, unknown>>)[step]
  return JSON.stringify(value)
}
