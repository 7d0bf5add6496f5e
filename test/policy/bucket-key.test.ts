import fc from 'fast-check'
import t from 'tap'
import { parseBucketKey } from '../../src/policy/bucket-key.ts'
import { LimitBook } from '../../src/policy/limit-book.ts'
import type { LimitRule } from '../../src/policy/limit-rule.ts'

const rule = (changes: Partial<LimitRule>): LimitRule => ({
  counts: 'requests',
  per: 'minute',
  amount: 60,
  by: ['tenant'],
  mode: 'enforce',
  onStoreFailure: 'lease',
  timeZone: 'UTC',
  ...changes,
})

const book = new LimitBook({
  roles: {
    app: { requestsPerMinute: 6, inFlight: 2, tokensPerMinute: 100 },
    'app.requests': { requestsPerMinute: 3, inFlight: 1 },
  },
  limits: {
    everybody: rule({ by: [] }),
    organization: rule({ by: ['organization'] }),
    principal: rule({ by: ['principal'], where: { tenants: ['*'] } }),
    model: rule({ by: ['model', 'role'], counts: 'total_tokens' }),
    day: rule({ counts: 'cost', per: 'day' }),
  },
  overrides: [
    { limit: 'principal', match: { principal: 'i/bob' }, amount: 9, expiresAt: Number.MAX_SAFE_INTEGER },
  ],
  organizations: { acme: 'big' },
})

t.test('the limit of a bucket is found by its key, as it applied to whoever made it', (t) => {
  const name = fc.oneof(fc.constantFrom('acme', 'a|b,c=d', '%7C', 'ü/😀', '{x}'), fc.string({ minLength: 1 }))
  fc.assert(
    fc.property(name, name, name, fc.constantFrom('app', 'app.requests'), (tenant, id, model, role) =>
      book
        .limitsFor({ id, tenant, roles: [role] }, model)
        .every((limit) => JSON.stringify(book.limitAt(limit.key)) === JSON.stringify(limit)),
    ),
  )
  const [limit] = book
    .limitsFor({ id: 'i/bob', tenant: 'acme', roles: ['app'] }, 'm')
    .filter(({ name }) => name === 'principal')
  t.match(book.limitAt(limit?.key ?? ''), { source: 'override', amount: 9 })
  t.end()
})

t.test('no other text is a key', (t) => {
  for (const key of [
    '',
    'everybody',
    'everybody|requests/minute',
    'everybody|requests/minute|tenant=a',
    'everybody|requests/hour|',
    'everybody|requests/minute||',
    'organization|requests/minute|tenant=acme',
    'day|cost/day|tenant=%E0%A4%A',
    'day|cost/day|planet=mars',
    'constructor|requests/minute|',
    'role.app.requests|requests/minute|',
    'role.none.requests|requests/minute|tenant=a',
  ])
    t.equal(book.limitAt(key), undefined, key)
  t.equal(parseBucketKey('a|b|tenant=%zz'), undefined)
  fc.assert(fc.property(fc.string(), (key) => book.limitAt(key) === undefined))
  t.end()
})
