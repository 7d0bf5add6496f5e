import fc from 'fast-check'
import t from 'tap'
import type { RelayJob } from '../../../src/exchange/relay/job.ts'
import { Meter } from '../../../src/exchange/relay/meter.ts'
import { relayStream } from '../../../src/exchange/relay/relay-stream.ts'
import { openReplies } from '../../../src/openai/reply-dialect.ts'
import type { Action } from '../../../src/redaction/finding.ts'
import { Refusal } from '../../../src/refusal.ts'
import {
  answerOf,
  callOf,
  chatEvent,
  DONE,
  FakeClient,
  policy,
  refusalOf,
  replyRules,
  trailOf,
} from '../fake-parts.ts'

function jobOf(
  chunks: Parameters<typeof answerOf>[0],
  fields: object = {},
  action: Action = 'mask',
  outputTokens = 100,
) {
  const call = callOf({ stream: true, ...fields })
  const { trail, told, clock } = trailOf()
  const client = new FakeClient()
  const cut = new AbortController()
  const answer = answerOf(chunks)
  const stream = {
    totalTimeoutMs: 1e6,
    keepAliveCommentMs: 1e6,
    eventBytesMax: 10_000,
    replyBytesMax: 100_000,
  }
  const job = {
    answer,
    call,
    model: 'demo',
    client,
    trail,
    gateway: { policy, stream, clock } as unknown as RelayJob['gateway'],
    signal: cut.signal,
    meter: new Meter(call, { inputTokens: 10, outputTokens }, clock),
    ...replyRules(action),
    dialect: openReplies('chat.completions', { logprobs: false, choicesMax: call.choices }),
  }
  return { job, client, trail, told, cut, answer }
}

const role = chatEvent({ role: 'assistant', content: '' })
const good = [
  role,
  chatEvent({ content: 'I am bob@exa' }),
  chatEvent({ content: 'mple.com' }, 'stop'),
  DONE,
].join('')

const contents = (text: string): string =>
  text
    .split('\n\n')
    .filter((event) => event.startsWith('data: {'))
    .map((event) => JSON.parse(event.slice(6)).choices?.[0]?.delta.content ?? '')
    .join('')

t.test('however the bytes are cut, the caller gets the same text and the same end', async (t) => {
  const bytes = Buffer.from(good)
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 0, max: bytes.length }), { maxLength: 8 }), async (cuts) => {
      const at = [0, ...cuts.sort((a, b) => a - b), bytes.length]
      const { job, client, trail, answer } = jobOf(at.slice(1).map((end, i) => bytes.subarray(at[i], end)))
      await relayStream(job)
      t.equal(contents(client.text), 'I am [EMAIL_ADDRESS]')
      t.ok(client.text.endsWith(DONE) && client.ended)
      t.match(trail.relayed, {
        usage: { outputTokens: 5 },
        found: { tallies: [{ entity: 'EMAIL_ADDRESS', count: 1 }] },
      })
      t.equal(answer.seen.finished, 1, 'the connection may serve again')
    }),
    { numRuns: 30 },
  )
})

t.test('the model is the public name, and nothing of the server is in the head', async (t) => {
  const { job, client, told, trail } = jobOf([good])
  await relayStream(job)
  t.notMatch(client.text, '"model":"m"')
  t.match(client.text, '"model":"demo"')
  t.match(client.head?.headers, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store, no-transform',
    'x-accel-buffering': 'no',
    'x-request-id': 'id-1',
  })
  t.same(told, ['stream'])
  t.type(trail.firstTokenMs, 'number')
})

const faults: Record<string, [string[], string, string]> = {
  'a truncated body': [[role, chatEvent({ content: 'a, ' })], 'upstream_truncated', 'a, '],
  'a fault behind good events in one read': [
    [`${role}${chatEvent({ content: 'a, ' })}${chatEvent({ content: 'b, ' })}data: {\n\n`],
    'upstream_protocol',
    'a, b, ',
  ],
  'text behind the end in one read': [
    [chatEvent({ content: 'a' }, 'stop') + chatEvent({ content: 'b' })],
    'upstream_protocol',
    'a',
  ],
  'an end that names another choice': [
    [chatEvent({ content: 'a, ' }), 'data: {"choices":[{"index":7,"delta":{},"finish_reason":"stop"}]}\n\n'],
    'upstream_protocol',
    'a, ',
  ],
  'a tool that was not offered': [
    [chatEvent({ content: 'a, ' }) + chatEvent({ tool_calls: [{ index: 0, function: { name: 'g' } }] })],
    'upstream_protocol',
    'a, ',
  ],
}

for (const [name, [chunks, code, text]] of Object.entries(faults)) {
  t.test(`${name}: what came before it is written and metered, no [DONE]`, async (t) => {
    const { job, client, trail, answer } = jobOf(chunks)
    t.match(await refusalOf(() => relayStream(job)), new RegExp(`^${code}`))
    t.equal(contents(client.text), text)
    t.notMatch(client.text, 'DONE')
    t.equal(client.ended, false, 'the error event is still to come')
    t.ok((trail.relayed?.usage.outputTokens ?? 0) >= 1)
    t.equal(answer.seen.finished, 0)
  })
}

t.test('held text never leaves on an ending that is none', async (t) => {
  const { job, client } = jobOf([role, chatEvent({ content: 'at 4111 1111' })])
  t.match(await refusalOf(() => relayStream(job)), 'upstream_truncated')
  t.equal(contents(client.text), 'at ')
})

t.test('a blocked value: nothing of it, and it is charged', async (t) => {
  const { job, client, trail } = jobOf([good], {}, 'block')
  t.match(await refusalOf(() => relayStream(job)), 'content_blocked')
  t.equal(contents(client.text), 'I am ')
  t.match(trail.relayed, { usage: { outputTokens: 5 }, found: { findings: [{ action: 'block' }] } })
})

t.test('usage is shown when it was asked for, and running usage never', async (t) => {
  const usage = { prompt_tokens: 3, completion_tokens: 1, total_tokens: 4 }
  const running = chatEvent({ content: 'a' }).replace('}\n\n', `,"usage":${JSON.stringify(usage)}}\n\n`)
  const closing = `data: ${JSON.stringify({ choices: [], usage: { ...usage, completion_tokens: 2, total_tokens: 5 } })}\n\n`
  for (const shown of [true, false]) {
    const { job, client, trail } = jobOf(
      [running, chatEvent({ content: 'b' }, 'stop'), closing, DONE],
      shown ? { stream_options: { include_usage: true } } : {},
    )
    await relayStream(job)
    t.equal(client.text.match(/"usage"/g)?.length ?? 0, shown ? 1 : 0)
    t.match(trail.relayed, { usage: { inputTokens: 3, outputTokens: 2 }, usageReported: true })
  }
})

t.test('a cut is the reason of the ending, whatever the read fails with', async (t) => {
  const cut = new Refusal('draining', 'test')
  const controller: { cut?: AbortController } = {}
  async function* body(): AsyncGenerator<Uint8Array> {
    yield Buffer.from(role + chatEvent({ content: 'a, ' }))
    controller.cut?.abort(cut)
    throw new Refusal('upstream_truncated', 'aborted')
  }
  const made = jobOf(body())
  controller.cut = made.cut
  await t.rejects(relayStream(made.job), cut)
  t.equal(contents(made.client.text), 'a, ')
})

t.test('each read is written before the next: a reader who waits holds the model server back', async (t) => {
  let reads = 0
  async function* body(): AsyncGenerator<Uint8Array> {
    for (let index = 0; index < 50; index++) {
      reads += 1
      yield Buffer.from(chatEvent({ content: 'a, ' }))
    }
    yield Buffer.from(chatEvent({}, 'stop') + DONE)
  }
  const { job, client } = jobOf(body())
  const read = Promise.withResolvers<void>()
  client.pressure = read.promise
  const done = relayStream(job)
  await new Promise((resolve) => setTimeout(resolve, 20))
  t.equal(reads, 1)
  client.pressure = undefined
  read.resolve()
  await done
  t.equal(reads, 50)
})

t.test(
  'output beyond the grant: a clean end, charged to the token, and the model server is stopped',
  async (t) => {
    const words = ['I ', 'am ', 'bob', '@example', '.com ', 'and ', 'on ', 'and ', 'on ']
    const chunks = [role, ...words.map((content) => chatEvent({ content })), chatEvent({}, 'stop'), DONE]
    for (let grant = 1; grant <= words.length; grant += 1) {
      const fields = { stream_options: { include_usage: true } }
      const { job, client, trail, answer } = jobOf(chunks, fields, 'mask', grant)
      await relayStream(job)
      const isCut = grant < words.length
      t.match(trail.relayed, { outputCut: isCut, usage: { outputTokens: grant } }, `${grant}`)
      t.ok(client.text.endsWith(DONE) && client.ended)
      t.equal(client.text.includes('"finish_reason":"length"'), isCut)
      t.match(client.text, `"completion_tokens":${grant},`)
      t.notMatch(contents(client.text), isCut ? /bob/ : /@example\.com/)
      t.equal(answer.seen.finished, isCut ? 0 : 1, 'a connection that goes on serving is not used again')
    }
  },
)

t.test('output beyond the grant: choices that ended before keep their own reason', async (t) => {
  const chunks = [
    chatEvent({ content: 'a' }, 'stop', 0),
    chatEvent({ content: 'b' }, null, 1),
    chatEvent({ content: 'c' }, null, 1),
    chatEvent({ content: 'd' }, null, 1),
    DONE,
  ]
  const { job, client } = jobOf(chunks, { n: 2 }, 'mask', 3)
  await relayStream(job)
  const reasons = [...client.text.matchAll(/"index":(\d)[^}]*\}?,"finish_reason":"(\w+)"/g)]
  t.same(
    reasons.map(([, index, reason]) => [index, reason]),
    [
      ['0', 'stop'],
      ['1', 'length'],
    ],
  )
})
