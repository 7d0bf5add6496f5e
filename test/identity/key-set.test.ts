import { generateKeyPairSync } from 'node:crypto'
import t from 'tap'
import { keySetBytesMax, parseKeySet } from '../../src/identity/key-set.ts'
import { faultOf, jwksOf, makeKey } from './token-maker.ts'

const key = makeKey('k1')
const parse = (value: unknown) =>
  parseKeySet(Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)))

t.test('a key is chosen by its id; without an id only from a set of one', async (t) => {
  const set = parseKeySet(jwksOf(key, makeKey('k2')))
  t.equal(set.choose('k1')?.kid, 'k1')
  t.equal(set.choose('k3'), undefined)
  t.equal(set.choose(undefined), undefined)
  const single = parseKeySet(jwksOf(key))
  t.equal(single.choose(undefined)?.kid, 'k1')
  t.equal(single.choose('other'), undefined)
})

t.test('a PEM public key serves every key id; a private key or a certificate is no public key', async (t) => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString()
  t.same(parse(pem).choose('any')?.algorithms, ['EdDSA'])
  t.throws(
    () => parse(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()),
    faultOf('private_key'),
  )
  t.throws(
    () => parse('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'),
    faultOf('no_usable_key'),
  )
  t.throws(() => parse(pem + pem), faultOf('no_usable_key'), 'one key only')
  const x = generateKeyPairSync('x25519').publicKey.export({ type: 'spki', format: 'pem' }).toString()
  t.throws(() => parse(x), faultOf('no_usable_key'))
})

t.test('a set is refused whole for what makes it doubtful', async (t) => {
  const privateJwk = { ...key.jwk, d: 'AAAA' }
  const many = Array.from({ length: 51 }, (_, index) => ({ ...key.jwk, kid: `k${index}` }))
  t.throws(() => parse('<html>'), faultOf('not_json'))
  t.throws(() => parse({ keys: [key.jwk, 'x'] }), faultOf('not_json'))
  t.throws(() => parse('{"keys":[],"keys":[]}'), faultOf('not_json'))
  t.throws(() => parse(' '.repeat(keySetBytesMax + 1)), faultOf('not_json'))
  for (const value of [{}, [], { keys: {} }, { keys: [] }, key.jwk])
    t.throws(() => parse(value), faultOf('no_keys'))
  t.throws(() => parse({ keys: many }), faultOf('too_many_keys'))
  t.throws(() => parse({ keys: [key.jwk, { ...makeKey('k2').jwk, kid: 'k1' }] }), faultOf('duplicate_kid'))
  t.throws(() => parse({ keys: [key.jwk, { ...key.jwk, kid: 'k1', use: 'enc' }] }), faultOf('duplicate_kid'))
  for (const name of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']) {
    t.throws(
      () => parse({ keys: [key.jwk, { kty: 'EC', kid: 'k2', [name]: 'AAAA' }] }),
      faultOf('private_key'),
      name,
    )
  }
  t.throws(() => parse({ keys: [privateJwk] }), faultOf('private_key'))
})

t.test('a key that is no use here is left out, with the reason', async (t) => {
  const rsa = (modulusLength: number) =>
    generateKeyPairSync('rsa', { modulusLength }).publicKey.export({ format: 'jwk' })
  const cases: readonly (readonly [string, object])[] = [
    ['not_for_signing', { ...key.jwk, use: 'enc' }],
    ['not_for_signing', { ...key.jwk, key_ops: ['sign'] }],
    ['not_for_signing', { ...key.jwk, key_ops: 'verify' }],
    ['unknown_algorithm', { ...key.jwk, alg: 'ES384' }],
    ['unknown_algorithm', { ...key.jwk, alg: 'none' }],
    ['unknown_algorithm', { ...key.jwk, alg: 'HS256' }],
    ['unsupported_type', { ...key.jwk, crv: 'secp256k1' }],
    ['unsupported_type', { ...key.jwk, kty: 'toString' }],
    ['unsupported_type', { kty: 'OKP', crv: 'X25519', x: key.jwk['x'] }],
    ['malformed_key', { ...key.jwk, x: `${key.jwk['x']}=` }],
    ['malformed_key', { ...key.jwk, y: key.jwk['x'] }],
    ['malformed_key', { ...key.jwk, kid: 5 }],
    ['malformed_key', { ...key.jwk, kid: '' }],
    ['malformed_key', { kty: 'RSA', n: 5, e: 'AQAB' }],
    ['weak_key', { ...rsa(1024) }],
    ['weak_key', { ...rsa(2048), e: 'Aw' }],
    ['weak_key', { ...rsa(2048), e: 'AQAC' }],
    ['weak_key', { kty: 'RSA', n: Buffer.alloc(1025, 255).toString('base64url'), e: 'AQAB' }],
  ]
  for (const [reason, jwk] of cases) {
    const set = parse({ keys: [{ ...makeKey('good').jwk }, { ...jwk, kid: 'kid' in jwk ? jwk.kid : 'bad' }] })
    t.same(set.unusable, [reason], JSON.stringify(jwk).slice(0, 60))
    t.throws(() => parse({ keys: [jwk] }), faultOf('no_usable_key'))
  }
})

t.test('without alg a key serves what its type and curve allow', async (t) => {
  const { alg, ...jwk } = key.jwk
  t.equal(alg, 'ES256')
  t.same(parse({ keys: [jwk] }).keys[0]?.algorithms, ['ES256'])
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const rsa = parse({ keys: [publicKey.export({ format: 'jwk' })] })
  t.same(rsa.keys[0]?.algorithms, ['PS256', 'PS384', 'PS512', 'RS256', 'RS384', 'RS512'])
})
