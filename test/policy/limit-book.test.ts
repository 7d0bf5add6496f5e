import fc from 'fast-check'
import t from 'tap'
import { dimensions } from '../../src/policy/limit.ts'
import { LimitBook, type LimitRules } from '../../src/policy/limit-book.ts'
import type { LimitRule } from '../../src/policy/limit-rule.ts'
import { simulatedPrincipal } from './simulated-call.ts'

const rule = (fields: Partial<LimitRule> = {}): LimitRule => ({
  counts: 'total_tokens',
  per: 'minute',
  amount: 1_000,
  by: ['tenant'],
  mode: 'enforce',
  onStoreFailure: 'lease',
  timeZone: 'UTC',
  ...fields,
})
const roles = {
  app: { requestsPerMinute: 60, inFlight: 4 },
  batch: { requestsPerMinute: 30, inFlight: 9 },
}
const bookOf = (rules: Partial<LimitRules> = {}) => new LimitBook({ roles, limits: {}, ...rules })
const app = simulatedPrincipal(['app'])
const named = (book: LimitBook, name: string, caller = app, model: string | undefined = 'llama') =>
  book.limitsFor(caller, model).find((limit) => limit.name === name)

t.test(
  'limits of the roles, whatever the token narrows; none for a caller without a known role',
  async (t) => {
    const both = simulatedPrincipal(['batch', 'app', 'ghost'], { tokenScopes: [] })
    t.match(bookOf().limitsFor(both), [
      { name: 'role.app.requests', amount: 60, burst: 10 },
      { name: 'role.batch.in_flight', amount: 9 },
    ])
    for (const roles of [[], ['ghost'], ['constructor', '__proto__']]) {
      t.same(
        bookOf({ limits: { all: rule() } }).limitsFor(simulatedPrincipal(roles), 'llama'),
        [],
        roles.join(),
      )
    }
  },
)

t.test('before the body only what depends on nothing in it', async (t) => {
  const book = bookOf({
    limits: {
      tokens: rule(),
      slots: rule({ counts: 'in_flight', per: undefined, by: [] }),
      each: rule({ counts: 'requests', by: ['tenant', 'model'] }),
      some: rule({ counts: 'requests', where: { models: ['llama*'] } }),
    },
  })
  const names = (model?: string) => book.limitsFor(app, model).map(({ name }) => name)
  const early = ['role.app.requests', 'role.app.in_flight']
  t.same(names(), [...early, 'slots'])
  t.same(names('llama'), [...early, 'tokens', 'slots', 'each', 'some'])
  t.same(names('other'), [...early, 'tokens', 'slots', 'each'])
})

t.test('who is meant: every field must agree, each glob is enough', async (t) => {
  const where = { tenants: ['ac*', 'x'], roles: ['app'], principals: ['company/*'], models: ['llama'] }
  const book = bookOf({ limits: { it: rule({ where }) } })
  const applies = (fields: object, model = 'llama', roles = ['app']) =>
    named(book, 'it', simulatedPrincipal(roles, fields), model) !== undefined
  t.ok(applies({}))
  t.ok(applies({ tenant: 'x' }))
  t.notOk(applies({ tenant: 'y' }))
  t.notOk(applies({ id: 'other/alice' }))
  t.notOk(applies({}, 'qwen'))
  t.notOk(applies({}, 'llama', ['batch']))
})

t.test('a hierarchy: organization, tenant and principal each have their bucket', async (t) => {
  const book = bookOf({
    limits: {
      org: rule({ by: ['organization'] }),
      team: rule({ by: ['tenant'] }),
      person: rule({ by: ['principal'] }),
    },
    organizations: { acme: 'globex', initech: 'globex' },
  })
  const keys = (tenant: string, id: string) =>
    book
      .limitsFor(simulatedPrincipal(['app'], { tenant, id }), 'llama')
      .slice(-3)
      .map(({ key }) => key)
  t.same(keys('acme', 'company/alice'), [
    'org|total_tokens/minute|organization=globex',
    'team|total_tokens/minute|tenant=acme',
    'person|total_tokens/minute|principal=company%2Falice,tenant=acme',
  ])
  t.equal(keys('initech', 'x')[0], keys('acme', 'x')[0])
  t.equal(keys('loner', 'x')[0], 'org|total_tokens/minute|organization=tenant%3Aloner', 'one of its own')
  t.not(keys('globex', 'x')[0], keys('acme', 'x')[0], 'a tenant that calls itself like an organization')
})

t.test('override over operator over configuration', async (t) => {
  const limits = { it: rule() }
  const quotas = { it: rule({ amount: 2_000, mode: 'shadow' }), more: rule({ amount: 5 }) }
  const overrides = [{ limit: 'it', match: { tenant: 'acme' }, amount: 9_000, expiresAt: 1 }]
  t.match(named(bookOf({ limits }), 'it'), { amount: 1_000, source: 'config' })
  t.match(named(bookOf({ limits, quotas }), 'it'), { amount: 2_000, mode: 'shadow', source: 'operator' })
  t.match(named(bookOf({ limits, quotas }), 'more'), { amount: 5, source: 'operator' })
  const book = bookOf({ limits, quotas, overrides })
  t.match(named(book, 'it'), { amount: 9_000, burst: 9_000, source: 'override' })
  const other = simulatedPrincipal(['app'], { tenant: 'other' })
  t.match(named(book, 'it', other), { amount: 2_000 })
  t.equal(named(book, 'it')?.key, named(bookOf({ limits }), 'it')?.key, 'the bucket stays')
})

t.test('an override that names what does not tell buckets apart changes nothing', async (t) => {
  const overrides = [{ limit: 'it', match: { principal: app.id }, amount: 9_000, expiresAt: 1 }]
  t.match(named(bookOf({ limits: { it: rule() }, overrides }), 'it'), { amount: 1_000 })
})

t.test('an operator changes the limits of a role by their names', async (t) => {
  const quotas = {
    'role.app.requests': rule({ counts: 'requests', amount: 600, burst: 7 }),
    'role.app.in_flight': rule({ counts: 'in_flight', amount: 1, mode: 'shadow' }),
    'role.app.total_tokens': rule({ amount: 50 }),
  }
  const book = bookOf({ quotas })
  t.match(named(book, 'role.app.requests'), { amount: 600, burst: 7, source: 'operator' })
  t.match(named(book, 'role.app.in_flight'), { amount: 1, mode: 'shadow' })
  t.match(named(book, 'role.app.total_tokens'), { amount: 50, counts: 'total_tokens' })
  t.equal(book.limitsFor(app, 'llama').length, 3)
})

t.test('cost is held in nano units', async (t) => {
  const book = bookOf({ limits: { money: rule({ counts: 'cost', per: 'month', amount: 12.5 }) } })
  t.match(named(book, 'money'), { amount: 12_500_000_000, burst: 12_500_000_000 })
})

const text = fc.oneof(
  fc.string({ maxLength: 8 }),
  fc.constantFrom('a', 'a,b', 'tenant=a', '{x}', '%2C', '\ud800'),
)

t.test('no choice of names makes two buckets one', async (t) => {
  const by = fc.uniqueArray(fc.constantFrom(...dimensions), { maxLength: 5 })
  const caller = fc.record({ tenant: text, id: text, model: text })
  fc.assert(
    fc.property(by, caller, caller, (by, one, other) => {
      const book = bookOf({ limits: { it: rule({ by }) } })
      const keyOf = ({ tenant, id, model }: typeof one) =>
        named(book, 'it', simulatedPrincipal(['app'], { tenant, id }), model)?.key
      // A principal belongs to its tenant.
      const apart = by.some((dimension) => {
        if (dimension === 'tenant' || dimension === 'organization') return different(one.tenant, other.tenant)
        if (dimension === 'principal')
          return different(one.id, other.id) || different(one.tenant, other.tenant)
        return dimension === 'model' && different(one.model, other.model)
      })
      return (keyOf(one) !== keyOf(other)) === apart
    }),
  )
  t.pass()
})

/** Lone surrogates are not text: all of them are one. */
const different = (one: string, other: string): boolean => one.toWellFormed() !== other.toWellFormed()

t.test('all limits of one exchange have one shard, and a bucket always the same', async (t) => {
  const some = fc.uniqueArray(fc.constantFrom(...dimensions), { maxLength: 3 })
  const tenant = fc.constantFrom('a', 'b', 'c', 'd')
  fc.assert(
    fc.property(fc.array(some, { maxLength: 3 }), tenant, tenant, (sets, one, other) => {
      const limits = Object.fromEntries(sets.map((by, index) => [`l${index}`, rule({ by })]))
      const book = bookOf({ limits, organizations: { a: 'x', b: 'x' } })
      const of = (tenant: string) => book.limitsFor(simulatedPrincipal(['app'], { tenant }), 'llama')
      const shardByKey = new Map([...of(one), ...of(other)].map(({ key, shard }) => [key, shard]))
      return (
        new Set(of(one).map(({ shard }) => shard)).size === 1 &&
        [...of(one), ...of(other)].every(({ key, shard }) => shardByKey.get(key) === shard)
      )
    }),
  )
  t.pass()
})

t.test('what was resolved once is not resolved again, and strangers do not fill the memory', async (t) => {
  const book = bookOf({ limits: { it: rule() } })
  t.equal(book.limitsFor(app, 'llama'), book.limitsFor(simulatedPrincipal(['app']), 'llama'))
  for (let n = 0; n < 10_001; n += 1) book.limitsFor(simulatedPrincipal(['app'], { id: `x/${n}` }), 'llama')
  t.match(named(book, 'it'), { amount: 1_000 })
})
