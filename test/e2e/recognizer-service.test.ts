// A recognizer service beside the gateway: what only it finds is masked in prompts, and when it gives no answer that can
// be believed, no prompt leaves. The first half talks to a process of its own, which is killed.
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { Script } from '../../loadtest/model-server.ts'
import { makePair } from '../support/certificates.ts'
import { type Child, startChild } from '../support/child.ts'
import { linesOf, put } from '../support/flow.ts'
import { Scene, samplesOf } from '../support/scene.ts'
import { type Answer, analyzed, json, startSimulatedAnalyzer } from '../support/simulated-analyzer.ts'
import { until } from '../support/stack.ts'

type Section = Record<string, unknown>

const profiles: Section = {
  pii: { preset: 'pii' },
  standard: {},
  shadow: { prompt: { default: 'shadow', categories: { name: 'shadow' } } },
  block: { prompt: { entities: { LOCATION: 'block' } } },
  back: { prompt: { default: 'allow', entities: { PERSON: 'pseudonymize' } }, reply: { default: 'allow' } },
}
const role = (redaction: string): Section => ({
  scopes: ['inference'],
  parameters: { outputTokensMax: 64, choicesMax: 4, tools: ['*'] },
  limits: { requestsPerMinute: 10_000, burst: 10_000, inFlight: 50 },
  redaction,
})

/** A scene with a service at `url`, asked for persons and places. */
async function openScene(t: Test, url: string, service: Section = {}, files: Record<string, string> = {}) {
  const scene = await Scene.open({
    files: { 'config/pseudonym.key': 'k'.repeat(44), ...files },
    policies: {
      roles: {
        app: role('pii'),
        ...Object.fromEntries(Object.keys(profiles).map((name) => [name, role(name)])),
      },
    },
    redaction: {
      pseudonyms: { keyFile: 'pseudonym.key' },
      recognizerService: { url, entities: ['PERSON', 'LOCATION'], ...service },
      profiles,
    },
  })
  t.teardown(() => scene.stack.stop())
  const { stack } = scene
  return {
    scene,
    stack,
    requests: () => stack.model.stats.requests,
    /** What the model server was sent last. */
    seen: (): string => JSON.parse(stack.model.requests.at(-1)?.body ?? '{}').messages[0].content,
    async say(content: string, profile = 'pii') {
      const headers = { authorization: `Bearer ${stack.token({ roles: [profile] })}` }
      const reply = await scene.chat({ messages: [{ role: 'user', content }] }, headers)
      const text = await reply.text()
      return { status: reply.status, headers: reply.headers, text, code: JSON.parse(text).error?.code }
    },
    failures: async (reason: string): Promise<number> =>
      samplesOf(await stack.metrics()).get(`sallyport_recognizer_failures_total{reason="${reason}"}`) ?? 0,
  }
}

const simulator = join(import.meta.dirname, '../support/simulated-analyzer.ts')

async function startProcess(t: Test): Promise<{ readonly child: Child; readonly url: string }> {
  const child = startChild(process.execPath, [simulator])
  t.teardown(() => child.process.kill('SIGKILL'))
  await child.until(/on \S+\n/)
  return { child, url: /on (\S+)\n/.exec(child.out)?.[1] as string }
}

async function kill(child: Child): Promise<void> {
  child.process.kill('SIGKILL')
  await child.ended
}

const text = '😀 Zaphod met bob@example.com in London'
const byRules = '😀 Zaphod met [EMAIL_ADDRESS] in London'
const byBoth = '😀 [PERSON] met [EMAIL_ADDRESS] in [LOCATION]'

t.test('a process: masks what it finds; killed, no prompt leaves; another one takes over', async (t) => {
  const { child, url } = await startProcess(t)
  const { stack, say, seen, requests, failures } = await openScene(t, url)
  const first = await say(text)
  t.equal(first.status, 200)
  t.equal(seen(), byBoth)
  t.equal(first.headers.get('x-sallyport-redactions'), '3')

  await kill(child)
  const before = requests()
  for (let call = 0; call < 2; call++) {
    const refused = await say(text)
    t.match(refused, { status: 503, code: 'redaction_unavailable' })
    t.ok(Number(refused.headers.get('retry-after')) > 0)
    t.notMatch(refused.text, 'Zaphod')
  }
  t.equal(requests(), before, 'the model server was not called')
  t.equal(await failures('unreachable'), 2)
  t.equal(linesOf(stack, 'recognizer.down').length, 1, 'said once for a row of failures')
  await until(() => linesOf(stack, 'exchange.ended').length === 3)
  t.match(linesOf(stack, 'exchange.ended').at(-1), {
    refusal: 'redaction_unavailable',
    outcome: 'failed',
    detail: 'recognizer service: unreachable',
  })
  t.equal((await say(text, 'standard')).status, 200, 'a profile without names does not need it')
  t.equal(seen(), byRules)

  const next = await startProcess(t)
  stack.configure('redaction', { recognizerService: { url: next.url } })
  await stack.gateway.reload()
  t.equal((await say(text)).status, 200)
  t.equal(seen(), byBoth)
  t.equal(linesOf(stack, 'recognizer.up').length, 1)
  await kill(next.child)
})

t.test('failOpen: the prompt goes on as the rules left it, and that is counted', async (t) => {
  const { child, url } = await startProcess(t)
  const { say, seen, failures } = await openScene(t, url, { failOpen: true })
  await say(text)
  t.equal(seen(), byBoth)
  await kill(child)
  t.equal((await say(text)).status, 200)
  t.equal(seen(), byRules)
  t.equal(await failures('unreachable'), 1)
})

t.test('what it is asked, and what is done with its answers: by profile', async (t) => {
  await using service = await startSimulatedAnalyzer()
  const { scene, stack, say, seen, requests } = await openScene(t, service.url, {
    language: 'de',
    scoreMin: 0.7,
  })
  const asked = () => service.asked.splice(0).map(({ headers: _, ...request }) => request)
  await say(text)
  t.same(asked(), [{ text: byRules, language: 'de', score_threshold: 0.7, entities: ['PERSON', 'LOCATION'] }])
  const record = () => stack.audit().findLast(({ event }) => event === 'exchange.admitted')
  t.match(record()?.['prompt_places'], [
    { entity: 'EMAIL_ADDRESS', action: 'mask', path: 'messages[0].content', length: 15 },
    { entity: 'PERSON', action: 'mask', path: 'messages[0].content', length: 6 },
    { entity: 'LOCATION', action: 'mask', path: 'messages[0].content', length: 6 },
  ])
  const counted = 'sallyport_redactions_total{entity="LOCATION",direction="prompt",action="mask"}'
  await until(async () => samplesOf(await stack.metrics()).get(counted) === 1)

  await say(text, 'shadow')
  t.equal(seen(), text)
  t.equal(asked().length, 1)
  await say(text, 'standard')
  t.same(asked(), [], 'a profile that allows all that it would be asked for does not ask')

  const before = requests()
  t.match(await say(text, 'block'), { status: 403, code: 'content_blocked' })
  t.equal(requests(), before)

  const script = (): Script => ({ content: [`Dear ${/PII_\w+/.exec(seen())?.[0]},`] })
  scene.script = undefined
  await say('Zaphod', 'back')
  t.match(seen(), /^PII_PERSON_\w+$/)
  scene.script = script()
  t.match((await say('Zaphod', 'back')).text, 'Dear Zaphod,', 'what it found can come back')
})

t.test('a name that it was not asked for, and its places in our placeholders', async (t) => {
  await using service = await startSimulatedAnalyzer({
    answer: json([
      { entity_type: 'bad name', start: 2, end: 8, score: 1 },
      { entity_type: 'PERSON', start: 9, end: 30, score: 1 },
    ]),
  })
  const { say, seen } = await openScene(t, service.url)
  await say(text)
  t.equal(seen(), '😀 [OTHER] [PERSON][EMAIL_ADDRESS][PERSON]n London')
})

const result = { entity_type: 'PERSON', start: 2, end: 8, score: 1 }
const hostile: Record<string, Answer> = {
  'an error that quotes': (response) => response.writeHead(500).end('Zaphod'),
  'a redirect': json('', 307, { location: 'http://127.0.0.1:1/' }),
  'a page': (response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<p>Zaphod'),
  'half an answer': (response) =>
    response.writeHead(200, { 'content-type': 'application/json' }).end('[{"entity_type":'),
  'an answer that is cut': (response) => response.destroy(),
  'a place behind the text': json([result, { ...result, start: 1_000, end: 1_001 }]),
  'more results than are read': json(Array.from({ length: 4_097 }, () => result)),
  'more bytes than are read': json('x'.repeat(1_048_577)),
  'no answer': () => undefined,
}

t.test('answers that cannot be believed: 503, accounted for, and the next call works', async (t) => {
  await using service = await startSimulatedAnalyzer()
  const honest = service.answer
  const { scene, stack, requests } = await openScene(t, service.url, { timeoutMs: 1_000 })
  for (const [name, answer] of Object.entries(hostile)) {
    const before = requests()
    const ending = await scene.ending(undefined, async () => {
      service.answer = answer
      const reply = await scene.chat({ messages: [{ role: 'user', content: text }] })
      service.answer = honest
      t.equal(reply.status, 503, name)
      t.notMatch(await reply.text(), /Zaphod|127\.0\.0\.1/, name)
    })
    t.match(ending, { outcome: 'failed', status: 503, code: 'redaction_unavailable' }, name)
    t.same(ending.records, ['exchange.ended'], name)
    t.equal(requests(), before + 1, `${name}: only the next call reached the model server`)
  }
  t.notMatch(JSON.stringify([stack.log(), stack.audit(), await stack.metrics()]), 'Zaphod')
})

t.test('a reload swaps it under calls that are being answered, and takes it away', async (t) => {
  const held = Promise.withResolvers<void>()
  await using old = await startSimulatedAnalyzer({
    answer: async (response, request) => {
      await held.promise
      json(analyzed(request))(response, request)
    },
  })
  await using next = await startSimulatedAnalyzer()
  const { stack, say, seen } = await openScene(t, old.url)
  const early = say(text)
  await until(() => old.asked.length === 1)
  stack.configure('redaction', { recognizerService: { url: next.url } })
  await stack.gateway.reload()
  await say('Zaphod')
  t.equal(seen(), '[PERSON]')
  held.resolve()
  t.equal((await early).status, 200)
  t.equal(seen(), byBoth)
  t.same([old.asked.length, next.asked.length], [1, 1])

  stack.configure('redaction', { recognizerService: { url: 'http://presidio.example/analyze' } })
  await stack.gateway.reload()
  t.match(linesOf(stack, 'config.rejected').at(-1)?.['problems'], [
    /redaction\.yaml:\d+:\d+ recognizerService\.url cannot be used: .*https/,
  ])
  await say('Zaphod')
  t.equal(seen(), '[PERSON]', 'the old one stays')

  stack.configure('redaction', { recognizerService: undefined })
  await stack.gateway.reload()
  t.match(linesOf(stack, 'config.rejected').at(-1)?.['problems'], [
    /profiles\.block\.prompt\.entities\.LOCATION "LOCATION" is not an entity that is recognized/,
  ])
  stack.configure('redaction', { profiles: { block: { prompt: { entities: undefined } } } })
  await stack.gateway.reload()
  await say('Zaphod')
  t.equal(seen(), 'Zaphod')
  t.equal(next.asked.length, 2)
})

t.test('mutual TLS, and a key that is rotated in its file', async (t) => {
  const { ca, server, client } = await makePair(['spiffe://td.test/gateway'])
  await using service = await startSimulatedAnalyzer({
    tls: { cert: server.cert, key: server.key, ca: ca.cert },
  })
  const { stack, say } = await openScene(
    t,
    service.url,
    {
      tls: { ca: 'tls/service-ca.crt', certificate: 'tls/service.crt', key: 'tls/service.key' },
      apiKeyFile: 'service.key',
    },
    {
      'config/tls/service-ca.crt': ca.cert,
      'config/tls/service.crt': client.cert,
      'config/tls/service.key': client.key,
      'config/service.key': 'first-key',
    },
  )
  const key = () => service.asked.at(-1)?.headers.authorization
  await say(text)
  t.equal(key(), 'Bearer first-key')
  put(stack, 'service.key', 'second-key')
  await stack.gateway.reload()
  await say(text)
  t.equal(key(), 'Bearer second-key')

  // A newer configuration is refused, and the files of the one that runs are followed all the same.
  stack.configure('models', { models: { demo: { pool: 'nowhere' } } })
  put(stack, 'service.key', 'third-key')
  await stack.gateway.reload()
  await say(text)
  t.equal(key(), 'Bearer third-key')
  put(stack, 'service.key', '')
  await stack.gateway.reload()
  t.ok(linesOf(stack, 'recognizer.rejected').length > 0)
  await say(text)
  t.equal(key(), 'Bearer third-key', 'a file that cannot be used changes nothing')
})
