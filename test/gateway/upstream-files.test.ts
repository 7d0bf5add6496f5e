import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { readApiKey, readUpstreamTls } from '../../src/gateway/upstream-files.ts'
import { makeAuthority } from '../support/certificates.ts'

const folder = mkdtempSync(join(tmpdir(), 'sallyport-upstream-files-'))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))
const path = (file: string): string => join(folder, file)
const put = (file: string, text: string): void => writeFileSync(path(file), text, { mode: 0o600 })

const DAY_MS = 86_400_000
const now = Date.now()
const [ca, otherCa] = await Promise.all([makeAuthority('one'), makeAuthority('other')])
const [client, other] = await Promise.all([ca.issue(), otherCa.issue()])
const names = { ca: path('ca.crt'), certificate: path('client.crt'), key: path('client.key') }

function reset(): void {
  put('ca.crt', ca.cert + otherCa.cert)
  put('client.crt', client.cert)
  put('client.key', client.key)
  chmodSync(names.key, 0o600)
}

t.test('good files are read as they are', async (t) => {
  reset()
  const files = readUpstreamTls({ ...names, serverName: 'model.test' }, now)
  t.equal(String(files?.ca), ca.cert + otherCa.cert)
  t.equal(String(files?.key), client.key)
  t.equal(files?.serverName, 'model.test')
  t.equal(readUpstreamTls(undefined, now), undefined)
  t.strictSame(Object.keys(readUpstreamTls({ ca: names.ca }, now) ?? {}), ['ca'])
})

const notDer = '-----BEGIN CERTIFICATE-----\nMAAA\n-----END CERTIFICATE-----\n'
/** What is wrong, which file is blamed, and how it came to be. */
const broken: readonly (readonly [string, string, () => void])[] = [
  ['an empty bundle', names.ca, () => put('ca.crt', '')],
  ['a bundle that is cut short', names.ca, () => put('ca.crt', ca.cert + otherCa.cert.slice(0, 99))],
  ['a bundle of something else', names.ca, () => put('ca.crt', notDer)],
  ['a certificate of another key', names.key, () => put('client.crt', other.cert)],
  ['a certificate that is none', names.certificate, () => put('client.crt', 'hello')],
  ['a key that is none', names.key, () => put('client.key', 'geheim')],
  ['an empty key', names.key, () => put('client.key', '')],
  ['a key that everybody can read', names.key, () => chmodSync(names.key, 0o604)],
]
for (const [name, file, spoil] of broken) {
  t.test(`${name} is refused by its name`, async (t) => {
    reset()
    spoil()
    t.throws(() => readUpstreamTls(names, now), { name: 'FileRefused', message: file })
  })
}

t.test('a certificate outside its dates is refused', async (t) => {
  reset()
  const refused = { name: 'FileRefused', message: names.certificate }
  t.throws(() => readUpstreamTls(names, now + 400 * DAY_MS), refused)
  t.throws(() => readUpstreamTls(names, now - 400 * DAY_MS), refused)
})

t.test('no refusal quotes a file', async (t) => {
  reset()
  put('client.key', 'geheim')
  const refusal = (use: () => unknown): string => {
    try {
      return `accepted ${use()}`
    } catch (error) {
      return String(error)
    }
  }
  t.notMatch(
    refusal(() => readUpstreamTls(names, now)),
    /geheim|accepted/,
  )
  put('api.key', 'sk-geheim\nmore')
  t.notMatch(
    refusal(() => readApiKey(path('api.key'))),
    /geheim|accepted/,
  )
  put('api.key', 'sk-geheim')
  chmodSync(path('api.key'), 0o606)
  t.notMatch(
    refusal(() => readApiKey(path('api.key'))),
    /geheim|accepted/,
  )
  chmodSync(path('api.key'), 0o640)
  t.equal(readApiKey(path('api.key')).reveal(), 'sk-geheim')
})
