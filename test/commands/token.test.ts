import { createPublicKey, verify, X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { makeFolder } from '../../src/commands/dev/folder.ts'
import { runProgram } from './run-program.ts'

const folder = mkdtempSync(join(tmpdir(), 'sallyport-token-'))
await makeFolder(folder)
t.teardown(() => rmSync(folder, { recursive: true }))

const token = (...args: string[]) => runProgram(['token', '-d', folder, ...args])
const claimsOf = (jwt: string) => JSON.parse(Buffer.from(jwt.split('.')[1] as string, 'base64url').toString())

t.test('a token is signed by the key that the gateway trusts', async (t) => {
  const { code, out } = await token()
  t.equal(code, 0)
  const [header, payload, signature] = out.trim().split('.') as [string, string, string]
  const { keys } = JSON.parse(readFileSync(join(folder, 'config/issuer.jwks.json'), 'utf8'))
  const key = createPublicKey({ key: keys[0], format: 'jwk' })
  const given = Buffer.from(signature, 'base64url')
  const input = Buffer.from(`${header}.${payload}`)
  t.ok(verify('sha256', input, { key, dsaEncoding: 'ieee-p1363' }, given))
  t.match(claimsOf(out), { sub: 'developer', tenant: 'demo', roles: ['app'], aud: 'sallyport' })
})

t.test('claims are as asked for', async (t) => {
  const { out } = await token(
    '-s',
    'eve',
    '-t',
    'acme',
    '-r',
    'app',
    'research',
    '--lifetime',
    '60',
    '--json',
  )
  const { token: jwt, claims } = JSON.parse(out)
  t.same(claimsOf(jwt), claims)
  t.match(claims, { sub: 'eve', tenant: 'acme', roles: ['app', 'research'] })
  t.equal(claims.exp - claims.iat, 60)
})

t.test('a negative lifetime gives a token that was good once', async (t) => {
  const { exp, iat } = claimsOf((await token('--lifetime', '-10')).out)
  t.ok(exp < Date.now() / 1000)
  t.ok(iat < exp)
})

t.test('--bind names the SHA-256 of the certificate (RFC 8705)', async (t) => {
  const file = join(folder, 'client.crt')
  const { cnf } = claimsOf((await token('--bind', file)).out)
  const fingerprint = new X509Certificate(readFileSync(file)).fingerprint256.replaceAll(':', '')
  t.equal(Buffer.from(cnf['x5t#S256'], 'base64url').toString('hex').toUpperCase(), fingerprint)
})

t.test('what cannot be done is one line that says what to do', async (t) => {
  const nowhere = await runProgram(['token', '-d', join(folder, 'nowhere')])
  t.equal(nowhere.code, 1)
  t.match(nowhere.err, /^.+issuer\.key is missing\. Start the gateway once: npm start\n$/)
  writeFileSync(join(folder, 'text'), 'no certificate')
  for (const file of ['text', 'missing']) {
    const { code, err } = await token('--bind', join(folder, file))
    t.equal(code, 1)
    t.match(err, /^.+ is not a certificate in PEM that can be read\.\n$/)
  }
})
