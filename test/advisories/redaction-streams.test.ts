// How other gateways let values through in streams, by their own issue trackers: each is a test here.
import t, { type Test } from 'tap'
import type { Script } from '../../loadtest/model-server.ts'
import { createRuleSet } from '../../src/redaction/rule-set.ts'
import { endOf, eventsOf, Scene } from '../support/scene.ts'

const rules = createRuleSet({
  name: 'test',
  direction: 'reply',
  policyOf: ({ tier }) => (tier === 1 ? 'mask' : 'allow'),
})
let script: Script | undefined
const scene = await Scene.open({ model: { script: () => script }, policies: {} })
t.teardown(() => scene.stack.stop())

const email = 'zaphod.beeblebrox@heartofgold.example'

/** What leaves a stream window after each piece, and at the end. */
function pushed(pieces: readonly string[], kind: 'text' | 'json' = 'text') {
  const window = rules.open(kind)
  const left = pieces.map((piece) => window.push(piece))
  return { left, rest: window.flush(), heldMax: rules.heldTextMax }
}
const leaves = (...pieces: readonly string[]): string => {
  const { left, rest } = pushed(pieces)
  return left.join('') + rest
}

const line = (event: unknown): string => `data: ${JSON.stringify(event)}\n\n`
const chunk = (delta: object, finish: string | null = null): object => ({
  choices: [{ index: 0, delta, finish_reason: finish }],
})
const stream = (...body: string[]): Script => ({ contentType: 'text/event-stream', body })
const textOf = async (played: Script, fields: object = {}): Promise<string> => {
  script = played
  return (await scene.stream({ ...fields })).text()
}
const contentOf = (text: string): string =>
  eventsOf(text)
    .map((event) => (event['choices'] as { delta: { content?: string } }[])[0]?.delta.content ?? '')
    .join('')
const failureOf = (text: string): unknown =>
  text.startsWith('{') ? (JSON.parse(text) as { error: { code: string } }).error.code : endOf(text)

t.test('carrying the end of a chunk over to the next shows its beginning (mastra 23783, 24189)', (t) => {
  const { left, rest } = pushed(['SSN 536-90-', '4399 ok'])
  t.equal(left[0], 'SSN ')
  t.equal(left.join('') + rest, 'SSN [US_SSN] ok')
  t.end()
})

t.test('a chunk is looked at alone (LiteLLM 41611, pocketpaw 433, fountain 2359, llm-proxy 42)', (t) => {
  for (let at = 1; at < email.length; at++)
    t.equal(leaves(`I am ${email.slice(0, at)}`, `${email.slice(at)}, hi`), 'I am [EMAIL_ADDRESS], hi')
  t.end()
})

t.test('a cut that is believed to be safe: at a blank (elizaOS 15348)', (t) => {
  const credentials = Buffer.from('zaphod:heart-of-gold-42').toString('base64')
  for (const pieces of [
    ['Authorization: Basic ', credentials, '\n'],
    ['Authorization: ', 'Basic ', credentials, '\n'],
    ['Authorization:', ' Basic', ` ${credentials}`, ' done'],
  ])
    t.notMatch(leaves(...pieces), credentials.slice(0, 8))
  t.equal(leaves('card 4111 ', '1111 ', '1111 ', '1111', ' ok'), 'card [CREDIT_CARD] ok')
  t.end()
})

t.test('a window of a fixed length lets longer values through (agentgateway, 256 bytes of overlap)', (t) => {
  const parts = ['eyJhbGciOiJIUzI1NiJ9', `${'eyJ'}${'zdWIiOiIxMjM0'.repeat(60)}`, 'c2lnbmF0dXJl'.repeat(40)]
  const token = parts.join('.')
  const text = leaves(...(`the token ${token} ends`.match(/.{1,64}/g) ?? []))
  t.match(text, /^the token \[[A-Z_]+\] ends$/)
  t.end()
})

t.test('what a model never ends is held for ever (fountain 2364: memory)', (t) => {
  const piece: Record<string, string> = {
    letters: 'aaaaaaaa',
    'parts of a host': 'a.a.a.a.',
    'digits of cards': '4111 111',
    'heads of tokens': 'eyJhbGciOi.',
    'openings of addresses': 'a@a@a@',
    'begun words': 'sk-ant-',
  }
  for (const [name, text] of Object.entries(piece)) {
    const window = rules.open('text')
    let heldMax = 0
    for (let at = 0; at < 20_000 / text.length; at++) {
      window.push(text)
      heldMax = Math.max(heldMax, window.held)
    }
    t.ok(heldMax <= rules.heldTextMax, `${name}: ${heldMax} of ${rules.heldTextMax}`)
  }
  t.end()
})

t.test(
  'a value after hostile text is still found (Presidio: a pattern that takes too long is skipped)',
  (t) => {
    // Presidio 2063, 2068, 2095: a long row of dots, of `a `, of letters.
    for (const hostile of ['.'.repeat(4_000), 'a '.repeat(50_000), 'a'.repeat(20_000), '1'.repeat(20_000)])
      t.ok(leaves(hostile, ` ${email} `).endsWith(' [EMAIL_ADDRESS] '))
    t.end()
  },
)

t.test('the stream breaks off and what was held is sent as it is (talon 392, 395)', async (t) => {
  for (const how of ['close', 'reset', 'cut', 'error'] as const) {
    script = { content: ['I am ', email.slice(0, 30), email.slice(30)], gapMs: 20, end: { after: 3, how } }
    const text = await (await scene.stream()).text()
    t.notMatch(text, 'zaphod')
    t.match(failureOf(text), /^upstream_/)
  }
})

/** The five ways in which LiteLLM's Presidio hook (`_stream_apply_output_masking`) sends the text unmasked. */
const exits: Record<string, Script> = {
  'an event of another kind': stream(line({ type: 'response.output_text.delta', delta: email })),
  'events of two kinds': stream(
    line(chunk({ content: 'a' })),
    line({ type: 'content_block_delta', delta: { text: email } }),
  ),
  'events of a foreign dialect': stream(
    `event: content_block_delta\n${line({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: email } })}`,
  ),
  'pieces that do not fit together': stream(
    line(chunk({ content: 'a' })),
    line({ choices: [{ index: 0, delta: { content: [{ type: 'x', text: email }] } }] }),
  ),
  'a failure in between': stream(
    line(chunk({ content: email.slice(0, 20) })),
    'data: {"choices":[{"index":0,"de\n\n',
  ),
}

for (const [name, played] of Object.entries(exits)) {
  t.test(`${name}: the text goes out unmasked (LiteLLM 31764, fail-open exits)`, async (t) => {
    const text = await textOf(played)
    t.notMatch(text, 'zaphod')
    t.equal(failureOf(text), 'upstream_protocol')
    const record = scene.stack
      .audit()
      .filter(({ event }) => event === 'exchange.ended')
      .at(-1)
    t.not(record?.['outcome'], 'completed', 'and the audit does not call it a success (LiteLLM 35257)')
  })
}

t.test('any bracket stalls the stream, and the sixth line shows half of a value (WSO2 274)', async (t) => {
  const words = ['see [1', ', not ', 'closed, ', 'and ', 'on ', 'and ', 'on ']
  const { left } = pushed(words)
  t.ok(left.join('').length >= words.join('').length - 4, 'all but the word that is being written has left')
  const pieces = ['mail [', ...(email.slice(0, 21).match(/.{1,3}/g) as string[]), email.slice(21), '] ok']
  script = { content: pieces }
  const text = await (await scene.stream()).text()
  t.equal(contentOf(text), 'mail [[EMAIL_ADDRESS]] ok')
})

t.test(
  'only the first delta is read: not n, tools, reasoning (agentgateway streaming_guardrails)',
  async (t) => {
    script = {
      choices: [
        { content: ['x'] },
        { content: ['a ', email.slice(0, 9), email.slice(9)], reasoning: [email], refusal: [email] },
        { toolCalls: [{ name: 'f', arguments: ['{"to":"', email.slice(0, 9), email.slice(9), '"}'] }] },
      ],
    }
    const tools = [{ type: 'function', function: { name: 'f' } }]
    const text = await (await scene.stream({ n: 3, tools })).text()
    t.notMatch(text, 'zaphod')
    t.equal(text.split('[EMAIL_ADDRESS]').length - 1, 4)
  },
)

t.test('raw tokens beside the masked text (litellm-rs 1305)', async (t) => {
  const logprobs = { content: [{ token: email, logprob: 0, bytes: null, top_logprobs: [] }] }
  const event = { choices: [{ index: 0, delta: { content: 'a' }, logprobs, finish_reason: 'stop' }] }
  const text = await textOf(stream(line(event), 'data: [DONE]\n\n'))
  t.notMatch(text, 'zaphod')
  t.equal(endOf(text), '[DONE]')
})

t.test(
  'arguments of tools pass as they come (LiteLLM 40784), blocks and results too (talon 212)',
  async (t) => {
    const tools = [{ type: 'function', function: { name: 'f' } }]
    const json = JSON.stringify({ to: email, n: [4111111111111111] })
    script = { toolCalls: [{ name: 'f', arguments: json.match(/.{1,5}/g) as string[] }] }
    const text = await (await scene.stream({ tools })).text()
    t.notMatch(text, /zaphod|4111/)
  },
)

t.test('escapes that are cut in the middle (llm-proxy 42)', async (t) => {
  const escaped = [...email].map((char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')
  for (const size of [1, 3, 5]) {
    const { left, rest } = pushed(
      `{"to":"${escaped}"}`.match(new RegExp(`.{1,${size}}`, 'g')) as string[],
      'json',
    )
    t.same(JSON.parse(left.join('') + rest), { to: '[EMAIL_ADDRESS]' })
  }
})

t.test(
  'the first words leave before anything has looked at them (NeMo Guardrails stream_first, Bedrock async)',
  async (t) => {
    script = { content: [email, ' it is'] }
    await onlyMasked(t)
  },
)

t.test('checks run when the stream is over (Portkey, after [DONE])', async (t) => {
  script = { content: ['well, ', email] }
  await onlyMasked(t)
})

async function onlyMasked(t: Test): Promise<void> {
  const text = await (await scene.stream()).text()
  t.notMatch(text, 'zaphod')
  t.match(text, '[EMAIL_ADDRESS]')
  t.equal(endOf(text), '[DONE]')
}

t.test('what comes after the end of a choice, or of the stream, is not looked at', async (t) => {
  const text = await textOf(
    stream(
      line(chunk({ content: 'a' }, 'stop')),
      line(chunk({ content: email })),
      'data: [DONE]\n\n',
      line(chunk({ content: email })),
    ),
  )
  t.notMatch(text, 'zaphod')
})
