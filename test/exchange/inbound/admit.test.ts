import t from 'tap'
import { admit } from '../../../src/exchange/inbound/admit.ts'
import { memoryQuota } from '../../../src/quota/memory-quota.ts'
import { fakeClock } from '../../quota/fake-clock.ts'
import { policy, principal, refusalOf } from '../fake-parts.ts'

const rulesOf = (healthy = true, auditRequired = true) => ({
  policy,
  quota: memoryQuota({ clock: fakeClock() }),
  audit: { healthy },
  auditRequired,
})

t.test('a slot is taken and given back; the limits of the principal decide', async (t) => {
  const rules = rulesOf()
  const first = await admit('e1', principal, rules)
  t.same(
    first.states.map(({ limit, remaining }) => [limit.name, remaining]),
    [
      ['requests', 1],
      ['in_flight', 0],
    ],
  )
  t.match(await refusalOf(() => admit('e2', principal, rules)), 'concurrency_limit_exceeded')
  await first[Symbol.asyncDispose]()
  const second = await admit('e3', principal, rules)
  await second[Symbol.asyncDispose]()
  t.match(await refusalOf(() => admit('e4', principal, rules)), 'rate_limit_exceeded')
})

t.test('a caller without a role that the policy knows has no limits, and does not enter', async (t) => {
  const rules = { ...rulesOf(), policy: { ...policy, limitsFor: () => [] } }
  t.match(await refusalOf(() => admit('e1', principal, rules)), 'insufficient_scope')
  t.equal(rules.quota.buckets, 0)
})

t.test('without an audit log nobody enters, unless the operator said so', async (t) => {
  const unhealthy = rulesOf(false)
  t.match(await refusalOf(() => admit('e1', principal, unhealthy)), 'audit_unavailable')
  t.equal(unhealthy.quota.inFlight, 0)
  t.equal(await refusalOf(() => admit('e1', principal, rulesOf(false, false))), 'none')
})
