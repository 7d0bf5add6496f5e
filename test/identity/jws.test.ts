import { sign } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { parseJws, verifyJws } from '../../src/identity/jws.ts'
import { keySet, parseKeySet } from '../../src/identity/key-set.ts'
import { Refusal } from '../../src/refusal.ts'
import { encode, faultOf, headerOf, jwksOf, makeKey, refusedAs, signToken } from './token-maker.ts'

const key = makeKey('k1')
const set = parseKeySet(jwksOf(key))
const publicKey = set.choose('k1')

function verify(token: string): void {
  if (publicKey === undefined) throw new Error('the key set lacks its key')
  verifyJws(parseJws(token), publicKey, ['ES256'])
}

t.test('a good token passes', async (t) => {
  t.doesNotThrow(() => verify(signToken(key, 'Test')))
})

t.test('header members that bring keys or change the meaning are refused', async (t) => {
  const extra = {
    jku: 'https://evil.test/jwks',
    jwk: makeKey('evil').jwk,
    x5u: 'https://evil.test/x5u',
    x5c: ['AAAA'],
    crit: ['exp'],
    b64: false,
    zip: 'DEF',
    enc: 'A256GCM',
    epk: {},
  }
  for (const [name, value] of Object.entries(extra)) {
    t.throws(
      () => verify(signToken(key, {}, { ...headerOf(key), [name]: value })),
      refusedAs('forbidden_header'),
      name,
    )
  }
})

t.test('an unknown header member means nothing', async (t) => {
  t.doesNotThrow(() => verify(signToken(key, {}, { ...headerOf(key), 'pi.atm': 'x' })))
})

t.test('headers that are no strict JSON object are refused', async (t) => {
  const headers = [
    '{"alg":"ES256","alg":"none"}',
    '{"alg":"ES256","__proto__":{}}',
    '["ES256"]',
    'null',
    '"x"',
    '\ufeff{"alg":"ES256"}',
    '{"alg":5}',
    '{"alg":["ES256"]}',
    '{}',
    '{"alg":"ES256","kid":1}',
    '{"alg":"ES256","kid":""}',
    `{"alg":"ES256","kid":"${'k'.repeat(257)}"}`,
    '{"alg":"ES256","kid":"a\\nb"}',
    '{"alg":"ES256","typ":null}',
    `{"alg":"ES256","x":"${'x'.repeat(2100)}"}`,
    '{"alg":"ES256","x":[[[[1]]]]}',
  ]
  for (const header of headers)
    t.throws(() => verify(signToken(key, {}, header)), refusedAs('bad_header'), header)
})

t.test('algorithms other than the allowed one are refused, in any spelling', async (t) => {
  for (const alg of [
    'none',
    'nOnE',
    'None',
    'HS256',
    'hs256',
    'es256',
    'ES384',
    'RS256',
    'ES256K',
    ' ES256x',
  ]) {
    const token = signToken(key, {}, { alg, kid: 'k1' })
    t.throws(() => verify(token), { code: 'invalid_token' }, alg)
  }
  t.throws(
    () => verify(`${encode({ alg: 'none' })}.${encode({})}.`),
    refusedAs('malformed_token'),
    'empty signature',
  )
  t.throws(() => verify(`${encode({ alg: 'none' })}.${encode({})}.AAAA`), refusedAs('algorithm_not_allowed'))
})

t.test('every other spelling of the token is refused', async (t) => {
  const token = signToken(key, 'Test')
  const [header, payload, signature] = token.split('.') as [string, string, string]
  const refused = {
    'two parts': `${header}.${payload}`,
    'four parts': `${token}.x`,
    'five parts of a JWE': `${token}.x.y`,
    'no header': `.${payload}.${signature}`,
    padding: `${header}.${payload}.${signature}==`,
    space: `${header}.${payload} .${signature}`,
    'line end': `${token}\n`,
    'other alphabet': `${header}.${payload}.${signature.slice(0, -2)}+/`,
    'unused bits set': `${header}.VGVzdB.${signature}`,
    empty: '',
    dots: '..',
    'too long': `${header}.${'A'.repeat(8192)}.${signature}`,
  }
  for (const [name, text] of Object.entries(refused))
    t.throws(() => verify(text), { code: 'invalid_token' }, name)
})

t.test('ES256 signatures of another form are refused; the twin with n - s passes', async (t) => {
  const input = `${encode(headerOf(key))}.${encode({})}`
  const raw = sign('sha256', Buffer.from(input), { key: key.privateKey, dsaEncoding: 'ieee-p1363' })
  const der = sign('sha256', Buffer.from(input), key.privateKey)
  const n = BigInt('0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551')
  const number = (value: bigint) => Buffer.from(value.toString(16).padStart(64, '0'), 'hex')
  const r = raw.subarray(0, 32)
  const s = BigInt(`0x${raw.subarray(32).toString('hex')}`)
  const refused = {
    DER: der,
    'r = 0, s = 0': Buffer.alloc(64),
    'r = n': Buffer.concat([number(n), raw.subarray(32)]),
    's = n': Buffer.concat([r, number(n)]),
    short: raw.subarray(0, 63),
    long: Buffer.concat([raw, Buffer.alloc(1)]),
  }
  for (const [name, bytes] of Object.entries(refused)) {
    t.throws(() => verify(`${input}.${bytes.toString('base64url')}`), refusedAs('bad_signature'), name)
  }
  const twin = Buffer.concat([r, number(n - s)])
  t.doesNotThrow(
    () => verify(`${input}.${twin.toString('base64url')}`),
    'a valid signature: revocation goes by jti',
  )
})

t.test('a key serves only tokens that name it', async (t) => {
  const other = makeKey('k2')
  t.throws(() => verify(signToken(other, {}, headerOf(other))), refusedAs('unknown_key'))
  t.throws(() => verify(signToken(other, {}, headerOf(key))), refusedAs('bad_signature'))
  t.throws(() => keySet([set.keys, set.keys].flat()), faultOf('duplicate_kid'))
})

t.test('property: any bytes end in a Refusal, never in another error', async (t) => {
  const base = signToken(key, { a: 1 })
  const mutated = fc
    .tuple(fc.nat(base.length - 1), fc.constantFrom('', '.', 'A', '=', '-', '\u0000', 'é', '..'))
    .map(([at, text]) => base.slice(0, at) + text + base.slice(at + 1))
    .filter((text) => text !== base)
  const run = () =>
    fc.assert(
      fc.property(
        fc.oneof(mutated, fc.string(), fc.string({ unit: fc.constantFrom('.', 'e', 'A', '{') })),
        (text) => {
          try {
            verify(text)
            return false
          } catch (error) {
            return error instanceof Refusal && error.code === 'invalid_token'
          }
        },
      ),
      { numRuns: 200 },
    )
  t.doesNotThrow(run)
})
