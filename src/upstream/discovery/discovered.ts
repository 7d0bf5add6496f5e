/** An endpoint that DNS named. */
export interface DiscoveredEndpoint {
  /** `https://10.0.0.7:8000`, `https://[fd00::7]:8000`. One endpoint for each. */
  readonly origin: string
  /** The name that the server's certificate must be good for; absent when the operator wrote an address. */
  readonly serverName: string | undefined
  /** Of the SRV record: lower is asked first. 0 without one. */
  readonly priority: number
  /** Of the SRV record: share among those of one priority. 1 without one. */
  readonly weight: number
}

/** What became different between two readings. */
export interface EndpointChange {
  readonly added: readonly DiscoveredEndpoint[]
  readonly removed: readonly DiscoveredEndpoint[]
  /** The same origins with another priority, weight or server name. */
  readonly altered: readonly DiscoveredEndpoint[]
  /** The whole set, in order. */
  readonly endpoints: readonly DiscoveredEndpoint[]
}

const inOrder = (a: DiscoveredEndpoint, b: DiscoveredEndpoint): number => {
  if (a.priority !== b.priority) return a.priority - b.priority
  return a.origin < b.origin ? -1 : Number(a.origin > b.origin)
}

/**
 * One endpoint for each origin (the most preferred counts), in an order that depends on nothing but the endpoints:
 * every gateway that reads the same records has the same list, and cuts it at the same place.
 */
export function orderedSet(
  found: readonly DiscoveredEndpoint[],
  endpointsMax: number,
): { readonly endpoints: readonly DiscoveredEndpoint[]; readonly cut: number } {
  const byOrigin = new Map<string, DiscoveredEndpoint>()
  for (const endpoint of [...found].sort(inOrder)) {
    if (!byOrigin.has(endpoint.origin)) byOrigin.set(endpoint.origin, endpoint)
  }
  const endpoints = [...byOrigin.values()]
  return { endpoints: endpoints.slice(0, endpointsMax), cut: Math.max(0, endpoints.length - endpointsMax) }
}

const isSame = (a: DiscoveredEndpoint, b: DiscoveredEndpoint): boolean =>
  a.priority === b.priority && a.weight === b.weight && a.serverName === b.serverName

/** The way from one set to another; `undefined` when they are the same. */
export function changeBetween(
  before: readonly DiscoveredEndpoint[],
  after: readonly DiscoveredEndpoint[],
): EndpointChange | undefined {
  const old = new Map(before.map((endpoint) => [endpoint.origin, endpoint]))
  const kept = new Set(after.map(({ origin }) => origin))
  const added = after.filter(({ origin }) => !old.has(origin))
  const removed = before.filter(({ origin }) => !kept.has(origin))
  const altered = after.filter((endpoint) => {
    const was = old.get(endpoint.origin)
    return was !== undefined && !isSame(was, endpoint)
  })
  if (added.length + removed.length + altered.length === 0) return undefined
  return { added, removed, altered, endpoints: after }
}
