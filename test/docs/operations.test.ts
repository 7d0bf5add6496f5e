// What the pages for operators print is taken by the gateway as it stands.
import t from 'tap'
import { parse } from 'yaml'
import { peerFaults } from '../../src/identity/peer-rules.ts'
import { parseRevocations } from '../../src/identity/revocation.ts'
import { createEvents } from '../../src/telemetry/events.ts'
import { KnownNames } from '../../src/telemetry/known-names.ts'
import { createLog } from '../../src/telemetry/log.ts'
import { recognizerFaults } from '../../src/telemetry/recognizer-fault.ts'
import { configFolder } from '../gateway/config-folder.ts'
import { blocksOf, readDocument } from '../support/markdown.ts'

const tokens = readDocument('docs/operations/tokens.md')
const certificates = readDocument('docs/operations/certificates.md')
const reload = readDocument('docs/operations/reload-and-drain.md')
const recognizerPage = readDocument('docs/operations/recognizer-service.md')

interface Service {
  readonly tls: { readonly ca: string; readonly certificate: string; readonly key: string }
  readonly apiKeyFile: string
}

t.test('the issuers are a configuration that loads', async (t) => {
  const folder = await configFolder(t)
  const blocks = blocksOf(tokens).filter(
    ({ language, text }) => language === 'yaml' && text.startsWith('identity:'),
  )
  t.equal(blocks.length, 2)
  const issuers = blocks.flatMap(
    ({ text }) => (parse(text) as { identity: { issuers: object[] } }).identity.issuers,
  )
  folder.put('company.jwks', folder.read('issuer.jwks.json'))
  for (const issuer of issuers) Object.assign(issuer, { keys: { file: 'company.jwks' } })
  folder.edit('gateway.yaml', (gateway) =>
    Object.assign((gateway as { identity: object }).identity, { issuers }),
  )
  const { gateway } = await folder.load()
  t.same(
    gateway.identity.issuers.map(({ name }) => name),
    ['company', 'cluster'],
  )
})

t.test('the recognizer service is a configuration that loads', async (t) => {
  const folder = await configFolder(t)
  const [block] = blocksOf(recognizerPage).filter(({ language }) => language === 'yaml')
  const section = parse(block?.text ?? '') as { profiles: object; recognizerService: Service }
  const { tls, apiKeyFile } = section.recognizerService
  folder.put(tls.ca, folder.read('tls/upstream-ca.crt'))
  folder.put(tls.certificate, folder.read('tls/upstream.crt'))
  folder.put(tls.key, folder.read('tls/upstream.key'))
  folder.put(apiKeyFile, 'a-key')
  folder.put('pseudonym.key', 'k'.repeat(44))
  folder.edit('redaction.yaml', (redaction) =>
    Object.assign(redaction, section, {
      profiles: { ...(redaction['profiles'] as object), ...section.profiles },
    }),
  )
  const { redaction } = await folder.load()
  t.match(redaction.recognizerService, { entities: ['PERSON', 'LOCATION', 'NRP'] })
})

t.test('every reason why a recognizer service fails is on the page, and no other', (t) => {
  const rows = recognizerPage.split('\n').filter((line) => line.startsWith('| `'))
  const named = rows.flatMap((line) => [...(line.split('|')[1] ?? '').matchAll(/`([a-z_]+)`/g)])
  t.same(named.map(([, name]) => name).sort(), recognizerFaults.toSorted())
  t.end()
})

t.test('the revocation list is one', (t) => {
  const [block] = blocksOf(tokens).filter(({ language }) => language === 'json')
  const list = parseRevocations(Buffer.from(block?.text ?? ''))
  t.equal(list.size, 4)
  const certificate = { fingerprint: 'PQqr_rMzxpVqfOH9b_a5ifZBunhuxCoicL_-AJe9Qs0' } as never
  const principal = {
    issuer: 'company',
    subject: 'carol',
    tokenId: undefined,
    issuedAt: undefined,
    certificate,
  }
  t.equal(list.covers(principal), 'revoked_certificate')
  t.end()
})

t.test('every reason for which a certificate is refused is on the page, and no other', (t) => {
  const named = new Set([...certificates.matchAll(/`((?:cert|spiffe)_[a-z0-9_]+)`/g)].map(([, name]) => name))
  named.delete('spiffe_id')
  const unknown = [...named].filter((name) => !(peerFaults as readonly (string | undefined)[]).includes(name))
  t.same(unknown, [])
  t.end()
})

t.test('the log lines of a reload that the page names are written', (t) => {
  const written: string[] = []
  const log = createLog({ level: 'debug', format: 'json', stream: { write: (line) => written.push(line) } })
  const events = createEvents(log, new KnownNames())
  events.configReloaded('h')
  events.configRejected(['p'], 'h')
  events.configNeedsRestart(['f'])
  events.tlsReloaded('traffic', 'f', 0)
  events.tlsWarning('traffic', 's', 'm')
  events.tlsRejected('traffic', new Error('e'))
  events.keysReloaded('i')
  events.keysUnavailable('i', 'f')
  events.revocationsReloaded(1, 1)
  events.revocationsRejected(new Error('e'))
  events.upstreamsRejected(new Error('e'))
  const names = written.map((line) => (JSON.parse(line) as { event: string }).event)
  const row = reload.split('\n').find((line) => line.startsWith('| log lines |')) ?? ''
  t.same([...row.matchAll(/`([a-z._]+)`/g)].map(([, name]) => name).sort(), names.sort())
  t.end()
})
