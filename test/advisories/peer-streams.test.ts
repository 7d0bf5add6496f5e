// What went wrong with streams in other gateways, by their own issue trackers: each is a test here.
import t from 'tap'
import type { Script } from '../../loadtest/model-server.ts'
import { endOf, eventsOf, Scene } from '../support/scene.ts'
import { until } from '../support/stack.ts'

const limits = { requestsPerMinute: 1_000, burst: 1_000, inFlight: 2 }
const role = {
  scopes: ['inference'],
  parameters: { outputTokensMax: 64, choicesMax: 4, tools: ['*'] },
  limits,
  redaction: 'mask',
}
const scene = await Scene.open({
  gateway: { traffic: { stream: { eventBytesMax: 65_536, replyBytesMax: 1_000_000 } } },
  policies: {
    roles: {
      app: { limits },
      few: { ...role, limits: { requestsPerMinute: 1, burst: 2, inFlight: 1 } },
    },
  },
})
t.teardown(() => scene.stack.stop())
const { stack } = scene
const { stats } = stack.model
const body = { model: 'demo', messages: [{ role: 'user', content: 'hi' }], max_tokens: 64 }

function leavable(stream: boolean) {
  const caller = new AbortController()
  const reply = stack.fetch('/v1/chat/completions', {
    method: 'POST',
    headers: { authorization: `Bearer ${stack.token()}`, 'content-type': 'application/json' },
    body: JSON.stringify({ ...body, stream }),
    signal: caller.signal,
  })
  return { reply, leave: () => caller.abort() }
}
const idle = () => until(async () => (await stack.metrics()).includes('sallyport_requests_in_flight 0'))

t.test('slots leak when callers leave, until nobody gets in (LiteLLM 20256, 27955)', async (t) => {
  const silent: Script = { end: { after: 'nothing', how: 'stall' } }
  const talking: Script = { content: ['a ', 'b '], end: { after: 2, how: 'stall' } }
  for (const script of [silent, talking, silent, talking]) {
    scene.script = script
    const { reply, leave } = leavable(true)
    await until(() => stats.running === 1)
    if (script === talking) await reply
    leave()
    await reply.catch(() => {})
    await until(() => stats.running === 0)
  }
  await idle()
  scene.script = undefined
  const replies = await Promise.all([scene.stream(), scene.stream()])
  t.same(
    replies.map(({ status }) => status),
    [200, 200],
    'as many as before get in at one time',
  )
  for (const reply of replies) await reply.text()
  await idle()
})

t.test(
  'the model server works on for a caller who has left, also before the first token (LiteLLM 13774, 22805)',
  async (t) => {
    for (const stream of [true, false]) {
      scene.script = { end: { after: 'nothing', how: 'stall' } }
      const before = stats.aborted.prefill
      const { reply, leave } = leavable(stream)
      await until(() => stats.running === 1)
      leave()
      await reply.catch(() => {})
      await until(() => stats.aborted.prefill === before + 1)
      t.equal(stats.running, 0)
    }
    scene.script = undefined
    await idle()
  },
)

t.test('a caller who leaves pays nothing (LiteLLM 33736, 30630)', async (t) => {
  scene.script = { content: ['one ', 'two ', 'three '], end: { after: 4, how: 'stall' } }
  const { reply, leave } = leavable(true)
  const reader = (await reply).body?.getReader()
  for (let text = ''; !text.includes('three'); ) {
    const chunk = await reader?.read()
    text += Buffer.from(chunk?.value ?? []).toString()
  }
  leave()
  await idle()
  scene.script = undefined
  const records = () => stack.audit().filter(({ event }) => event === 'exchange.ended')
  await until(() => records().at(-1)?.['outcome'] === 'client_abort')
  t.ok(Number(records().at(-1)?.['output_tokens']) >= 3)
  t.ok(Number(records().at(-1)?.['input_tokens']) > 0)
})

t.test('masking turns a stream into one late block (LiteLLM 31503, Kong AI proxy 3.9)', async (t) => {
  const rest = Promise.withResolvers<void>()
  scene.script = {
    content: ['Mail bob@example.com now. ', 'later'],
    gate: (at) => (at < 2 ? undefined : rest.promise),
  }
  const reply = await scene.stream()
  const reader = reply.body?.getReader()
  let text = ''
  while (!text.includes('[EMAIL_ADDRESS] now'))
    text += Buffer.from((await reader?.read())?.value ?? []).toString()
  t.equal(stats.running, 1, 'the first words are here while the model still speaks')
  rest.resolve()
  for (let chunk = await reader?.read(); !chunk?.done; chunk = await reader?.read())
    text += Buffer.from(chunk?.value ?? [])
  t.equal(endOf(text), '[DONE]')
  scene.script = undefined
})

t.test('only the content of the first choice is looked at (agentgateway 2956, LiteLLM 38734)', async (t) => {
  const secret = ['bob@exam', 'ple.com']
  scene.script = {
    choices: [
      { content: ['x '], toolCalls: [{ name: 'f', arguments: ['{"to":"', ...secret, '"}'] }] },
      { reasoning: secret, content: ['a ', ...secret], refusal: secret },
    ],
  }
  const tools = [{ type: 'function', function: { name: 'f' } }]
  const stream = await (await scene.stream({ n: 2, tools })).text()
  const whole = await (await scene.chat({ n: 2, tools })).text()
  for (const text of [stream, whole]) {
    t.notMatch(text, /bob@|exam|ple\.com/)
    t.equal(text.split('[EMAIL_ADDRESS]').length - 1, 4)
  }
  eventsOf(stream)
  scene.script = undefined
})

t.test('an event of an unknown kind passes unread (LiteLLM 35257, 14152)', async (t) => {
  for (const event of [
    { type: 'response.output_text.delta', delta: 'bob@example.com' },
    { type: 'content_block_delta', delta: { type: 'text_delta', text: 'bob@example.com' } },
    { choices: [{ index: 0, delta: { content: [{ type: 'surprise', text: 'bob@example.com' }] } }] },
    { choices: [{ index: 0, delta: { audio: { data: 'AAAA' } } }] },
  ]) {
    scene.script = {
      contentType: 'text/event-stream',
      body: [`data: ${JSON.stringify(event)}\n\n`, 'data: [DONE]\n\n'],
    }
    const reply = await scene.stream()
    const text = await reply.text()
    t.match(JSON.parse(text), { error: { code: 'upstream_protocol' } })
    t.notMatch(text, 'bob@')
  }
  const extras = {
    secret: 'bob@example.com',
    choices: [
      {
        index: 0,
        delta: { content: 'a', x: 'bob@example.com' },
        y: 'bob@example.com',
        finish_reason: 'stop',
      },
    ],
  }
  scene.script = {
    contentType: 'text/event-stream',
    body: [`data: ${JSON.stringify(extras)}\n\n`, 'data: [DONE]\n\n'],
  }
  const text = await (await scene.stream()).text()
  t.equal(endOf(text), '[DONE]')
  t.notMatch(text, 'bob@', 'unknown fields of a known event are dropped')
  scene.script = undefined
})

t.test('a request that concurrency refused still burns the rate (LiteLLM 39309)', async (t) => {
  const bearer = { authorization: `Bearer ${stack.token({ roles: ['few'], tenant: 'few' })}` }
  const held = Promise.withResolvers<void>()
  scene.script = { content: ['a'], gate: () => held.promise }
  const first = scene.chat({}, bearer)
  await until(() => stats.running === 1)
  const refused = await scene.chat({}, bearer)
  t.match(await refused.json(), { error: { code: 'concurrency_limit_exceeded' } })
  held.resolve()
  t.equal((await first).status, 200)
  await (await first).text()
  await idle()
  t.equal((await scene.chat({}, bearer)).status, 200, 'the second of the burst is still there')
  t.equal((await scene.chat({ stream: true }, bearer)).status, 429, 'and a stream is limited like any other')
  scene.script = undefined
  await idle()
})

t.test('a model server that never stops pins the gateway (APISIX 13256, 13255)', async (t) => {
  const endless = (event: object): Script => ({
    contentType: 'text/event-stream',
    body: Array.from({ length: 5_000 }, () => `data: ${JSON.stringify(event)}\n\n`),
  })
  const said = { choices: [{ index: 0, delta: { content: 'on and on '.repeat(100) } }] }
  const nothing = { id: 'x'.repeat(500), choices: [{ index: 0, delta: { content: '' } }] }
  for (const [event, end, charsMax] of [
    [said, '[DONE]', 100_000],
    [nothing, 'upstream_reply_too_large', 2_000_000],
  ] as const) {
    scene.script = endless(event)
    const flood = scene.stream().then((reply) => reply.text())
    const probes = await Promise.all([stack.metrics(), stack.metrics()])
    t.ok(
      probes.every((text) => text.includes('sallyport_requests_in_flight')),
      'others are answered meanwhile',
    )
    const text = await flood
    t.equal(endOf(text), end, 'it ends with what was set aside for it, or at the bound of its bytes')
    t.ok(text.length < charsMax)
    await until(() => stats.running === 0)
    await idle()
  }
  scene.script = undefined
})

t.test('usage is lost when its event comes in pieces (Higress 2918)', async (t) => {
  const closing = `data: ${JSON.stringify({ choices: [], usage: { prompt_tokens: 3, completion_tokens: 9, total_tokens: 12 } })}\n\n`
  const content = `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: 'a' }, finish_reason: 'stop' }] })}\n\n`
  for (const at of [1, 20, closing.length - 1]) {
    const pieces = [content, closing.slice(0, at), { waitMs: 5 }, closing.slice(at), 'data: [DONE]\n\n']
    scene.script = { contentType: 'text/event-stream', body: pieces }
    const text = await (await scene.stream({ stream_options: { include_usage: true } })).text()
    t.match(eventsOf(text).at(-1), { usage: { completion_tokens: 9 } })
  }
  scene.script = undefined
})

t.test('a stream that broke off looks like one that ended', async (t) => {
  for (const how of ['close', 'reset', 'cut'] as const) {
    scene.script = { content: ['one ', 'two'], gapMs: 40, end: { after: 2, how } }
    t.equal(endOf(await (await scene.stream()).text()), 'upstream_truncated', how)
  }
  scene.script = undefined
})
