import t from 'tap'
import { admit } from '../../../src/exchange/inbound/admit.ts'
import { reserveRequest } from '../../../src/exchange/inbound/reserve.ts'
import { Quota } from '../../../src/quota/quota.ts'
import { fakeClock } from '../../quota/fake-clock.ts'
import { storeInMemory } from '../../quota/store-in-memory.ts'
import { limits, policy, principal, refusalOf } from '../fake-parts.ts'

const rulesOf = async (healthy = true, auditRequired = true) => ({
  limits,
  quota: new Quota({ store: await storeInMemory(fakeClock()) }),
  audit: { healthy },
  auditRequired,
  policy,
  overload: { shed: () => false, retryAfterMs: () => 1_000 },
  metrics: { shed: () => {} },
})

t.test('a slot is taken and given back; the limits of the principal decide', async (t) => {
  const rules = await rulesOf()
  const first = admit('e1', principal, rules)
  t.match(await refusalOf(() => admit('e2', principal, rules)), 'concurrency_limit_exceeded')
  const { decision } = await reserveRequest(first, principal, rules)
  t.same(
    decision.states.map(({ limit, remaining }) => [limit.counts, remaining]),
    [
      ['requests', 1],
      ['in_flight', 0],
    ],
  )
  await first[Symbol.asyncDispose]()
  t.equal(rules.quota.inFlight, 0)
})

t.test(
  'an event loop that is behind turns callers away, by their priority, before anything is taken',
  async (t) => {
    const rules = await rulesOf()
    const shed: string[] = []
    const behind = {
      ...rules,
      overload: { shed: () => true, retryAfterMs: () => 1_500 },
      metrics: { shed: (priority: string) => void shed.push(priority) },
    }
    t.throws(() => admit('e1', principal, behind), { code: 'gateway_overloaded', retryAfterMs: 1_500 })
    t.same(shed, ['interactive'])
    t.equal(rules.quota.inFlight, 0)
  },
)

t.test('a limit that is known to refuse does so before the body', async (t) => {
  const rules = await rulesOf()
  for (const id of ['e1', 'e2']) {
    const admission = admit(id, principal, rules)
    t.match(await admission.count(), [{ limit: { counts: 'requests' } }, {}])
    await admission[Symbol.asyncDispose]()
  }
  t.match(await refusalOf(() => admit('e3', principal, rules)), 'rate_limit_exceeded')
})

t.test('a caller without a role that the policy knows has no limits, and does not enter', async (t) => {
  const rules = { ...(await rulesOf()), limits: { limitsFor: () => [] } }
  t.match(await refusalOf(() => admit('e1', principal, rules)), 'insufficient_scope')
  t.equal(rules.quota.inFlight, 0)
})

t.test('without an audit log nobody enters, unless the operator said so', async (t) => {
  const unhealthy = await rulesOf(false)
  t.match(await refusalOf(() => admit('e1', principal, unhealthy)), 'audit_unavailable')
  t.equal(unhealthy.quota.inFlight, 0)
  const tolerant = await rulesOf(false, false)
  t.equal(await refusalOf(() => admit('e1', principal, tolerant)), 'none')
})
