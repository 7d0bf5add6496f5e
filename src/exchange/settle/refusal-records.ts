/**
 * Keeps callers who are refused over and over from filling the audit log: a certificate alone, without a good token, is
 * enough to be refused.
 *
 * 1. The first `burst` refusals of a certificate, and then `amount` a minute, have a record and a log line each. What is
 *    above is summed: one record for a certificate and a minute, with the number.
 * 2. Nobody is refused because of this: a summed caller is told what the others are told, and a good token on the same
 *    certificate is served at once.
 * 3. At most `entriesMax` certificates are remembered; the one that was refused least recently is forgotten.
 */
import type { AuditLog } from '../../audit/record.ts'
import type { Clock } from '../../clock.ts'
import { charged, type Debt, type Rate, waitOf } from '../../quota/rate.ts'
import type { Refusal } from '../../refusal.ts'

export interface RefusalRecordsOptions {
  readonly clock: Clock
  readonly audit: Pick<AuditLog, 'append'>
  readonly rate?: Rate
  readonly entriesMax?: number
}

interface Entry {
  spent: Debt
  /** Summed since the last record. */
  summed: number
}

const recordedRate: Rate = { per: 'minute', amount: 60, burst: 600 }
const REPORT_AFTER_MS = 60_000
/** All whose certificate was not believed: nothing that they say of themselves counts. */
const UNKNOWN = ''

/** The refused callers of this process, over all reloads. */
export class RefusalRecords {
  readonly #clock: Clock
  readonly #audit: Pick<AuditLog, 'append'>
  readonly #rate: Rate
  readonly #entriesMax: number
  readonly #entries = new Map<string, Entry>()
  readonly #reports = new Set<Promise<void>>()
  readonly #stop = new AbortController()

  constructor({ clock, audit, rate = recordedRate, entriesMax = 10_000 }: RefusalRecordsOptions) {
    this.#clock = clock
    this.#audit = audit
    this.#rate = rate
    this.#entriesMax = entriesMax
  }

  /** Certificates that are remembered. */
  get size(): number {
    return this.#entries.size
  }

  /**
   * Counts a request that was refused before it was admitted. True: it is summed with others and must not have a record
   * of its own. `certificate` is its fingerprint; none when it was not believed.
   */
  sums({ row }: Refusal, certificate = UNKNOWN): boolean {
    if (row.status !== 401 && row.status !== 403) return false
    const entry = this.#entries.get(certificate) ?? { spent: { debt: 0, atMs: 0 }, summed: 0 }
    this.#remember(certificate, entry)
    const nowMs = Math.floor(this.#clock.monotonic())
    if (waitOf(entry.spent, 1, nowMs, this.#rate) === 0) {
      entry.spent = charged(entry.spent, 1, nowMs, this.#rate)
      return false
    }
    entry.summed += 1
    if (entry.summed === 1) this.#reportLater(certificate, entry)
    return true
  }

  /** Writes what has not been recorded yet. Call it before the audit log is closed. */
  async close(): Promise<void> {
    this.#stop.abort()
    await Promise.all(this.#reports)
  }

  #remember(certificate: string, entry: Entry): void {
    this.#entries.delete(certificate)
    this.#entries.set(certificate, entry)
    if (this.#entries.size <= this.#entriesMax) return
    const [oldest] = this.#entries.keys()
    this.#entries.delete(oldest as string)
  }

  #reportLater(certificate: string, entry: Entry): void {
    const report = this.#clock
      .sleep(REPORT_AFTER_MS, this.#stop.signal)
      .catch(() => {})
      .then(() => this.#report(certificate, entry))
      // A log that cannot be written says so itself.
      .catch(() => {})
      .then(() => void this.#reports.delete(report))
    this.#reports.add(report)
  }

  async #report(certificate: string, entry: Entry): Promise<void> {
    const { summed } = entry
    entry.summed = 0
    await this.#audit.append({
      event: 'caller.refused_often',
      time: new Date(this.#clock.now()).toISOString(),
      certificate: certificate || null,
      count: summed,
    })
  }
}
