import t from 'tap'
import type { AuditEvent, AuditRecord } from '../../src/audit/record.ts'
import { type Change, Changes, type Operator } from '../../src/ops/changes.ts'
import { simulatedPrincipal } from '../policy/simulated-call.ts'

const operator: Operator = { requestId: 'r-1', principal: simulatedPrincipal(['ops']) }
const change: Change = {
  event: 'quota.changed',
  name: 'tpm',
  before: null,
  after: { amount: 5 },
  reason: 'test',
}

/** An audit log in memory that can refuse. */
function simulatedAudit() {
  const events: AuditEvent[] = []
  let refuses = false
  return {
    events,
    refuse: () => {
      refuses = true
    },
    append: async (event: AuditEvent): Promise<AuditRecord> => {
      if (refuses) throw new Error('disk full')
      events.push(event)
      return event as AuditRecord
    },
  }
}
const clock = { now: () => 1_900_000_000_000 }

t.test('1. the record is there before the change; without one there is no change', async (t) => {
  const audit = simulatedAudit()
  const changes = new Changes({ audit, clock })
  const seen = await changes.make(operator, change, async () => audit.events.length)
  t.equal(seen, 1)
  audit.refuse()
  let made = false
  await t.rejects(
    changes.make(operator, change, async () => {
      made = true
    }),
    { code: 'audit_unavailable' },
  )
  t.notOk(made)
})

t.test(
  '2. a change that another replica forestalled, or whose end is not known, has a second record',
  async (t) => {
    const audit = simulatedAudit()
    const changes = new Changes({ audit, clock })
    await t.rejects(
      changes.make(operator, change, async () => undefined),
      { code: 'precondition_failed' },
    )
    await t.rejects(
      changes.make(operator, change, () => Promise.reject(new Error('away'))),
      {
        code: 'quota_unavailable',
        retryAfterMs: 1_000,
      },
    )
    t.match(
      audit.events.map(({ request_id, outcome }) => [request_id, outcome]),
      [
        ['r-1', undefined],
        ['r-1', 'not_made'],
        ['r-1', undefined],
        ['r-1', 'unknown'],
      ],
    )
  },
)

t.test('3. one at a time, in the order in which they came, whatever becomes of one', async (t) => {
  const changes = new Changes({ audit: simulatedAudit(), clock })
  const order: string[] = []
  const work = (name: string, fails = 0) =>
    changes.alone(async () => {
      order.push(`${name} begins`)
      await new Promise((resolve) => setImmediate(resolve))
      order.push(`${name} ends`)
      if (fails > 0) throw new Error(name)
    })
  await Promise.allSettled([work('a'), work('b', 1), work('c')])
  t.same(order, ['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends'])
})

t.test('a value that is too long stands as its scalars and its hash', async (t) => {
  const audit = simulatedAudit()
  const changes = new Changes({ audit, clock })
  const tenants = Array.from({ length: 500 }, (_, index) => `tenant-${index}`)
  await changes.make(
    operator,
    { ...change, after: { amount: 5, mode: 'shadow', where: { tenants } } },
    async () => 1,
  )
  t.match(audit.events[0]?.['after'], { amount: 5, mode: 'shadow', sha256: /^[0-9a-f]{64}$/ })
  t.notMatch(audit.events[0], { after: { where: {} } })
})
