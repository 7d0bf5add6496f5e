// How other gateways and detectors let values in prompts through, or take harmless text away: each is a test here.
import { Buffer } from 'node:buffer'
import t from 'tap'
import { encodedFindings } from '../../src/redaction/encoded/encoded-findings.ts'
import { joinedFindings } from '../../src/redaction/joined.ts'
import { PatternError, parsePattern } from '../../src/redaction/pattern.ts'
import type { Recognizer } from '../../src/redaction/recognizer.ts'
import { createRuleSet } from '../../src/redaction/rule-set.ts'
import { Scene } from '../support/scene.ts'
import { until } from '../support/stack.ts'

const rules = createRuleSet({
  name: 'test',
  direction: 'prompt',
  policyOf: ({ tier, category }) => (tier <= 2 && category !== 'name' ? 'mask' : 'allow'),
})
const masked = (text: string): string => rules.screen(text).text
const scene = await Scene.open({ policies: {} })
t.teardown(() => scene.stack.stop())

const email = 'zaphod.beeblebrox@heartofgold.example'
const card = '4111111111111111'

t.test(
  'a card of the newer Mastercard range is none (Presidio CREDIT_CARD: first digits 1, 3, 4, 51-55, 6)',
  (t) => {
    t.equal(masked('pay with 2221 0000 0000 0009 today'), 'pay with [CREDIT_CARD] today')
    t.equal(masked('pay with 2720990000000007 today'), 'pay with [CREDIT_CARD] today')
    t.end()
  },
)

t.test('numbers that nobody checked (agentgateway: the validator is commented out)', (t) => {
  for (const harmless of [
    'There are 123456789 grains of rice.',
    'order 4111111111111112 was shipped',
    'build 20260704123456 took 1234567890 ns',
    '3.14159265358979 and 2718281828',
    'area 900-12-3456 and 666-12-3456 and 000-12-3456',
  ])
    t.equal(masked(harmless), harmless)
  t.end()
})

t.test('sums in words and programs (agentgateway altered 16 % of GSM8K, openredaction 99.6 %)', (t) => {
  for (const harmless of [
    'She sold 48/2 = <<48/2=24>>24 clips in May, and 48+24 = <<48+24=72>>72 clips altogether. #### 72',
    'He earns $12 an hour for 50 minutes: 12/60 = $<<12/60=0.2>>0.2 per minute. The answer is 10.',
    'def f(n):\n    return [i for i in range(1000000, 9999999) if i % 1234567 == 0]\n',
    'assert solve([1000, 2000, 3000, 4000]) == 10000\nassert solve("2021-04-05") == 60154\n',
  ])
    t.equal(masked(harmless), harmless)
  t.end()
})

t.test('a context word inside of another word (Presidio: "lic" in "duplicate")', (t) => {
  const licence: Recognizer = {
    id: 'licence',
    entity: 'LICENCE',
    category: 'identity',
    tier: 2,
    family: 'digits',
    rules: [
      {
        pattern: '\\d{8}',
        left: { not: '0-9' },
        right: { not: '0-9' },
        lengthMax: 8,
        score: 0.3,
        context: ['lic'],
      },
    ],
    examples: { match: [{ before: 'lic ', value: '12345678' }], miss: ['duplicate 12345678'] },
  }
  const only = createRuleSet({
    name: 'test',
    direction: 'prompt',
    policyOf: ({ id }) => (id === 'licence' ? 'mask' : 'allow'),
    custom: [licence],
  })
  t.equal(only.screen('a duplicate 12345678').text, 'a duplicate 12345678')
  t.equal(only.screen('a lic 12345678').text, 'a lic [LICENCE]')
  t.end()
})

t.test(
  'encoded values: decoding is off (gitleaks --max-decode-depth 0), nothing is decoded (all others)',
  (t) => {
    const scan = (text: string) => rules.screen(text)
    const base64 = Buffer.from(email).toString('base64')
    for (const token of [base64, Buffer.from(base64).toString('base64'), Buffer.from(email).toString('hex')])
      t.match(encodedFindings(`decode ${token}`, scan), [
        { entity: 'EMAIL_ADDRESS', start: 7, end: 7 + token.length },
      ])
    t.end()
  },
)

t.test('a value cut over two messages (each is scanned alone)', (t) => {
  const found = joinedFindings(['my card is 4111 1111', '1111 1111, keep it'], (text) => rules.screen(text))
  t.same(
    found.map(({ text, entity }) => [text, entity]),
    [
      [0, 'CREDIT_CARD'],
      [1, 'CREDIT_CARD'],
    ],
  )
  t.end()
})

t.test(
  'patterns of a caller, or of an operator, that never end (Portkey: a regular expression in the request)',
  (t) => {
    for (const pattern of ['(a+)+b', '(a|a)*b', '.*x', '(?=a)b', '([a-z]+)*@', '\\1', '^a', 'a**'])
      t.throws(() => parsePattern(pattern), PatternError)
    t.end()
  },
)

t.test('zero-width characters inside a value (all of twelve: 0 to 10 %)', (t) => {
  for (const invisible of ['\u200b', '\u200d', '\u2060', '\ufeff', '\u00ad'])
    t.notMatch(masked(`card ${[...card].join(invisible)} ok`), '4')
  t.end()
})

type Fields = Record<string, unknown>
const user = { role: 'user', content: 'hi' }
const call = { id: 'c1', type: 'function', function: { name: 'f', arguments: JSON.stringify({ to: email }) } }
/** Fields that were forgotten elsewhere (talon 212, llm-proxy 42, voidllm 134, stella 294). */
const forgotten: Record<string, Fields> = {
  'the system prompt': { messages: [{ role: 'system', content: email }, user] },
  'instructions of a developer': { messages: [{ role: 'developer', content: email }, user] },
  'parts of content': { messages: [{ role: 'user', content: [{ type: 'text', text: email }] }] },
  'a name': { messages: [{ ...user, name: 'zaphod.beeblebrox@heartofgold.example' }] },
  'the arguments of an earlier call': {
    messages: [
      user,
      { role: 'assistant', content: null, tool_calls: [call] },
      { role: 'tool', tool_call_id: 'c1', content: 'x' },
    ],
  },
  'the result of a tool': {
    messages: [
      user,
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ ...call, function: { name: 'f', arguments: '{}' } }],
      },
      { role: 'tool', tool_call_id: 'c1', content: email },
    ],
  },
  'the description of a tool': { tools: [{ type: 'function', function: { name: 'f', description: email } }] },
  'the schema of a tool': {
    tools: [
      {
        type: 'function',
        function: { name: 'f', parameters: { type: 'object', properties: { a: { const: email } } } },
      },
    ],
  },
  'the user': { user: email },
  metadata: { metadata: { owner: email } },
  'a stop string': { stop: [email] },
  'instructions of another dialect': { instructions: email },
  'input of another dialect': { input: email },
}

for (const [name, fields] of Object.entries(forgotten)) {
  t.test(`${name} is not scanned (talon 212, llm-proxy 42, voidllm 134, stella 294)`, async (t) => {
    const before = scene.stack.model.requests.length
    await (await scene.chat(fields)).text()
    const sent = scene.stack.model.requests.slice(before).map(({ body }) => body)
    t.notMatch(JSON.stringify(sent), 'zaphod', 'masked, dropped or refused')
  })
}

t.test('a body that is one JSON string is passed on unread (llm-proxy 42)', async (t) => {
  const before = scene.stack.model.requests.length
  const reply = await scene.stack.post('/v1/chat/completions', JSON.stringify(email))
  t.equal(reply.status, 400)
  t.notMatch(await reply.text(), 'zaphod')
  t.equal(scene.stack.model.requests.length, before)
})

t.test('a preview that is cut before it is masked shows the head of a value (llm-proxy 42)', async (t) => {
  for (const length of [10, 60, 100, 200, 500, 1_000, 2_000, 4_000]) {
    const content = `${'x '.repeat(Math.max(0, length / 2 - 5))}${email} ${'y '.repeat(3_000)}`
    await (await scene.chat({ messages: [{ role: 'user', content }] })).text()
  }
  await until(async () => (await scene.stack.metrics()).includes('sallyport_requests_in_flight 0'))
  const kept = JSON.stringify([scene.stack.log(), scene.stack.audit()])
  t.notMatch(kept, /zap|x x x/)
})

t.test('the audit says success although nothing was looked at (LiteLLM 35257)', async (t) => {
  await (await scene.chat({ messages: [{ role: 'user', content: `I am ${email}` }] })).text()
  const admitted = scene.stack.audit().filter(({ event }) => event === 'exchange.admitted')
  t.match(JSON.stringify(admitted.at(-1)), 'EMAIL_ADDRESS', 'it says what was found')
})

t.test(
  'a mask that is turned back: one mask for several values (Higress restore, Upsonic 519)',
  async (t) => {
    const content = `${email} and arthur@dent.example`
    const before = scene.stack.model.requests.length
    await (await scene.chat({ messages: [{ role: 'user', content }] })).text()
    const [sent] = scene.stack.model.requests.slice(before)
    t.match(sent?.body, '[EMAIL_ADDRESS] and [EMAIL_ADDRESS]', 'a mask is for good')
  },
)
