import type { Gateway } from '../parts.ts'
import type { Trail } from '../trail.ts'
import { observe } from './observe.ts'
import { recordEnding } from './record-audit.ts'
import { recordDecision } from './record-decision.ts'

/**
 * Accounts for the exchange: the audit record, metrics and one log line, whatever happened to it. The record is on its
 * way before anything else is tried.
 */
export async function close(trail: Trail, gateway: Gateway): Promise<void> {
  const recorded = recordEnding(trail, gateway).catch((error) => gateway.events.auditUnhealthy(error))
  observe(trail, gateway)
  recordDecision(trail, gateway)
  await recorded
}
