import t from 'tap'
import { burstFor, mergeLimits } from '../../src/policy/role-limits.ts'

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
  const rest = { shard: 's', mode: 'enforce', onStoreFailure: 'lease', timeZone: 'UTC', source: 'config' }
  t.same(mergeLimits('acme', [role('app', 60, 4)], 's'), [
    {
      name: 'role.app.requests',
      key: 'role.app.requests|requests/minute|tenant=acme',
      counts: 'requests',
      per: 'minute',
      amount: 60,
      burst: 10,
      ...rest,
    },
    {
      name: 'role.app.in_flight',
      key: 'role.app.in_flight|in_flight|tenant=acme',
      counts: 'in_flight',
      per: undefined,
      amount: 4,
      burst: 4,
      ...rest,
    },
  ])
})

t.test('several roles: each dimension from the most generous', async (t) => {
  t.match(mergeLimits('acme', [role('a', 60, 9, 50), role('b', 100, 4, 5)], 's'), [
    { name: 'role.b.requests', amount: 100, burst: 50 },
    { name: 'role.a.in_flight', amount: 9, burst: 9 },
  ])
})

t.test('tokens: bounded only when every role bounds them, and then by the most generous', async (t) => {
  const tokens = (name: string, tokensPerMinute?: number) => ({
    name,
    limits: { requestsPerMinute: 60, inFlight: 1, tokensPerMinute },
  })
  const of = (...roles: ReturnType<typeof tokens>[]) =>
    mergeLimits('acme', roles, 's').filter(({ counts }) => counts === 'total_tokens')
  t.match(of(tokens('a', 100), tokens('b', 300)), [
    { name: 'role.b.total_tokens', per: 'minute', amount: 300, burst: 300 },
  ])
  t.same(of(tokens('a', 100), tokens('b')), [])
})

t.test('equals: the first by name, in whatever order the token has them', async (t) => {
  const roles = [role('c', 60, 4), role('a', 60, 4), role('b', 60, 4)]
  t.equal(mergeLimits('x', roles, 's')[0]?.name, 'role.a.requests')
  t.same(mergeLimits('x', roles, 's'), mergeLimits('x', roles.toReversed(), 's'))
})

t.test('no role, no limits: such a caller passes no endpoint', async (t) => {
  t.same(mergeLimits('x', [], 's'), [])
})
