import type { AuditEvent, AuditRecord, HealingAuditLog } from '../audit/record.ts'
import type { Clock } from '../clock.ts'
import type { Metrics } from '../telemetry/metrics.ts'

/** How often a log that cannot be written is tried again. */
const HEAL_EVERY_MS = 1_000

/**
 * The audit log of the process: counted, and mended without traffic. A gateway that cannot record is not ready and
 * is sent no requests, so waiting for the next record would be waiting for ever.
 */
export class AuditTrail implements HealingAuditLog {
  readonly #log: HealingAuditLog
  readonly #clock: Clock
  readonly #metrics: Pick<Metrics, 'auditWritten'>
  readonly #stop = new AbortController()
  #healing: Promise<void> | undefined

  constructor(log: HealingAuditLog, clock: Clock, metrics: Pick<Metrics, 'auditWritten'>) {
    this.#log = log
    this.#clock = clock
    this.#metrics = metrics
  }

  get healthy(): boolean {
    return this.#log.healthy
  }

  get queued(): number {
    return this.#log.queued
  }

  get head(): HealingAuditLog['head'] {
    return this.#log.head
  }

  async append(event: AuditEvent): Promise<AuditRecord> {
    try {
      const record = await this.#log.append(event)
      this.#metrics.auditWritten(event.event)
      return record
    } catch (error) {
      this.#healing ??= this.#healUntilHealthy()
      throw error
    }
  }

  heal(): Promise<void> {
    return this.#log.heal()
  }

  async close(): Promise<void> {
    this.#stop.abort()
    await this.#healing
    await this.#log.close()
  }

  async #healUntilHealthy(): Promise<void> {
    const { signal } = this.#stop
    while (!this.#log.healthy && !signal.aborted) {
      await this.#clock.sleep(HEAL_EVERY_MS, signal).catch(() => {})
      await this.#log.heal()
    }
    this.#healing = undefined
  }
}
