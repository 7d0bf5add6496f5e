import type { FastifyInstance } from 'fastify'
import { createProbeServer } from '../../plugins/probe-server.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { livez, type ProbeAnswer } from '../telemetry/probes.ts'

/** The probe listener of a process that serves alone. */
export const probesOf = (
  metrics: Pick<Metrics, 'render' | 'contentType'>,
  readyz: () => ProbeAnswer,
): FastifyInstance =>
  createProbeServer({
    livez,
    readyz,
    metrics: () => metrics.render(),
    metricsContentType: metrics.contentType,
  })
