import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import type { AuditEvent } from '../../../src/audit/record.ts'
import type { Clock } from '../../../src/clock.ts'
import { RefusalRecords } from '../../../src/exchange/settle/refusal-records.ts'
import { Refusal } from '../../../src/refusal.ts'
import { FakeAuditLog } from '../fake-parts.ts'

const rate = { per: 'minute', amount: 60, burst: 3 } as const
const noToken = new Refusal('missing_token', 'no_token')

function make(options: { readonly entriesMax?: number } = {}) {
  let nowMs = 1_000_000
  const sleepers: { readonly at: number; wake(): void }[] = []
  const clock: Clock = {
    now: () => nowMs,
    monotonic: () => nowMs,
    sleep: (ms, signal) => {
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      sleepers.push({ at: nowMs + ms, wake: resolve })
      signal?.addEventListener('abort', () => reject(signal.reason))
      return promise
    },
  }
  const audit = new FakeAuditLog()
  const records = new RefusalRecords({ clock, audit, rate, ...options })
  const advance = async (ms: number): Promise<void> => {
    nowMs += ms
    for (const { at, wake } of sleepers) if (at <= nowMs) wake()
    await new Promise(setImmediate)
  }
  /** How many of some refusals were summed. */
  const refuse = (times: number, certificate?: string): number =>
    Array.from({ length: times }, () => records.sums(noToken, certificate)).filter(Boolean).length
  return { audit, records, advance, refuse }
}

const counts = (events: readonly AuditEvent[]) => events.map(({ certificate, count }) => [certificate, count])

t.test('recorded up to the burst, then as fast as the rate; others are not touched', async (t) => {
  const { advance, refuse } = make()
  t.equal(refuse(3, 'a'), 0)
  t.equal(refuse(2, 'a'), 2)
  t.equal(refuse(3, 'b'), 0)
  t.equal(refuse(3), 0)
  await advance(999)
  t.equal(refuse(1, 'a'), 1)
  await advance(1)
  t.equal(refuse(2, 'a'), 1, 'what was summed takes nothing from the rate')
})

t.test('only what says who may call counts; certificates that were not believed count as one', (t) => {
  const { records, refuse } = make()
  for (const code of ['malformed_request', 'audit_unavailable', 'rate_limit_exceeded'] as const) {
    for (let n = 0; n < 9; n++) t.equal(records.sums(new Refusal(code, 'x'), 'a'), false)
  }
  t.equal(records.size, 0)
  t.equal(refuse(5), 2)
  t.end()
})

t.test('one record for a certificate and a minute; closing writes what is left', async (t) => {
  const { records, audit, advance, refuse } = make()
  refuse(503, 'a')
  t.equal(audit.events.length, 0)
  await advance(60_000)
  t.match(audit.events, [{ event: 'caller.refused_often', certificate: 'a', count: 500 }])
  refuse(5, 'a')
  refuse(4)
  await records.close()
  t.same(counts(audit.events), [
    ['a', 500],
    ['a', 2],
    [null, 1],
  ])
})

t.test('a log that cannot be written costs nothing else', async (t) => {
  const { records, audit, refuse } = make()
  audit.broken = true
  refuse(4, 'a')
  await t.resolves(records.close())
})

t.test('memory is bounded: who was refused least recently is forgotten', (t) => {
  const { records, refuse } = make({ entriesMax: 2 })
  refuse(3, 'a')
  refuse(3, 'b')
  refuse(1, 'a')
  refuse(3, 'c')
  t.equal(records.size, 2)
  t.same([refuse(1, 'a'), refuse(1, 'c'), refuse(1, 'b')], [1, 1, 0])
  t.end()
})

t.test('in any order: at most burst and rate are recorded, and every one above is in a sum', async (t) => {
  const step = fc.oneof(
    fc.record({ certificate: fc.constantFrom('a', 'b') }),
    fc.record({ waitMs: fc.integer({ min: 0, max: 70_000 }) }),
  )
  const property = fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
    const { records, audit, advance, refuse } = make()
    const recorded = { a: 0, b: 0 }
    let [summed, waitedMs] = [0, 0]
    for (const next of steps) {
      if ('waitMs' in next) {
        waitedMs += next.waitMs
        await advance(next.waitMs)
      } else if (refuse(1, next.certificate) > 0) summed += 1
      else recorded[next.certificate as 'a' | 'b'] += 1
    }
    const recordedMax = rate.burst + waitedMs / 1000
    assert.ok(recorded.a <= recordedMax && recorded.b <= recordedMax)
    await records.close()
    assert.equal(
      audit.events.reduce((sum, { count }) => sum + (count as number), 0),
      summed,
    )
    assert.ok(audit.events.length <= 2 * (2 + waitedMs / 60_000))
  })
  await t.resolves(fc.assert(property, { numRuns: 100 }))
})
