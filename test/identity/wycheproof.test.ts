/**
 * The Wycheproof vectors for JOSE against the JWS layer and the key sets that serve production.
 *
 * HMAC: `src/` has none, by design. The vectors that need it get a key from this file, so that they still test what
 * is ours in them: the strict compact form, the header rules and the binding of a key to its algorithm.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { readFileSync } from 'node:fs'
import t from 'tap'
import { signatureAlgorithms } from '../../src/identity/algorithm.ts'
import { decodeBase64url } from '../../src/identity/base64url.ts'
import { type JwsKey, parseJws, verifyJws } from '../../src/identity/jws.ts'
import { type KeySet, KeysRefused, keySet, parseKeySet } from '../../src/identity/key-set.ts'
import { Refusal } from '../../src/refusal.ts'
import { faultOf } from './token-maker.ts'
import { deviations } from './wycheproof.deviations.ts'

interface Vector {
  readonly tcId: number
  readonly result: 'valid' | 'invalid'
  readonly jws?: unknown
  readonly jwe?: unknown
}
interface Group {
  readonly public?: object
  readonly private: object
  readonly tests: readonly Vector[]
}

const hmacAlgorithms = ['HS256', 'HS384', 'HS512']
const allowed = [...signatureAlgorithms, ...hmacAlgorithms]

for (const [name, count] of [
  ['signature', 401],
  ['key', 26],
  ['crypto', 83],
] as const) {
  t.test(`json_web_${name}: the verdict of all ${count} vectors but the listed deviations`, async (t) => {
    const differing: string[] = []
    let seen = 0
    for (const group of groups(name)) {
      for (const vector of group.tests) {
        seen += 1
        if (accepts(group, vector) !== (vector.result === 'valid')) differing.push(`${name} ${vector.tcId}`)
      }
    }
    t.equal(seen, count)
    t.same(
      differing,
      Object.keys(deviations).filter((id) => id.startsWith(name)),
    )
  })
}

t.test('json_web_encryption: all 139 JWE are refused', async (t) => {
  const vectors = groups('encryption').flatMap((group) => group.tests.map((vector) => ({ group, vector })))
  t.equal(vectors.length, 139)
  t.same(
    vectors.filter(({ group, vector }) => accepts(group, vector)),
    [],
  )
})

t.test('the two vectors that are labelled invalid are the valid token', async (t) => {
  const vectors = groups('signature').flatMap(({ tests }) => tests)
  const jws = (id: number) => vectors.find(({ tcId }) => tcId === id)?.jws
  t.equal(jws(367), jws(357))
  t.equal(jws(370), jws(357))
})

t.test('no algorithm of the HS family can be configured, and no symmetric key loaded', async (t) => {
  t.notOk(
    signatureAlgorithms.some((algorithm) => algorithm.startsWith('HS') || algorithm === ('none' as string)),
  )
  const jwks = {
    keys: [{ kty: 'oct', kid: 'a', alg: 'HS256', k: Buffer.alloc(32, 1).toString('base64url') }],
  }
  t.throws(() => parseKeySet(Buffer.from(JSON.stringify(jwks))), faultOf('private_key'))
})

function groups(name: string): readonly Group[] {
  const file = new URL(`../vectors/wycheproof/json_web_${name}_test.json`, import.meta.url)
  return JSON.parse(readFileSync(file, 'utf8')).testGroups
}

/** Whether the token passes; a refusal that is not one of ours is a bug and is thrown on. */
function accepts(group: Group, vector: Vector): boolean {
  const token = vector.jws ?? vector.jwe ?? ''
  if (typeof token !== 'string') return false // JSON serialization cannot even be said in a header
  try {
    const jws = parseJws(token)
    const key = keysOf(group.public ?? group.private).choose(jws.header.kid)
    if (key === undefined) return false
    verifyJws(jws, key, allowed)
    return true
  } catch (error) {
    if (error instanceof Refusal || error instanceof KeysRefused) return false
    throw error
  }
}

function keysOf(source: object): KeySet<JwsKey> {
  const jwks: { keys: Record<string, string>[] } =
    'keys' in source ? (source as never) : { keys: [{ ...source }] }
  const areSymmetric = jwks.keys.every(({ kty }) => kty === 'oct')
  return areSymmetric ? keySet(jwks.keys.map(hmacKey)) : parseKeySet(Buffer.from(JSON.stringify(jwks)))
}

function hmacKey(jwk: Record<string, string>): JwsKey {
  const secret = decodeBase64url(jwk['k'] ?? '') ?? Buffer.alloc(0)
  const algorithms = hmacAlgorithms.filter(
    (each) => each === jwk['alg'] && secret.length * 8 >= Number(each.slice(2)),
  )
  return {
    kid: jwk['kid'],
    algorithms: jwk['use'] === 'sig' ? algorithms : [],
    verifies: (algorithm, input, signature) => {
      const mac = createHmac(`sha${algorithm.slice(2)}`, secret)
        .update(input)
        .digest()
      return mac.length === signature.length && timingSafeEqual(mac, signature)
    },
  }
}
