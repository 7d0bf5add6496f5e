import type { Gateway } from '../parts.ts'
import type { Trail } from '../trail.ts'
import { observe } from './observe.ts'
import { recordEnding } from './record-audit.ts'

/** Accounts for the exchange: metrics, one log line and the audit record, whatever happened to it. Never throws. */
export async function close(trail: Trail, gateway: Gateway): Promise<void> {
  observe(trail, gateway)
  try {
    await recordEnding(trail, gateway)
  } catch (error) {
    gateway.events.auditUnhealthy(error)
  }
}
