import type { EndpointTurns } from './endpoint-turns.ts'
import type { EndpointHandle } from './upstream.ts'

export type ServerKind = 'vllm' | 'sglang' | 'llamacpp' | 'tgi' | 'openai'

/** The servers that answer for a model, all alike. */
export interface EndpointPool {
  readonly name: string
  readonly server: ServerKind
  readonly endpoints: readonly EndpointHandle[]
  readonly turns: EndpointTurns
}

/** What a public model name stands for. */
export interface ModelRoute {
  readonly model: string
  readonly upstreamModel: string
  readonly pool: EndpointPool
}

/** All model routes of one configuration version. */
export interface Upstreams {
  routeOf(model: string): ModelRoute | undefined
  readonly pools: readonly EndpointPool[]
  close(): Promise<void>
}

export function createUpstreams(routes: readonly ModelRoute[]): Upstreams {
  const routeByModel = new Map(routes.map((route) => [route.model, route]))
  const pools = [...new Set(routes.map((route) => route.pool))]
  return {
    routeOf: (model) => routeByModel.get(model),
    pools,
    async close() {
      await Promise.all(pools.flatMap((pool) => pool.endpoints.map((endpoint) => endpoint.close())))
    },
  }
}
