import type { Config } from '../config/load.ts'

/** Fields that are read once, when the process starts: sockets and the folder of the audit log are not made anew. */
const onceRead: readonly (readonly string[])[] = [
  ['workers'],
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
  ['overload'],
]

/** The fields of gateway.yaml in which a configuration differs from the one that the process started with, and cannot take effect. */
export const needingRestart = (started: Config, next: Config): readonly string[] =>
  onceRead.filter((path) => valueAt(started, path) !== valueAt(next, path)).map((path) => path.join('.'))

/** A configuration with these fields as another process read them when it started. */
export function asStarted({ gateway: started }: Pick<Config, 'gateway'>, config: Config): Config {
  const gateway = onceRead.reduce<unknown>(
    (next, path) => placed(next, path, fieldAt(started, path)),
    config.gateway,
  )
  return { ...config, gateway: gateway as Config['gateway'] }
}

const valueAt = ({ gateway }: Config, path: readonly string[]): string | undefined =>
  JSON.stringify(fieldAt(gateway, path))

type Fields = Readonly<Record<string, unknown>>

const fieldAt = (section: unknown, path: readonly string[]): unknown =>
  path.reduce<unknown>((value, step) => (value as Fields)[step], section)

/** A copy with this value there; `undefined` takes the field away. */
function placed(section: unknown, [step, ...rest]: readonly string[], value: unknown): unknown {
  if (step === undefined) return value
  const { [step]: before, ...others } = section as Fields
  const after = placed(before, rest, value)
  return after === undefined ? others : { ...others, [step]: after }
}
