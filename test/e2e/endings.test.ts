// Every way in which a streamed exchange ends by the model server's doing, and what is left behind: one audit pair,
// one log line, one count, a free slot, and a gateway that answers the next call.
import t from 'tap'
import type { Script } from '../../loadtest/model-server.ts'
import { chatBody, endOf, eventsOf, Scene } from '../support/scene.ts'

const scene = await Scene.open({
  gateway: { traffic: { stream: { idleTimeoutMs: 300, eventBytesMax: 2048, replyBytesMax: 8192 } } },
  redaction: {
    profiles: { strict: { prompt: { default: 'block' }, reply: { default: 'block' } } },
  },
  policies: {
    roles: {
      app: { limits: { inFlight: 1 } },
      strict: {
        scopes: ['inference'],
        parameters: { outputTokensMax: 64 },
        limits: { requestsPerMinute: 1000, burst: 1000, inFlight: 1 },
        redaction: 'strict',
      },
    },
  },
})
t.teardown(() => scene.stack.stop())

const delta = (content: string, finish: string | null = null, index = 0): string =>
  `data: ${JSON.stringify({
    id: 'chatcmpl-1',
    object: 'chat.completion.chunk',
    created: 1,
    model: 'demo',
    choices: [{ index, delta: { content }, finish_reason: finish }],
  })}\n\n`
const sse = (body: Script['body'], more: Script = {}): Script => ({
  contentType: 'text/event-stream',
  ...(body ? { body } : {}),
  ...more,
})

interface Case {
  readonly script: Script
  readonly end: string
  readonly outcome?: string
  readonly text?: string
}

const cut = { end: 'upstream_truncated', outcome: 'upstream_error' }
const broken = { end: 'upstream_protocol', outcome: 'upstream_error' }
const split = Buffer.from(delta('naïve'))
const midCharacter = split.indexOf(0xc3) + 1

const begun: Record<string, Case> = {
  'a normal end': {
    script: { content: ['one ', 'two'] },
    end: '[DONE]',
    outcome: 'completed',
    text: 'one two',
  },
  'no [DONE], but every choice gave its reason': {
    script: { content: ['one'], done: false },
    end: '[DONE]',
    outcome: 'completed',
    text: 'one',
  },
  'data after [DONE]': {
    script: sse([delta('a', 'stop'), `data: [DONE]\n\n${delta('late')}data: {`, delta('later')]),
    end: '[DONE]',
    outcome: 'completed',
    text: 'a',
  },
  '[DONE] without the blank line': {
    script: sse([delta('a', 'stop'), 'data: [DONE]']),
    end: '[DONE]',
    outcome: 'completed',
    text: 'a',
  },
  'a clean close without [DONE] or a reason': {
    script: { content: ['one ', 'two'], end: { after: 2, how: 'close' } },
    ...cut,
    text: 'one ',
  },
  'a connection that dies between events': {
    script: { content: ['one ', 'two'], gapMs: 50, end: { after: 2, how: 'reset' } },
    ...cut,
  },
  'a connection that dies in an event': {
    script: { content: ['one ', 'two'], gapMs: 50, end: { after: 2, how: 'cut' } },
    ...cut,
    text: 'one ',
  },
  'a body that ends in an event': {
    script: sse([delta('one '), delta('two').slice(0, -9)]),
    ...cut,
    text: 'one ',
  },
  'a body that ends in a character': {
    script: sse([delta('one '), split.subarray(0, midCharacter)]),
    ...cut,
    text: 'one ',
  },
  'an error event': {
    script: { content: ['one ', 'two'], end: { after: 2, how: 'error' } },
    end: 'upstream_error',
    outcome: 'upstream_error',
    text: 'one ',
  },
  'an error event by its name, without data': {
    script: sse([delta('one '), 'event: error\n: no text for you\n\n']),
    end: 'upstream_error',
    outcome: 'upstream_error',
    text: 'one ',
  },
  'an error event of an unknown shape': {
    script: sse([delta('one '), 'data: {"error":"CUDA out of memory"}\n\n']),
    end: 'upstream_error',
    outcome: 'upstream_error',
    text: 'one ',
  },
  'an event that is not JSON': { script: sse([delta('one '), 'data: oops\n\n']), ...broken, text: 'one ' },
  'an event that is not UTF-8': {
    script: sse([delta('one '), Buffer.from('data: {"a":"\xff"}\n\n', 'latin1')]),
    ...broken,
    text: 'one ',
  },
  'an event of another endpoint': {
    script: sse([delta('one '), 'data: {"type":"response.output_text.delta","delta":"x"}\n\n']),
    ...broken,
  },
  'an event above its bound': {
    script: sse([delta('one '), delta('x'.repeat(4096))]),
    ...broken,
    text: 'one ',
  },
  'a line without an end': { script: sse([delta('one '), `data: ${'x'.repeat(4096)}`]), ...broken },
  'a stream above its bound': {
    script: sse([delta('one '), { waitMs: 50 }, ...Array.from({ length: 80 }, () => delta('y'.repeat(40)))]),
    end: 'upstream_reply_too_large',
    outcome: 'upstream_error',
  },
  'text after the reason to end': {
    script: sse([delta('one ', 'stop'), delta('more')]),
    ...broken,
  },
  'a tool call that was not offered': {
    script: { content: ['one '], toolCalls: [{ name: 'delete_everything', arguments: ['{}'] }] },
    ...broken,
    text: 'one ',
  },
  'a stall': {
    script: { content: ['one ', 'two'], end: { after: 2, how: 'stall' } },
    end: 'upstream_timeout',
    outcome: 'timeout',
    text: 'one ',
  },
}

const contentOf = (stream: string): string =>
  eventsOf(stream)
    .map(
      (event) =>
        (event['choices'] as { delta: { content?: string } }[] | undefined)?.[0]?.delta.content ?? '',
    )
    .join('')

for (const [name, { script, end, outcome, text }] of Object.entries(begun)) {
  t.test(name, async (t) => {
    let body = ''
    const ending = await scene.ending(script, async () => {
      const reply = await scene.stream()
      t.equal(reply.status, 200)
      body = await reply.text()
    })
    t.equal(endOf(body), end)
    t.equal(body.match(/\[DONE\]/g)?.length ?? 0, end === '[DONE]' ? 1 : 0, '[DONE] is the proper end alone')
    if (text !== undefined) t.equal(contentOf(body), text)
    t.match(ending, {
      outcome,
      status: 200,
      code: end === '[DONE]' ? undefined : end,
      records: ['exchange.admitted', 'exchange.ended'],
      streamEnd: outcome === 'completed' ? 'done' : outcome,
    })
    t.type(ending.record['output_tokens'], 'number', 'what was generated is charged')
  })
}

t.test(
  'a reply that the policy blocks ends with an error event, and shows nothing of the value',
  async (t) => {
    let body = ''
    const script = { content: ['Write to ali', 'ce@example', '.com today'] }
    const ending = await scene.ending(script, async () => {
      const token = scene.stack.token({ roles: ['strict'] })
      const reply = await scene.chat({ stream: true }, { authorization: `Bearer ${token}` })
      body = await reply.text()
    })
    t.equal(endOf(body), 'content_blocked')
    t.equal(contentOf(body), 'Write to ')
    t.match(ending, { outcome: 'policy', code: 'content_blocked', streamEnd: 'policy' })
    t.match(ending.record, { reply_findings: [{ entity: 'EMAIL_ADDRESS', action: 'block', count: 1 }] })
  },
)

t.test('a whole reply that the policy blocks is a 403', async (t) => {
  const ending = await scene.ending({ content: ['Write to alice@example.com'] }, async () => {
    const token = scene.stack.token({ roles: ['strict'] })
    const reply = await scene.chat({}, { authorization: `Bearer ${token}` })
    t.equal(reply.status, 403)
    t.notMatch(await reply.text(), 'alice')
  })
  t.match(ending, { outcome: 'policy', status: 403, streamEnd: undefined })
  t.match(ending.record, { output_tokens: 1, input_tokens: Number }, 'it was generated, so it is charged')
})

t.test('a prompt that the policy blocks never reaches a model server', async (t) => {
  const before = scene.stack.model.stats.requests
  const ending = await scene.ending(undefined, async () => {
    const token = scene.stack.token({ roles: ['strict'] })
    const messages = [{ role: 'user', content: 'I am alice@example.com' }]
    const reply = await scene.chat({ messages }, { authorization: `Bearer ${token}` })
    t.equal(reply.status, 403)
    t.match(await reply.json(), { error: { code: 'content_blocked', param: 'messages[0].content' } })
  })
  t.match(ending, { outcome: 'policy', records: ['exchange.ended'] })
  t.equal(scene.stack.model.stats.requests - before, 1, 'only the good call after it')
})

t.test('a refusal before the body and one after it leave one record each', async (t) => {
  const before = await scene.ending(undefined, async () => {
    const reply = await scene.chat({}, { authorization: 'Bearer nonsense' })
    t.equal(reply.status, 401)
  })
  t.match(before, { outcome: 'refused', code: 'invalid_token', records: ['exchange.ended'] })
  const after = await scene.ending(undefined, async () => {
    const reply = await scene.stack.post('/v1/chat/completions', { ...chatBody, chat_template: '{{x}}' })
    t.equal(reply.status, 400)
  })
  t.match(after, { outcome: 'refused', code: 'unsupported_parameter', records: ['exchange.ended'] })
})
