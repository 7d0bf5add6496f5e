import type { ModelConfig } from './schema/models.ts'

/** A pool that serves a model, and its part of the calls. */
export interface ConfiguredRoute {
  readonly pool: string
  /** Tried from the lowest on. */
  readonly order: number
  readonly weight: number
  readonly upstreamModel: string
}

/** The routes of a model, from its short form (`pool`) or its long one (`routes`), by order. */
export function routesOf(name: string, model: ModelConfig): ConfiguredRoute[] {
  const upstreamModel = model.upstreamModel ?? name
  const routes = model.routes ?? (model.pool === undefined ? [] : [{ pool: model.pool, order: 1, weight: 1 }])
  return routes.map((route) => ({ upstreamModel, ...route })).sort((a, b) => a.order - b.order)
}
