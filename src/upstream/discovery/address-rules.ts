import { BlockList, isIP } from 'node:net'

/**
 * Which addresses a name may lead to. Answers of DNS are not authenticated, and whoever controls the zone, or a cache on
 * the way, could point a pool at the cloud's metadata service or at the gateway's own machine (DNS rebinding).
 */
export type AddressFault =
  | 'not_an_address'
  | 'loopback'
  | 'link_local'
  | 'metadata'
  | 'unspecified'
  | 'multicast'

type V4Net = readonly [address: string, prefix: number]

/** An IPv4 network, also as it looks inside IPv6: mapped (RFC 4291) and translated (NAT64, RFC 6052). */
function addV4(list: BlockList, [address, prefix]: V4Net): void {
  list.addSubnet(address, prefix, 'ipv4')
  list.addSubnet(`::ffff:${address}`, 96 + prefix, 'ipv6')
  list.addSubnet(`64:ff9b::${address}`, 96 + prefix, 'ipv6')
}

function networks(v4: readonly V4Net[], v6: readonly V4Net[]): BlockList {
  const list = new BlockList()
  for (const net of v4) addV4(list, net)
  for (const [address, prefix] of v6) list.addSubnet(address, prefix, 'ipv6')
  return list
}

/** RFC 6890, in the order in which they are asked. Unique local and private addresses are where model servers live. */
const never: readonly (readonly [AddressFault, BlockList])[] = [
  [
    'metadata',
    networks(
      [
        ['169.254.169.254', 32],
        ['169.254.170.2', 32],
        ['169.254.170.23', 32],
        // Alibaba, Oracle, Azure: outside of the link-local network.
        ['100.100.100.200', 32],
        ['192.0.0.192', 32],
        ['168.63.129.16', 32],
      ],
      // Amazon, Google.
      [
        ['fd00:ec2::', 32],
        ['fd20:ce::254', 128],
      ],
    ),
  ],
  ['link_local', networks([['169.254.0.0', 16]], [['fe80::', 10]])],
  [
    'unspecified',
    networks(
      [
        ['0.0.0.0', 8],
        ['240.0.0.0', 4],
      ],
      // Tunnels that could hide any of the others: 6to4, Teredo, and the local NAT64 prefix.
      [
        ['::', 128],
        ['2002::', 16],
        ['2001::', 32],
        ['64:ff9b:1::', 48],
      ],
    ),
  ],
  ['multicast', networks([['224.0.0.0', 4]], [['ff00::', 8]])],
]

const loopback = networks([['127.0.0.0', 8]], [['::1', 128]])

/** Names that are this machine by definition (RFC 6761). */
const isLocalName = (name: string): boolean => name === 'localhost' || name.endsWith('.localhost')

/**
 * Why no call may go to `address`, or `undefined` when it may. `name` is what the operator wrote: only an address or a
 * name in `.localhost` may lead to this machine, and nothing may lead to the other refused networks.
 */
export function addressFault(address: string, name: string): AddressFault | undefined {
  const version = isIP(address)
  // A zone (`fe80::1%eth0`) only makes sense on one machine.
  if (version === 0 || address.includes('%')) return 'not_an_address'
  const family = version === 4 ? 'ipv4' : 'ipv6'
  const fault = never.find(([, list]) => list.check(address, family))
  if (fault !== undefined) return fault[0]
  const isOperators = isIP(name) !== 0 || isLocalName(name)
  return loopback.check(address, family) && !isOperators ? 'loopback' : undefined
}
