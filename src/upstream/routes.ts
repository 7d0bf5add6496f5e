import { createHash } from 'node:crypto'
import type { EndpointPool } from './pool.ts'

/** One pool on the way of a call, and the name of the model there. */
export interface Leg {
  readonly pool: EndpointPool
  readonly upstreamModel: string
}

export interface WeightedLeg extends Leg {
  /** Tried from the lowest on. */
  readonly order: number
  /** Part of the calls beside the others of its order. */
  readonly weight: number
}

export interface Hedge {
  /** Silence of the first server before a second is asked. */
  readonly afterMs: number
  readonly outputTokensMax: number
}

/** What a public model name stands for. */
export interface ModelRoute {
  readonly model: string
  readonly legs: readonly WeightedLeg[]
  readonly stickyBy: 'tenant' | 'call'
  readonly hedge: Hedge | undefined
}

/** All model routes of one configuration version. */
export interface Upstreams {
  routeOf(model: string): ModelRoute | undefined
  /** Each pool that a route leads to, once. */
  readonly pools: readonly EndpointPool[]
  /** Models that are routed to the pool. */
  modelsOf(pool: EndpointPool): readonly string[]
}

export function createUpstreams(routes: readonly ModelRoute[]): Upstreams {
  const routeByModel = new Map(routes.map((route) => [route.model, route]))
  const pools = new Set(routes.flatMap(({ legs }) => legs.map(({ pool }) => pool)))
  return {
    routeOf: (model) => routeByModel.get(model),
    pools: [...pools],
    modelsOf: (pool) =>
      routes.filter(({ legs }) => legs.some((leg) => leg.pool === pool)).map(({ model }) => model),
  }
}

/**
 * The legs of a route in the order in which a call with this key tries them: by order, within it by weighted rendezvous
 * (Schindelhauer and Schomaker 2005). The first leg is each one's with a chance of its weight, always the same for the
 * same key; a weight that grows takes calls from the others and moves none between them.
 */
export function legsFor({ legs, model }: Pick<ModelRoute, 'legs' | 'model'>, key: string): readonly Leg[] {
  if (legs.length === 1) return legs
  const scores = new Map(legs.map((leg) => [leg, score(leg, `${model}\0${key}`)]))
  return legs.toSorted((a, b) => a.order - b.order || (scores.get(b) ?? 0) - (scores.get(a) ?? 0))
}

/** `-weight / ln(u)` of a uniform `u`: the largest wins with a chance in proportion to its weight. */
function score({ pool, weight }: WeightedLeg, key: string): number {
  const digest = createHash('sha256').update(`${pool.name}\0${key}`).digest()
  const uniform = (digest.readUIntBE(0, 6) + 1) / 2 ** 48
  return weight === 0 ? 0 : -weight / Math.log(Math.min(uniform, 1 - Number.EPSILON))
}
