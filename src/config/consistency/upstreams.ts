import { BlockList, isIP } from 'node:net'
import { error, type Finding, list, type Path, quote, warning } from '../problem.ts'
import type { ModelsConfig, PoolConfig } from '../schema/models.ts'
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
  const used = new Set(Object.values(models).map(({ pool }) => pool))
  return Object.keys(pools)
    .filter((name) => !used.has(name))
    .map((name) => warning('models', ['pools', name], 'is a pool that no model uses'))
}

function modelFindings(
  path: Path,
  model: ModelsConfig['models'][string],
  { pools }: ModelsConfig,
): Finding[] {
  if (Object.hasOwn(pools, model.pool)) return []
  const known = list(Object.keys(pools))
  return [error('models', [...path, 'pool'], `${quote(model.pool)} is not a pool; pools are: ${known}`)]
}

function poolFindings(path: Path, pool: PoolConfig): Finding[] {
  const encrypted = pool.endpoints.some((endpoint) => endpoint.startsWith('https:'))
  return [
    ...pool.endpoints.flatMap((endpoint, index) =>
      endpointFindings([...path, 'endpoints', index], endpoint, pool),
    ),
    ...sameOrigins(path, pool),
    ...tlsFindings(path, pool, encrypted ? 'used' : 'unused'),
    ...(pool.plaintext && pool.endpoints.every((endpoint) => endpoint.startsWith('https:'))
      ? [warning('models', [...path, 'plaintext'], 'allows what no endpoint of the pool needs')]
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
function sameOrigins(path: Path, { endpoints }: PoolConfig): Finding[] {
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
