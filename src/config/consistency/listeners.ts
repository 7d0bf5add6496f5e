import { BlockList, isIP } from 'node:net'
import { error, type Finding, type Path, warning } from '../problem.ts'
import type { GatewayConfig } from '../schema/gateway.ts'

const privateAddresses = new BlockList()
for (const [address, prefix] of [
  ['127.0.0.0', 8],
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['169.254.0.0', 16],
] as const) {
  privateAddresses.addSubnet(address, prefix, 'ipv4')
}
for (const [address, prefix] of [
  ['::1', 128],
  ['fc00::', 7],
  ['fe80::', 10],
] as const) {
  privateAddresses.addSubnet(address, prefix, 'ipv6')
}

const everyAddress = new Set(['0.0.0.0', '::'])

/** Ports, addresses and times that contradict each other. */
export const listenerFindings = (gateway: GatewayConfig): Finding[] => [
  ...ports(gateway),
  ...tls(gateway),
  ...order(gateway),
]

function ports({ traffic, probes, ops }: GatewayConfig): Finding[] {
  const findings: Finding[] = []
  if (collide(traffic, probes))
    findings.push(
      error('gateway', ['probes', 'port'], 'is the port of traffic too; probes need one of their own'),
    )
  for (const [name, other] of Object.entries({ traffic, probes }))
    if (collide(other, ops))
      findings.push(
        error('gateway', ['ops', 'port'], `is the port of ${name} too; operators need one of their own`),
      )
  if (!isPrivate(probes.host)) {
    findings.push(
      warning(
        'gateway',
        ['probes', 'host'],
        'may be reached from outside: probes and metrics ask nobody who they are',
      ),
    )
  }
  return findings
}

interface Address {
  readonly host: string
  readonly port: number
}

const collide = (one: Address, other: Address): boolean =>
  one.port === other.port &&
  (one.host === other.host || everyAddress.has(one.host) || everyAddress.has(other.host))

function isPrivate(host: string): boolean {
  if (host === 'localhost') return true
  const family = isIP(host)
  return family !== 0 && privateAddresses.check(host, family === 4 ? 'ipv4' : 'ipv6')
}

type ListenerTls = GatewayConfig['traffic']['tls']

const tls = ({ traffic, ops }: GatewayConfig): Finding[] =>
  [
    { tls: traffic.tls, at: ['traffic', 'tls'] },
    ...(ops.tls ? [{ tls: ops.tls, at: ['ops', 'tls'] }] : []),
  ].flatMap(({ tls, at }) => [...authorities(tls, at), ...tickets(tls, at)])

function authorities({ spiffe, clientCa }: ListenerTls, tls: Path): Finding[] {
  const at: Path = [...tls, 'clientCa']
  if (spiffe === undefined && clientCa === undefined) {
    return [error('gateway', at, 'is missing: without it, or spiffe, no caller could be believed')]
  }
  return spiffe && clientCa !== undefined
    ? [warning('gateway', at, 'is not used: spiffe.trustDomains names the authorities')]
    : []
}

function tickets({ sessionTickets, crl }: ListenerTls, tls: Path): Finding[] {
  const at: Path = [...tls, 'sessionTickets']
  if (!sessionTickets) return []
  return crl
    ? [
        error(
          'gateway',
          at,
          'cannot be true while crl is given: a resumed session is not checked against the list',
        ),
      ]
    : [warning('gateway', at, 'lets a stolen ticket in without the key of its certificate')]
}

/** Pairs of fields of which the first must not be greater than the second. */
function order({ traffic: { bounds, stream }, drain }: GatewayConfig): Finding[] {
  const inBounds: Path = ['traffic', 'bounds']
  const inStream: Path = ['traffic', 'stream']
  return [
    ...atMost(
      [...inBounds, 'headersTimeoutMs'],
      bounds.headersTimeoutMs,
      'bodyTimeoutMs',
      bounds.bodyTimeoutMs,
    ),
    ...atMost(
      [...inBounds, 'bodyTimeoutMs'],
      bounds.bodyTimeoutMs,
      'stream.totalTimeoutMs',
      stream.totalTimeoutMs,
    ),
    ...atMost([...inBounds, 'json', 'depthMax'], bounds.json.depthMax, 'valuesMax', bounds.json.valuesMax),
    ...atMost(
      [...inStream, 'firstByteTimeoutMs'],
      stream.firstByteTimeoutMs,
      'totalTimeoutMs',
      stream.totalTimeoutMs,
    ),
    ...atMost([...inStream, 'idleTimeoutMs'], stream.idleTimeoutMs, 'totalTimeoutMs', stream.totalTimeoutMs),
    ...atMost(
      [...inStream, 'slowReaderTimeoutMs'],
      stream.slowReaderTimeoutMs,
      'totalTimeoutMs',
      stream.totalTimeoutMs,
    ),
    ...atMost([...inStream, 'eventBytesMax'], stream.eventBytesMax, 'replyBytesMax', stream.replyBytesMax),
    ...(drain.deadlineMs > 0
      ? atMost(['drain', 'delayMs'], drain.delayMs, 'deadlineMs', drain.deadlineMs)
      : []),
  ]
}

const atMost = (path: Path, value: number, otherName: string, other: number): Finding[] =>
  value <= other
    ? []
    : [error('gateway', path, `is ${value}; it must not be above ${otherName}, which is ${other}`)]
