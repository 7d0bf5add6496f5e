import { BlockList, isIP } from 'node:net'
import { routesOf } from '../model-routes.ts'
import { error, type Finding, list, type Path, quote, warning } from '../problem.ts'
import type { ModelConfig, ModelsConfig, PoolConfig } from '../schema/models.ts'
import { pairFindings } from './server-tls.ts'

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
loopback.addAddress('::1', 'ipv6')

/** Models without a pool, pools without a model, and connections that would not be what they seem. */
export const upstreamFindings = (config: ModelsConfig): Finding[] => [
  ...Object.entries(config.pools).flatMap(([name, pool]) => poolFindings(['pools', name], pool)),
  ...unusedPools(config),
  ...Object.entries(config.models).flatMap(([name, model]) => modelFindings(['models', name], model, config)),
]

function unusedPools({ pools, models }: ModelsConfig): Finding[] {
  const used = new Set(Object.entries(models).flatMap(([name, model]) => poolNames(name, model)))
  return Object.keys(pools)
    .filter((name) => !used.has(name))
    .map((name) => warning('models', ['pools', name], 'is a pool that no model uses'))
}

const poolNames = (name: string, model: ModelConfig): string[] =>
  routesOf(name, model).map(({ pool }) => pool)

function modelFindings(path: Path, model: ModelConfig, { pools }: ModelsConfig): Finding[] {
  const unknown = (at: Path, pool: string): Finding[] =>
    Object.hasOwn(pools, pool)
      ? []
      : [
          error(
            'models',
            [...at, 'pool'],
            `${quote(pool)} is not a pool; pools are: ${list(Object.keys(pools))}`,
          ),
        ]
  if (model.pool !== undefined) {
    if (model.routes) return [error('models', path, 'has both pool and routes: write one of them')]
    return unknown(path, model.pool)
  }
  if (model.routes === undefined) return [error('models', path, 'needs a pool, or routes to several')]
  return [
    ...model.routes.flatMap(({ pool }, index) => unknown([...path, 'routes', index], pool)),
    ...routeFindings([...path, 'routes'], model.routes),
  ]
}

function routeFindings(path: Path, routes: NonNullable<ModelConfig['routes']>): Finding[] {
  const names = routes.map(({ pool }) => pool)
  const firstOrder = Math.min(...routes.map(({ order }) => order))
  const first = routes.filter(({ order }) => order === firstOrder)
  return [
    ...names.flatMap((pool, index) =>
      names.indexOf(pool) < index
        ? [error('models', [...path, index, 'pool'], `${quote(pool)} stands in this list already`)]
        : [],
    ),
    ...(first.every(({ weight }) => weight === 0)
      ? [error('models', path, 'has no pool of the first order with a weight above 0')]
      : []),
  ]
}

function poolFindings(path: Path, pool: PoolConfig): Finding[] {
  const { endpoints, discovery } = pool
  if ((endpoints === undefined) === (discovery === undefined)) {
    const problem = endpoints
      ? 'has both endpoints and discovery: write one of them'
      : 'needs endpoints, or discovery'
    return [error('models', path, problem)]
  }
  const origins = endpoints ?? [`${discovery?.scheme}://${discovery?.name}`]
  const place = (index: number): Path => (endpoints ? [...path, 'endpoints', index] : [...path, 'discovery'])
  const encrypted = origins.some((origin) => origin.startsWith('https:'))
  return [
    ...origins.flatMap((origin, index) => endpointFindings(place(index), origin, pool)),
    ...sameOrigins(path, endpoints ?? []),
    ...discoveryFindings([...path, 'discovery'], discovery),
    ...tlsFindings(path, pool, encrypted ? 'used' : 'unused'),
    ...boundFindings(path, pool),
    ...(pool.plaintext && origins.every((origin) => origin.startsWith('https:'))
      ? [warning('models', [...path, 'plaintext'], 'allows what no endpoint of the pool needs')]
      : []),
  ]
}

function discoveryFindings(path: Path, discovery: PoolConfig['discovery']): Finding[] {
  if (discovery === undefined) return []
  const { kind, port, refreshMsMin, refreshMsMax } = discovery
  return [
    ...(kind === 'a' && port === undefined
      ? [error('models', path, 'of kind a needs the port of the servers')]
      : []),
    ...(kind === 'srv' && port !== undefined
      ? [error('models', [...path, 'port'], 'has no use: an SRV record names the ports')]
      : []),
    ...(refreshMsMax < refreshMsMin
      ? [error('models', [...path, 'refreshMsMax'], 'is below refreshMsMin')]
      : []),
  ]
}

/** Bounds that contradict one another. */
function boundFindings(path: Path, { health, cacheSalt, cacheSaltKeyFile }: PoolConfig): Finding[] {
  return [
    ...(health.ejectionMsMax < health.ejectionMs
      ? [error('models', [...path, 'health', 'ejectionMsMax'], 'is below ejectionMs')]
      : []),
    ...(cacheSaltKeyFile !== undefined && !cacheSalt
      ? [warning('models', [...path, 'cacheSaltKeyFile'], 'has no use: cacheSalt is off')]
      : []),
  ]
}

function endpointFindings(path: Path, endpoint: string, pool: PoolConfig): Finding[] {
  const url = URL.parse(endpoint)
  if (url === null) return [error('models', path, 'is not an address: the host or the port is out of range')]
  if (url.protocol === 'https:' || isLoopback(url.hostname)) return []
  if (pool.plaintext !== 'allowed') {
    return [
      error('models', path, 'would send prompts unencrypted; use https://, or write plaintext: allowed'),
    ]
  }
  return [
    warning(
      'models',
      path,
      pool.apiKeyFile ? 'gets prompts and the API key unencrypted' : 'gets prompts unencrypted',
    ),
  ]
}

/** `https://a` and `https://A:443/` are one server. */
function sameOrigins(path: Path, endpoints: readonly string[]): Finding[] {
  const origins = endpoints.map((endpoint) => URL.parse(endpoint)?.origin)
  return origins.flatMap((origin, index) =>
    origin !== undefined && origins.indexOf(origin) < index
      ? [
          error(
            'models',
            [...path, 'endpoints', index],
            `is the same server as endpoints[${origins.indexOf(origin)}]`,
          ),
        ]
      : [],
  )
}

function tlsFindings(path: Path, { tls }: PoolConfig, use: 'used' | 'unused'): Finding[] {
  if (tls === undefined) {
    return use === 'used'
      ? [
          error(
            'models',
            path,
            'has https:// endpoints and needs tls.ca: the roots of the system are never used',
          ),
        ]
      : []
  }
  const inTls: Path = [...path, 'tls']
  if (use === 'unused') return [error('models', inTls, 'is given, but no endpoint of the pool is https://')]
  return pairFindings('models', inTls, tls)
}

function isLoopback(hostname: string): boolean {
  if (hostname === 'localhost') return true
  const address = hostname.replace(/^\[|\]$/g, '')
  const family = isIP(address)
  return family !== 0 && loopback.check(address, family === 4 ? 'ipv4' : 'ipv6')
}
