import t from 'tap'
import { type ClaimRules, checkTimes, parsePayload, readClaims } from '../../src/identity/claims.ts'
import { goodClaims, issuerUrl, refusedAs } from './token-maker.ts'

const now = 1_800_000_000_000
const seconds = now / 1000

const rules: ClaimRules = {
  issuer: issuerUrl,
  audience: 'gw',
  audienceMayBeList: false,
  types: ['at+jwt', 'JWT'],
  typeMayBeAbsent: false,
  tokenLifetimeSecondsMax: 3600,
  clockSkewSeconds: 30,
  binding: 'none',
  mapping: { tenant: { path: ['tenant'] }, roles: ['roles'] },
}

function check(claims: object | string, more: Partial<ClaimRules> = {}, typ: string | undefined = 'at+jwt') {
  const text = typeof claims === 'string' ? claims : JSON.stringify(claims)
  const merged = { ...rules, ...more }
  const read = readClaims(typ, parsePayload(Buffer.from(text)), merged, now)
  checkTimes(read, merged, now)
  return read
}

const without = (name: string) =>
  Object.fromEntries(Object.entries(goodClaims(now)).filter(([each]) => each !== name))
/** The good claims with one value in raw JSON, for numbers that JavaScript would not write. */
const withRaw = (name: string, raw: string) =>
  `${JSON.stringify(without(name)).slice(0, -1)},"${name}":${raw}}`

t.test('good claims are read', async (t) => {
  t.same(check(goodClaims(now)), {
    subject: 'a',
    tokenId: 'j1',
    expiresAt: now + 300_000,
    notBefore: undefined,
    issuedAt: now,
    confirmation: undefined,
    tenant: 'blue',
    roles: ['chat'],
    tokenScopes: undefined,
  })
})

t.test('a payload that is no plain object is refused', async (t) => {
  const good = JSON.stringify(goodClaims(now))
  for (const text of [
    `[${good}]`,
    '"x"',
    'null',
    '5',
    '',
    good.replace('"sub":"a"', '"sub":"a","sub":"admin"'),
  ]) {
    t.throws(() => check(text), refusedAs('bad_payload'), text)
  }
  t.throws(() => check(`{"__proto__":{"scope":"admin"},${good.slice(1)}`), refusedAs('bad_payload'))
})

t.test('iss, aud, exp, sub and the tenant are required', async (t) => {
  for (const name of ['iss', 'aud', 'exp', 'sub', 'tenant']) {
    t.throws(() => check(without(name)), refusedAs('missing_claim'), name)
  }
})

t.test('dates are safe whole seconds', async (t) => {
  for (const name of ['exp', 'nbf', 'iat']) {
    for (const raw of [
      '"9999999999"',
      '1e400',
      '1e20',
      'null',
      `[${seconds + 60}]`,
      '-1',
      '1.5',
      'true',
      '{}',
    ]) {
      t.throws(() => check(withRaw(name, raw)), refusedAs('bad_claim'), `${name} ${raw}`)
    }
  }
})

t.test('a token is dead at its exp, without leeway', async (t) => {
  const at = (exp: number) => check(goodClaims(now, { iat: seconds - 100, exp }))
  t.throws(() => at(seconds - 61), refusedAs('expired'))
  t.throws(() => at(seconds), refusedAs('expired'))
  t.equal(at(seconds + 1).expiresAt, now + 1000)
})

t.test('nbf and iat may be ahead by the skew and no more', async (t) => {
  t.doesNotThrow(() => check(goodClaims(now, { nbf: seconds + 30, iat: seconds + 30 })))
  t.throws(() => check(goodClaims(now, { nbf: seconds + 31 })), refusedAs('not_yet_valid'))
  t.throws(() => check(goodClaims(now, { iat: seconds + 31 })), refusedAs('issued_in_future'))
})

t.test('the lifetime is bounded from iat, or from now without iat', async (t) => {
  t.doesNotThrow(() => check(goodClaims(now, { iat: seconds - 10, exp: seconds + 3590 })))
  t.throws(
    () => check(goodClaims(now, { iat: seconds - 11, exp: seconds + 3590 })),
    refusedAs('lifetime_too_long'),
  )
  const timeless = without('iat')
  t.equal(check({ ...timeless, exp: seconds + 3600 }).issuedAt, undefined)
  t.throws(() => check({ ...timeless, exp: seconds + 3601 }), refusedAs('lifetime_too_long'))
})

t.test('the audience is ours', async (t) => {
  for (const aud of [
    '[]',
    '"other"',
    '"GW"',
    '5',
    '{"0":"gw"}',
    'null',
    '["x","gw"]',
    '["gw"]',
    '""',
    'true',
  ]) {
    t.throws(() => check(withRaw('aud', aud)), refusedAs('wrong_audience'), aud)
  }
  const list = { audienceMayBeList: true }
  t.doesNotThrow(() => check(withRaw('aud', '["x","gw"]'), list))
  for (const aud of [
    '[]',
    '["x"]',
    '["gw",5]',
    '[["gw"]]',
    '{"0":"gw"}',
    JSON.stringify(Array(17).fill('gw')),
  ]) {
    t.throws(() => check(withRaw('aud', aud), list), refusedAs('wrong_audience'), aud)
  }
})

t.test('the issuer is exact', async (t) => {
  for (const iss of [`"${issuerUrl}/"`, `["${issuerUrl}"]`, 'null', '"HTTPS://idp.test"']) {
    t.throws(() => check(withRaw('iss', iss)), refusedAs('wrong_issuer'), iss)
  }
})

t.test('sub and jti are printable and bounded', async (t) => {
  const values = [
    '""',
    '" a"',
    '"a\\n"',
    '"\\u202ea"',
    '"ä"',
    '"\\ud800"',
    '5',
    'null',
    '["a"]',
    `"${'a'.repeat(513)}"`,
  ]
  for (const raw of values) {
    t.throws(() => check(withRaw('sub', raw)), refusedAs('bad_claim'), `sub ${raw}`)
    t.throws(() => check(withRaw('jti', raw)), refusedAs('bad_claim'), `jti ${raw}`)
  }
  t.equal(check(without('jti')).tokenId, undefined)
})

t.test('typ is one of the list', async (t) => {
  for (const typ of ['at+jwt', 'JWT', 'jwt', 'application/at+jwt', 'Application/AT+JWT']) {
    t.doesNotThrow(() => check(goodClaims(now), {}, typ), typ)
  }
  for (const typ of ['dpop+jwt', 'logout+jwt', 'application/application/jwt', 'text/jwt', 'JWT ']) {
    t.throws(() => check(goodClaims(now), {}, typ), refusedAs('wrong_type'), typ)
  }
  const parsed = parsePayload(Buffer.from(JSON.stringify(goodClaims(now))))
  t.throws(() => readClaims(undefined, parsed, rules, now), refusedAs('wrong_type'))
  t.doesNotThrow(() => readClaims(undefined, parsed, { ...rules, typeMayBeAbsent: true }, now))
})
