import t from 'tap'
import type { AuditEvent, AuditRecord, HealingAuditLog } from '../../src/audit/record.ts'
import { systemClock } from '../../src/clock.ts'
import { AuditTrail } from '../../src/gateway/audit-trail.ts'
import { Refusal } from '../../src/refusal.ts'

/** A log that fails until it was asked to heal so many times. */
class SimulatedLog implements HealingAuditLog {
  healthy = true
  heals = 0
  closed = false
  healsNeeded = 0
  readonly queued = 0
  readonly head = { seq: 7, hash: 'h' }
  async append(event: AuditEvent): Promise<AuditRecord> {
    if (this.healthy) return { ...event, v: 1, seq: 1, prev: '', hash: '' }
    throw new Refusal('audit_unavailable', 'simulated')
  }
  async heal(): Promise<void> {
    this.heals += 1
    this.healthy ||= this.heals >= this.healsNeeded
  }
  async close(): Promise<void> {
    this.closed = true
  }
}

const event: AuditEvent = { event: 'exchange.ended', time: '2026-01-01T00:00:00.000Z' }

function make() {
  const log = new SimulatedLog()
  const written: string[] = []
  const naps: number[] = []
  const clock = {
    ...systemClock,
    sleep: async (ms: number, signal?: AbortSignal) => {
      signal?.throwIfAborted()
      naps.push(ms)
    },
  }
  const trail = new AuditTrail(log, clock, { auditWritten: (name) => void written.push(name) })
  return { log, trail, written, naps }
}

t.test('counts what is durable, and nothing else', async (t) => {
  const { log, trail, written } = make()
  await trail.append(event)
  log.healthy = false
  log.healsNeeded = 1
  await t.rejects(trail.append(event))
  t.same(written, ['exchange.ended'])
  t.equal(trail.head.seq, 7)
  t.equal(trail.queued, 0)
  await trail.close()
})

t.test('one failure sets one attempt after the other going until the log is well', async (t) => {
  const { log, trail, naps } = make()
  log.healthy = false
  log.healsNeeded = 3
  await Promise.all([1, 2, 3].map(() => t.rejects(trail.append(event))))
  for (let turn = 0; turn < 50; turn += 1) await Promise.resolve()
  t.equal(trail.healthy, true)
  t.equal(log.heals, 3)
  t.equal(naps.length, 3, 'each after a rest')
  log.healthy = false
  log.healsNeeded = 4
  await t.rejects(trail.append(event))
  for (let turn = 0; turn < 50; turn += 1) await Promise.resolve()
  t.equal(log.heals, 4, 'and again after the next failure')
  await trail.close()
})

t.test('nothing is tried after the end', async (t) => {
  const log = new SimulatedLog()
  log.healthy = false
  log.healsNeeded = Number.POSITIVE_INFINITY
  const trail = new AuditTrail(log, systemClock, { auditWritten: () => {} })
  await t.rejects(trail.append(event))
  await trail.close()
  t.equal(log.closed, true)
  t.ok(log.heals <= 1)
})

t.test('healing by hand', async (t) => {
  const { log, trail } = make()
  await trail.heal()
  t.equal(log.heals, 1)
  await trail.close()
})
