// Secrets in streamed replies, cut at every offset, in every channel: the caller's raw bytes never hold the value nor
// more of its beginning than any text may have in common with it, and every event is valid.
import t from 'tap'
import type { ChoiceScript, Script } from '../../loadtest/model-server.ts'
import { endOf, eventsOf, Scene } from '../support/scene.ts'

/** Scripts by the number that the prompt names, so that many requests can run at one time. */
const scripts: Script[] = []
const scene = await Scene.open({
  model: { script: ({ body }) => scripts[Number(/case-(\d+)/.exec(body)?.[1])] },
  policies: {
    roles: {
      strict: {
        scopes: ['inference'],
        parameters: { outputTokensMax: 256, choicesMax: 4, tools: ['*'] },
        limits: { requestsPerMinute: 10_000, burst: 10_000, inFlight: 50 },
        redaction: 'strict',
      },
    },
  },
  redaction: { profiles: { strict: { prompt: { default: 'mask' }, reply: { default: 'block' } } } },
})
t.teardown(() => scene.stack.stop())

/** Values, and the part of each that no stream may show: longer than what an innocent text would. */
const secrets = {
  EMAIL_ADDRESS: 'zaphod.beeblebrox@heartofgold.example',
  CREDIT_CARD: '4111 1111 1111 1111',
  AWS_ACCESS_KEY: 'AKIAIOSFODNN7EXAMPLE',
  US_SSN: '536-90-4399',
} as const

const tools = [{ type: 'function', function: { name: 'f' } }]
interface Channel {
  readonly fields: Record<string, unknown>
  readonly path?: string
  /** Texts before and after, and the script that says the pieces in this channel. */
  wrap(value: string): [string, string]
  script(pieces: readonly string[]): Script
  /** What the caller joins from the events. */
  read(event: Record<string, never>): string
}

type Event = { choices: { index: number; text?: string; delta: Record<string, never> }[] }
const deltas = (event: unknown, index: number) =>
  (event as Event).choices.filter((choice) => choice.index === index).map(({ delta }) => delta)
const field =
  (name: string, index = 0) =>
  (event: unknown): string =>
    deltas(event, index)
      .map((delta) => (delta[name] as string | undefined) ?? '')
      .join('')
const plain = (
  script: (pieces: readonly string[]) => ChoiceScript,
  read: (event: unknown) => string,
): Channel => ({
  fields: {},
  wrap: () => ['It is ', ' indeed.'],
  script,
  read,
})

const channels: Record<string, Channel> = {
  content: plain((content) => ({ content }), field('content')),
  reasoning: plain((reasoning) => ({ reasoning, content: ['x'] }), field('reasoning')),
  reasoning_content: {
    ...plain((reasoning) => ({ reasoning }), field('reasoning_content')),
    script: (reasoning) => ({ reasoning, reasoningField: 'reasoning_content' }),
  },
  refusal: plain((refusal) => ({ refusal }), field('refusal')),
  'the second of two choices': {
    ...plain((content) => ({ content }), field('content', 1)),
    fields: { n: 2 },
    script: (content) => ({ choices: [{ content: content.map(() => 'noise ') }, { content }] }),
  },
  'tool arguments': {
    fields: { tools },
    wrap: () => ['{"to": ["', '"], "n": 1}'],
    script: (pieces) => ({ toolCalls: [{ name: 'f', arguments: pieces }] }),
    read: (event) =>
      deltas(event, 0)
        .flatMap((delta) => (delta['tool_calls'] as { function: { arguments?: string } }[] | undefined) ?? [])
        .map((call) => call.function.arguments ?? '')
        .join(''),
  },
  'legacy text': {
    ...plain(
      (content) => ({ content }),
      (event) => (event as Event).choices[0]?.text ?? '',
    ),
    path: '/v1/completions',
  },
}

const bearers = new Map(
  ['app', 'strict'].map((role) => [role, `Bearer ${scene.stack.token({ roles: [role] })}`]),
)

async function streamed(channel: Channel, pieces: readonly string[], role = 'app'): Promise<string> {
  const prompt = `case-${scripts.push(channel.script(pieces)) - 1}`
  const written = channel.path ? { prompt } : { messages: [{ role: 'user', content: prompt }] }
  const fields = { model: 'demo', ...written, max_tokens: 256, stream: true }
  const reply = await scene.stack.post(
    channel.path ?? '/v1/chat/completions',
    { ...fields, ...channel.fields },
    { authorization: bearers.get(role) as string },
  )
  return await reply.text()
}

/** No beginning of the value of this length leaves before it is decided. */
const shownMax = 3

/** Ids and times are ours, and random digits in them may happen to begin like a value. */
const ours = /"(?:id|created)":(?:"[^"]*"|\d+)/g

/** The longest beginning of the value that the stream holds. */
function shown(stream: string, value: string): number {
  const text = stream.replaceAll(ours, '')
  let length = 0
  while (length < value.length && text.includes(value.slice(0, length + 1))) length++
  return length
}

const joined = (stream: string, channel: Channel): string =>
  eventsOf(stream)
    .filter((event) => 'choices' in event)
    .map((event) => channel.read(event as Record<string, never>))
    .join('')

/** Two values cut everywhere in every channel; the others in the two kinds of window. */
const cutIn = (channel: string): [string, string][] =>
  Object.entries(secrets).slice(0, channel === 'content' || channel === 'tool arguments' ? 4 : 2)

for (const [name, channel] of Object.entries(channels)) {
  for (const [entity, value] of cutIn(name)) {
    t.test(`${entity} in ${name}, cut at every offset`, async (t) => {
      const [before, after] = channel.wrap(value)
      const expected = `${before}[${entity}]${after}`
      const verdicts = Array.from({ length: value.length + 1 }, async (_, at) => {
        const pieces = [before, value.slice(0, at), value.slice(at), after].filter((piece) => piece !== '')
        const stream = await streamed(channel, pieces)
        const text = joined(stream, channel)
        return text === expected && shown(stream, value) <= shownMax && endOf(stream) === '[DONE]'
          ? 'masked'
          : `cut at ${at}: ${text}`
      })
      t.same(new Set(await Promise.all(verdicts)), new Set(['masked']))
    })
  }

  t.test(`${name}, one character at a time`, async (t) => {
    for (const [entity, value] of Object.entries(secrets)) {
      const [before, after] = channel.wrap(value)
      const stream = await streamed(channel, [...`${before}${value}${after}`])
      t.equal(joined(stream, channel), `${before}[${entity}]${after}`)
      t.ok(shown(stream, value) <= shownMax)
    }
  })

  t.test(`${name} under a profile that blocks: an error event, and nothing of the value`, async (t) => {
    for (const value of Object.values(secrets)) {
      const [before, after] = channel.wrap(value)
      for (const at of [1, Math.floor(value.length / 2), value.length - 1]) {
        const stream = await streamed(channel, [before, value.slice(0, at), value.slice(at), after], 'strict')
        t.equal(endOf(stream), 'content_blocked')
        t.ok(shown(stream, value) <= shownMax)
        t.ok(before.startsWith(joined(stream, channel)), 'what came before it may show')
        t.notMatch(stream, 'DONE')
      }
    }
  })
}

t.test('a secret that the stream ends in is decided by the end', async (t) => {
  const { content } = channels as { content: Channel }
  const stream = await streamed(content, ['Call 4111 1111 ', '1111 1111'])
  t.equal(joined(stream, content), 'Call [CREDIT_CARD]')
  const cut = await streamed(
    { ...content, script: (pieces) => ({ content: pieces, end: { after: 3, how: 'close' } }) },
    ['Call 4111 1111 ', '1111 11', '11'],
  )
  t.equal(endOf(cut), 'upstream_truncated')
  t.equal(joined(cut, content), 'Call ', 'what was still held when it broke never leaves')
})

t.test('JSON escapes in tool arguments hide nothing', async (t) => {
  const channel = channels['tool arguments'] as Channel
  const escaped = [...secrets.EMAIL_ADDRESS]
    .map((char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('')
  for (const size of [1, 5, 6, 7]) {
    const text = `{"to":"${escaped}"}`
    const pieces = Array.from({ length: Math.ceil(text.length / size) }, (_, at) =>
      text.slice(at * size, (at + 1) * size),
    )
    const stream = await streamed(channel, pieces)
    t.same(JSON.parse(joined(stream, channel)), { to: '[EMAIL_ADDRESS]' })
  }
})

t.test('what was masked is counted and recorded, never quoted', async (t) => {
  await streamed(channels['content'] as Channel, ['a ', secrets.EMAIL_ADDRESS, ' b ', secrets.US_SSN, ' c'])
  const record = scene.stack.audit().at(-1)
  t.match(
    await scene.stack.metrics(),
    'sallyport_redactions_total{entity="US_SSN",direction="reply",action="mask"}',
  )
  t.notMatch(JSON.stringify([record, scene.stack.log()]), secrets.EMAIL_ADDRESS)
})
