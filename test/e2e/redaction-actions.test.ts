// Each action, in each direction, as it is seen from outside: in the text, in the head of the reply, in the metrics
// and in the audit log. Presets, lists of values and recognizers of the configuration's own.
import t from 'tap'
import type { Script } from '../../loadtest/model-server.ts'
import { endOf, eventsOf, Scene, samplesOf } from '../support/scene.ts'
import { until } from '../support/stack.ts'

type Section = Record<string, unknown>
const both = (default_: unknown, rest: Section = {}): Section => ({
  prompt: { default: default_ },
  reply: { default: default_ },
  ...rest,
})
const profiles: Section = {
  partial: both('partial'),
  hash: both('hash'),
  block: both('block'),
  shadow: both('shadow'),
  allow: both('allow'),
  'reply-block': { prompt: { default: 'allow' }, reply: { categories: { contact: 'block' } } },
  secrets: { preset: 'secrets' },
  pii: { preset: 'pii', prompt: { entities: { EMAIL_ADDRESS: 'partial' } } },
  lists: {
    allowed: ['Support@Example.com', '4111 1111 1111 1111'],
    denied: [
      { label: 'PROJECT', action: 'mask', values: ['Blue Falcon'] },
      { action: 'block', values: ['nuclear'] },
    ],
  },
  own: { prompt: { entities: { EMPLOYEE_ID: 'hash' } } },
}
const role = (redaction: string): Section => ({
  scopes: ['inference'],
  parameters: { outputTokensMax: 64, choicesMax: 4, tools: ['*'] },
  limits: { requestsPerMinute: 10_000, burst: 10_000, inFlight: 50 },
  redaction,
})

let script: Script = { content: ['ok'] }
const scene = await Scene.open({
  files: { 'config/pseudonym.key': 'k'.repeat(44) },
  model: { script: () => script },
  policies: { roles: Object.fromEntries(Object.keys(profiles).map((name) => [name, role(name)])) },
  redaction: {
    pseudonyms: { keyFile: 'pseudonym.key' },
    recognizers: { badge: { entity: 'EMPLOYEE_ID', category: 'identity', patterns: ['EMP-[0-9]{6}'] } },
    profiles,
  },
})
t.teardown(() => scene.stack.stop())

const email = 'zaphod.beeblebrox@heartofgold.example'
const card = '4111 1111 1111 1111'
const text = `I am ${email}, my card is ${card}.`

const headers = (...roles: string[]) => ({ authorization: `Bearer ${scene.stack.token({ roles })}` })
const requests = (): number => scene.stack.model.stats.requests
const seen = (): string => {
  const body = JSON.parse(scene.stack.model.requests.at(-1)?.body ?? '{}')
  return body.messages[0].content
}

/** Says the text to the model and has the model say it back. */
async function said(content: string, ...roles: string[]) {
  script = { content: [content] }
  const reply = await scene.chat({ messages: [{ role: 'user', content }] }, headers(...roles))
  const json = (await reply.json()) as {
    choices?: { message: { content: string } }[]
    error?: { code: string }
  }
  return {
    status: reply.status,
    redactions: reply.headers.get('x-sallyport-redactions'),
    content: json.choices?.[0]?.message.content,
    code: json.error?.code,
  }
}

async function streamed(content: string, name: string) {
  script = { content: content.match(/.{1,3}/gs) ?? [] }
  const reply = await scene.chat({ stream: true, messages: [{ role: 'user', content: 'hi' }] }, headers(name))
  const stream = await reply.text()
  const choices = eventsOf(stream).map(
    (event) => (event['choices'] as { delta: { content?: string } }[] | undefined)?.[0],
  )
  return {
    end: endOf(stream),
    redactions: reply.headers.get('x-sallyport-redactions'),
    content: choices.map((choice) => choice?.delta.content ?? '').join(''),
  }
}

t.test('partial: the placeholder and the last four', async (t) => {
  const masked = 'I am [EMAIL_ADDRESS ...mple], my card is [CREDIT_CARD ...1111].'
  t.match(await said(text, 'partial'), { status: 200, content: masked, redactions: '4' })
  t.equal(seen(), masked)
  t.equal((await streamed(text, 'partial')).content, masked)
})

t.test('hash: the same for the same value, in both directions', async (t) => {
  const { content = '' } = await said(text, 'hash')
  t.match(content, /^I am \[EMAIL_ADDRESS#[0-9a-f]{8}\], my card is \[CREDIT_CARD#[0-9a-f]{8}\]\.$/)
  t.equal(seen(), content)
  t.equal((await streamed(text, 'hash')).content, content)
})

t.test('block: 403 before the model server is called; in a stream, an error event and the end', async (t) => {
  const before = requests()
  t.match(await said(text, 'block'), { status: 403, code: 'content_blocked', redactions: '1' })
  t.equal(requests(), before)
  t.match(await streamed(text, 'reply-block'), { end: 'content_blocked', content: 'I am ' })
  t.match(await said(text, 'reply-block'), { status: 403, code: 'content_blocked' })
})

t.test('shadow: counted, and nothing else', async (t) => {
  const counted = async (direction: string): Promise<number> =>
    samplesOf(await scene.stack.metrics()).get(
      `sallyport_redactions_total{entity="EMAIL_ADDRESS",direction="${direction}",action="shadow"}`,
    ) ?? 0
  t.match(await said(text, 'shadow'), { content: text, redactions: '0' })
  t.equal(seen(), text)
  await until(async () => (await counted('reply')) === 1 && (await counted('prompt')) === 1)
  t.equal((await streamed(text, 'shadow')).content, text)
  const record = scene.stack.audit().findLast(({ profile }) => profile === 'shadow')
  t.match(record?.['profile'], 'shadow')
})

t.test('allow: not even counted', async (t) => {
  t.match(await said(text, 'allow'), { content: text, redactions: '0' })
  const samples = [...samplesOf(await scene.stack.metrics()).keys()]
  t.same(
    samples.filter((name) => name.includes('action="allow"')),
    [],
  )
})

t.test('presets, with and without overrides', async (t) => {
  const key = `AKIA${'QYLPMN5HHHFPZAM2'}`
  t.match(await said(`${text} ${key}`, 'secrets'), { content: /^I am zaphod.*1111\. \[[A-Z_]+\]$/ })
  await said(`${text} ${key}`, 'pii')
  t.equal(seen(), `I am [EMAIL_ADDRESS ...mple], my card is [CREDIT_CARD]. ${key}`)
})

t.test('several roles: the strictest, for each kind', async (t) => {
  await said(text, 'secrets', 'partial')
  t.match(seen(), 'I am [EMAIL_ADDRESS ...mple]')
  await said(text, 'partial', 'hash', 'shadow')
  t.match(seen(), /^I am \[EMAIL_ADDRESS#/)
  t.equal((await said(text, 'partial', 'block')).status, 403)
})

t.test('values that are allowed, and values that are denied', async (t) => {
  const spoken = 'support@example.com, BLUE  falcon, 4111 1111 1111 1111, bob@example.com'
  await said(spoken, 'lists')
  t.equal(seen(), 'support@example.com, [PROJECT], 4111 1111 1111 1111, [EMAIL_ADDRESS]')
  t.match(await said('a Nuclear plant', 'lists'), { status: 403, code: 'content_blocked' })
  t.equal((await said('unclear nuclearity', 'lists')).status, 200)
  await said(spoken, 'lists', 'pii')
  t.match(
    seen(),
    /^\[EMAIL_ADDRESS.*\], \[PROJECT\], \[CREDIT_CARD\]/,
    'what one of several roles does not allow',
  )
})

t.test('a recognizer of the configuration, and its reload', async (t) => {
  const before = await said('ask EMP-123456', 'own')
  t.match(seen(), /^ask \[EMPLOYEE_ID#[0-9a-f]{8}\]$/)
  t.match(before.content, 'ask [EMPLOYEE_ID]')
  const metric = 'sallyport_redactions_total{entity="EMPLOYEE_ID",direction="prompt",action="hash"}'
  await until(async () => samplesOf(await scene.stack.metrics()).get(metric) === 1)
  const badge = { patterns: ['STAFF-[0-9]{4}'], examples: { match: ['STAFF-0042'], miss: ['STAFF-42'] } }
  scene.stack.configure('redaction', { recognizers: { badge } })
  await scene.stack.gateway.reload()
  await said('ask EMP-123456 or STAFF-1234', 'own')
  t.match(seen(), /^ask EMP-123456 or \[EMPLOYEE_ID#/)
  scene.stack.configure('redaction', { recognizers: { badge: { patterns: ['STAFF-[0-9'] } } })
  await scene.stack.gateway.reload()
  await said('ask STAFF-1234', 'own')
  t.match(seen(), /^ask \[EMPLOYEE_ID#/, 'a slip of the pen leaves the old one in force')
  const rejected = scene.stack.log().findLast(({ event }) => event === 'config.rejected')
  t.match(rejected?.['problems'], [
    /redaction\.yaml:\d+:\d+ recognizers\.badge\.patterns\[0\] a class is not closed/,
  ])
})

t.test('the audit record: entity, action, field and length; never a value', async (t) => {
  await said(text, 'partial')
  const record = (name: string) => scene.stack.audit().findLast(({ event }) => event === name)
  t.match(record('exchange.admitted'), {
    profile: 'partial',
    prompt_findings: [
      { entity: 'EMAIL_ADDRESS', direction: 'prompt', action: 'partial', count: 1 },
      { entity: 'CREDIT_CARD', direction: 'prompt', action: 'partial', count: 1 },
    ],
    prompt_places: [
      { entity: 'EMAIL_ADDRESS', action: 'partial', path: 'messages[0].content', length: email.length },
      { entity: 'CREDIT_CARD', action: 'partial', path: 'messages[0].content', length: card.length },
    ],
  })
  await until(() => record('exchange.ended')?.['request_id'] === record('exchange.admitted')?.['request_id'])
  t.match(record('exchange.ended')?.['reply_places'], [
    { entity: 'EMAIL_ADDRESS', action: 'partial', path: 'choices[0].content', length: email.length },
    { entity: 'CREDIT_CARD', action: 'partial', path: 'choices[0].content', length: card.length },
  ])
  const written = JSON.stringify([scene.stack.audit(), scene.stack.log(), await scene.stack.metrics()])
  for (const value of [email, card, '...1111', 'Falcon', 'falcon']) t.notMatch(written, value)
})

t.test('the head of a stream counts what was known when it was sent: the prompt', async (t) => {
  t.match(await streamed(text, 'partial'), { redactions: '0' })
})
