import t from 'tap'
import { mapClaims } from '../../src/identity/claim-mapping.ts'
import { refusedAs } from './token-maker.ts'

const fixed = { fixed: 'blue' }

t.test('follows paths through own members, dots in names included', async (t) => {
  const claims = {
    'kubernetes.io': { namespace: 'green' },
    realm_access: { roles: ['a', 'b', 'a'] },
    scope: 'x y',
  }
  t.same(
    mapClaims(claims, {
      tenant: { path: ['kubernetes.io', 'namespace'] },
      roles: ['realm_access', 'roles'],
      scopes: ['scope'],
    }),
    { tenant: 'green', roles: ['a', 'b'], tokenScopes: ['x', 'y'] },
  )
})

t.test('members of the prototype are no claims', async (t) => {
  t.same(mapClaims({}, { tenant: fixed, roles: ['constructor', 'name'] }).roles, [])
  t.throws(
    () => mapClaims({}, { tenant: { path: ['constructor', 'name'] }, roles: ['r'] }),
    refusedAs('missing_claim'),
  )
  const roleMap = { admin: 'operator' }
  t.same(
    mapClaims({ r: ['toString', 'constructor', '__proto__'] }, { tenant: fixed, roles: ['r'], roleMap })
      .roles,
    [],
  )
})

t.test('with a role map only mapped roles count', async (t) => {
  const mapping = { tenant: fixed, roles: ['r'], roleMap: { ext: 'chat', other: 'chat' } }
  t.same(mapClaims({ r: ['ext', 'other', 'chat', 'admin'] }, mapping).roles, ['chat'])
})

t.test('missing roles are none; a scope path that leads nowhere is an empty scope', async (t) => {
  t.same(mapClaims({}, { tenant: fixed, roles: ['r'], scopes: ['s'] }), {
    tenant: 'blue',
    roles: [],
    tokenScopes: [],
  })
})

t.test('a claim of another shape or size refuses the token', async (t) => {
  const bad = [
    5,
    null,
    true,
    {},
    ['a', 5],
    [['a']],
    'a  b',
    ' a',
    'ä',
    ['a\n'],
    Array(129).fill('a'),
    ['a'.repeat(129)],
  ]
  for (const r of bad) {
    t.throws(
      () => mapClaims({ r }, { tenant: fixed, roles: ['r'] }),
      refusedAs('bad_claim'),
      JSON.stringify(r),
    )
  }
  for (const tenant of [5, '', null, ['a'], 'a'.repeat(129), 'a\u0000']) {
    const mapping = { tenant: { path: ['tenant'] }, roles: ['r'] }
    t.throws(() => mapClaims({ tenant }, mapping), refusedAs('bad_claim'), JSON.stringify(tenant))
  }
})
