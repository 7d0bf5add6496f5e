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

function ports({ traffic, probes }: GatewayConfig): Finding[] {
  const findings: Finding[] = []
  const overlap =
    traffic.host === probes.host || everyAddress.has(traffic.host) || everyAddress.has(probes.host)
  if (traffic.port === probes.port && overlap) {
    findings.push(
      error('gateway', ['probes', 'port'], 'is the port of traffic too; probes need one of their own'),
    )
  }
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

function isPrivate(host: string): boolean {
  if (host === 'localhost') return true
  const family = isIP(host)
  return family !== 0 && privateAddresses.check(host, family === 4 ? 'ipv4' : 'ipv6')
}

const tls = (gateway: GatewayConfig): Finding[] => [...authorities(gateway), ...tickets(gateway)]

function authorities({ traffic: { tls } }: GatewayConfig): Finding[] {
  const at: Path = ['traffic', 'tls', 'clientCa']
  if (tls.spiffe === undefined && tls.clientCa === undefined) {
    return [error('gateway', at, 'is missing: without it, or spiffe, no caller could be believed')]
  }
  return tls.spiffe && tls.clientCa !== undefined
    ? [warning('gateway', at, 'is not used: spiffe.trustDomains names the authorities')]
    : []
}

const tickets = ({ traffic }: GatewayConfig): Finding[] =>
  traffic.tls.sessionTickets && traffic.tls.crl
    ? [
        error(
          'gateway',
          ['traffic', 'tls', 'sessionTickets'],
          'cannot be true while crl is given: a resumed session is not checked against the list',
        ),
      ]
    : traffic.tls.sessionTickets
      ? [
          warning(
            'gateway',
            ['traffic', 'tls', 'sessionTickets'],
            'lets a stolen ticket in without the key of its certificate',
          ),
        ]
      : []

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
