import t from 'tap'
import { burstFor, mergeLimits } from '../../src/policy/limits.ts'

const role = (name: string, requestsPerMinute: number, inFlight: number, burst?: number) => ({
  name,
  limits: { requestsPerMinute, inFlight, burst },
})

t.test('burst when a role does not say', async (t) => {
  t.equal(burstFor({ requestsPerMinute: 60, inFlight: 1 }), 10)
  t.equal(burstFor({ requestsPerMinute: 1, inFlight: 1 }), 1)
  t.equal(burstFor({ requestsPerMinute: 7, inFlight: 1 }), 2)
  t.equal(burstFor({ requestsPerMinute: 60, burst: 3, inFlight: 1 }), 3)
})

t.test('one role', async (t) => {
  t.same(mergeLimits('acme', [role('app', 60, 4)]), [
    { key: 'tenant:acme/role:app', name: 'requests', amount: 60, burst: 10 },
    { key: 'tenant:acme/role:app', name: 'in_flight', amount: 4, burst: 4 },
  ])
})

t.test('several roles: each dimension from the most generous', async (t) => {
  t.same(mergeLimits('acme', [role('a', 60, 9, 50), role('b', 100, 4, 5)]), [
    { key: 'tenant:acme/role:b', name: 'requests', amount: 100, burst: 50 },
    { key: 'tenant:acme/role:a', name: 'in_flight', amount: 9, burst: 9 },
  ])
})

t.test('equals: the first by name, in whatever order the token has them', async (t) => {
  const roles = [role('c', 60, 4), role('a', 60, 4), role('b', 60, 4)]
  t.equal(mergeLimits('x', roles)[0]?.key, 'tenant:x/role:a')
  t.same(mergeLimits('x', roles), mergeLimits('x', roles.toReversed()))
})

t.test('no role, no limits: such a caller passes no endpoint', async (t) => {
  t.same(mergeLimits('x', []), [])
})
