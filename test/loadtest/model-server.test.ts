import { setTimeout as delay } from 'node:timers/promises'
import OpenAI, { APIError } from 'openai'
import t from 'tap'
import {
  type ModelServer,
  type ModelServerOptions,
  type Script,
  startModelServer,
} from '../../loadtest/model-server.ts'
import { parseExposition, sampleOf } from '../telemetry/exposition.ts'

type Test = { teardown(end: () => unknown): void }

async function start(t: Test, options: Partial<ModelServerOptions> = {}) {
  const server = await startModelServer(options)
  t.teardown(() => server.close())
  const client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'key', maxRetries: 0 })
  return { server, client }
}
const scripted = (t: Test, script: Script) => start(t, { script: () => script })

const ask = (content = 'hi', more: object = {}) => ({
  model: 'demo',
  messages: [{ role: 'user' as const, content }],
  ...more,
})
const post = (server: ModelServer, body: object, init: RequestInit = {}) =>
  fetch(`${server.url}/v1/chat/completions`, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
    ...init,
  })
/** Waits for a state, not for a time. */
async function until(state: () => boolean): Promise<void> {
  while (!state()) await delay(5)
}
async function chunksOf(client: OpenAI, more: object = {}) {
  const stream = await client.chat.completions.create({ ...ask(), ...more, stream: true })
  return Array.fromAsync(stream)
}

t.test('the openai client gets a scripted stream chunk by chunk', async (t) => {
  const { client, server } = await scripted(t, { content: ['My card is 4111 11', '11 1111', ' 1111'] })
  const chunks = await chunksOf(client, { stream_options: { include_usage: true } })
  const deltas = chunks.map((chunk) => chunk.choices[0]?.delta.content)
  t.same(deltas, ['', 'My card is 4111 11', '11 1111', ' 1111', undefined])
  t.equal(chunks[0]?.choices[0]?.delta.role, 'assistant')
  t.equal(chunks.at(-2)?.choices[0]?.finish_reason, 'stop', 'on the last chunk with content')
  t.same(chunks.at(-1)?.choices, [])
  t.match(chunks.at(-1)?.usage, { prompt_tokens: 1, completion_tokens: 3, total_tokens: 4 })
  t.equal(server.stats.completed, 1)
  t.match(server.requests[0], {
    method: 'POST',
    path: '/v1/chat/completions',
    headers: { authorization: 'Bearer key' },
  })
  t.match(JSON.parse(server.requests[0]?.body ?? ''), { stream: true })
})

t.test('the bytes of a stream are as vLLM writes them', async (t) => {
  const { server } = await scripted(t, { content: ['a'] })
  const response = await post(server, ask('hi', { stream: true }))
  t.equal(response.headers.get('content-type'), 'text/event-stream; charset=utf-8')
  const lines = (await response.text()).split('\n\n')
  t.equal(lines.length, 4)
  for (const line of lines.slice(0, 2)) t.match(line, /^data: \{.*\}$/)
  t.same(lines.slice(2), ['data: [DONE]', ''])
})

t.test('a whole reply, and the same request gives the same reply', async (t) => {
  const { client } = await start(t, { mode: 'random', seed: 7 })
  const [one, two] = [
    await client.chat.completions.create(ask()),
    await client.chat.completions.create(ask()),
  ]
  t.ok(one.choices[0]?.message.content)
  t.same(one.choices, two.choices)
  t.equal(one.usage?.total_tokens, (one.usage?.prompt_tokens ?? 0) + (one.usage?.completion_tokens ?? 0))
})

t.test('echo mode repeats the last user message, and max_tokens cuts it', async (t) => {
  const { client } = await start(t, { mode: 'echo' })
  const text = 'one two three four'
  const all = await client.chat.completions.create(ask(text))
  t.equal(all.choices[0]?.message.content, text)
  t.equal(all.choices[0]?.finish_reason, 'stop')
  const cut = await client.chat.completions.create(ask(text, { max_tokens: 2 }))
  t.equal(cut.choices[0]?.message.content, 'one two')
  t.equal(cut.choices[0]?.finish_reason, 'length')
  t.equal(cut.usage?.completion_tokens, 2)
})

t.test('a fixed reply is cut into tokens, or given in chunks', async (t) => {
  const one = await start(t, { reply: ['Hello, wonderful world'] })
  const whole = await one.client.chat.completions.create(ask())
  t.equal(whole.choices[0]?.message.content, 'Hello, wonderful world')
  const many = await start(t, { reply: ['Hel', 'lo'] })
  t.same(
    (await chunksOf(many.client)).map((chunk) => chunk.choices[0]?.delta.content),
    ['', 'Hel', 'lo'],
  )
})

t.test('continuous usage is on every chunk', async (t) => {
  const { client } = await scripted(t, { content: ['a', 'b'] })
  const chunks = await chunksOf(client, {
    stream_options: { include_usage: true, continuous_usage_stats: true },
  })
  t.same(
    chunks.map((chunk) => chunk.usage?.completion_tokens),
    [undefined, 1, 2, 2],
  )
})

t.test('tool calls: fragments in the stream, whole otherwise, made up when one is required', async (t) => {
  const toolCalls = [
    { id: 'c1', name: 'find', arguments: ['{"q', '":"x"}'] },
    { name: 'send', arguments: ['{}'] },
  ]
  const { client } = await scripted(t, { toolCalls })
  const message = await client.chat.completions.stream({ ...ask(), stream: true }).finalMessage()
  const called = message.tool_calls?.map(
    (call) => call.type === 'function' && [call.function.name, call.function.arguments],
  )
  t.same(called, [
    ['find', '{"q":"x"}'],
    ['send', '{}'],
  ])
  const whole = await client.chat.completions.create(ask())
  t.equal(whole.choices[0]?.finish_reason, 'tool_calls')
  t.equal(whole.choices[0]?.message.content, null)
  const other = await start(t)
  const tools = [{ type: 'function', function: { name: 'look', parameters: {} } }]
  const forced = await other.client.chat.completions.create(ask('hi', { tools, tool_choice: 'required' }))
  t.match(forced.choices[0]?.message.tool_calls?.[0], {
    function: { name: 'look', arguments: '{"input":"simulated"}' },
  })
})

t.test('reasoning, refusal, several choices in turn, logprobs', async (t) => {
  const choices = [
    { reasoning: ['hm'], content: ['a', 'b'] },
    { refusal: ['no'], finishReason: 'content_filter' },
  ]
  const { client } = await scripted(t, { choices, reasoningField: 'reasoning_content' })
  const chunks = await chunksOf(client, { n: 2, logprobs: true, top_logprobs: 1 })
  const said = chunks.map(({ choices: [choice] }) => [choice?.index, { ...choice?.delta }])
  t.same(said, [
    [0, { role: 'assistant', content: '' }],
    [1, { role: 'assistant', content: '' }],
    [0, { reasoning_content: 'hm' }],
    [1, { refusal: 'no' }],
    [0, { content: 'a' }],
    [0, { content: 'b' }],
  ])
  t.match(chunks[4]?.choices[0]?.logprobs?.content?.[0], {
    token: 'a',
    bytes: [97],
    top_logprobs: [{ token: 'a' }],
  })
  t.equal(chunks[3]?.choices[0]?.finish_reason, 'content_filter')
})

t.test('completions: prompts times n choices, logprobs, stream', async (t) => {
  const { client } = await start(t, { mode: 'echo' })
  const reply = await client.completions.create({ model: 'demo', prompt: ['a b', 'c'], n: 2, logprobs: 1 })
  t.same(
    reply.choices.map((choice) => choice.text),
    ['a b', 'a b', 'c', 'c'],
  )
  t.same(reply.choices[0]?.logprobs?.text_offset, [0, 1])
  const stream = await client.completions.create({ model: 'demo', prompt: 'a b', stream: true })
  t.same(
    (await Array.fromAsync(stream)).map((chunk) => chunk.choices[0]?.text),
    ['a', ' b'],
  )
})

t.test('embeddings depend on the text alone and have length one', async (t) => {
  const { client } = await start(t)
  const { data } = await client.embeddings.create({ model: 'demo', input: ['x', 'y', 'x'], dimensions: 8 })
  t.equal(data.length, 3)
  t.same(data[0]?.embedding, data[2]?.embedding)
  t.notSame(data[0]?.embedding, data[1]?.embedding)
  t.ok(Math.abs(Math.hypot(...(data[0]?.embedding ?? [])) - 1) < 1e-6)
  const floats = await client.embeddings.create({
    model: 'demo',
    input: 'x',
    dimensions: 8,
    encoding_format: 'float',
  })
  t.same(floats.data[0]?.embedding, data[0]?.embedding)
})

t.test('a caller who leaves is noticed in every phase', async (t) => {
  const { server } = await start(t, {
    maxNumSeqs: 1,
    script: ({ body }) => {
      if (body.includes('prefill')) return { firstTokenMs: 60_000 }
      return { content: ['a', 'b'], end: { after: 2, how: 'stall' } }
    },
  })
  const leave = async (what: string, stream: boolean, arrived: () => boolean) => {
    const gone = new AbortController()
    const reply = post(server, ask(what, { stream }), { signal: gone.signal }).then((response) =>
      response.text(),
    )
    await until(arrived)
    return { reply, leave: () => gone.abort() }
  }
  const decode = await leave('decode', true, () => server.stats.generationTokens > 0)
  const queued = await leave('queued', true, () => server.stats.waiting === 1)
  queued.leave()
  await t.rejects(queued.reply)
  await until(() => server.stats.aborted.queued === 1)
  t.equal(server.stats.waiting, 0)
  decode.leave()
  await t.rejects(decode.reply)
  await until(() => server.stats.aborted.decode === 1)
  const prefill = await leave('prefill', false, () => server.stats.promptTokens === 2)
  prefill.leave()
  await t.rejects(prefill.reply)
  await until(() => server.stats.running === 0)
  t.same(server.stats.aborted, { queued: 1, prefill: 1, decode: 1 })
  t.equal(server.stats.completed, 0)
})

t.test('the batch is bounded and the queue too', async (t) => {
  const gate = Promise.withResolvers<void>()
  const { server } = await start(t, {
    maxNumSeqs: 1,
    maxWaitingQueueLength: 1,
    script: () => ({ content: ['a'], gate: () => gate.promise }),
  })
  const first = post(server, ask())
  await until(() => server.stats.running === 1)
  const second = post(server, ask())
  await until(() => server.stats.waiting === 1)
  t.equal((await post(server, ask())).status, 429)
  gate.resolve()
  t.same([(await first).status, (await second).status], [200, 200])
  await until(() => server.stats.running === 0)
})

t.test('a gate holds the stream where a test wants it', async (t) => {
  const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const { client } = await scripted(t, { content: ['a'], gate: (index) => gates[index]?.promise })
  const stream = await client.chat.completions.create({ ...ask(), stream: true })
  const reader = stream[Symbol.asyncIterator]()
  gates[0]?.resolve()
  t.equal((await reader.next()).value?.choices[0]?.delta.content, '')
  const next = reader.next()
  gates[1]?.resolve()
  t.equal((await next).value?.choices[0]?.delta.content, 'a')
})

const endings: [string, Script['end'], boolean, RegExp][] = [
  ['close without [DONE]', { after: 2, how: 'close' }, true, /"content":"a".*\n\n$/],
  ['error event', { after: 2, how: 'error' }, true, /data: \{"error":.*\n\ndata: \[DONE\]\n\n$/],
  ['no [DONE]', undefined, true, /"content":"b".*\n\n$/],
  ['cut in an event', { after: 2, how: 'cut' }, false, /./],
  ['reset', { after: 2, how: 'reset' }, false, /./],
  ['reset before the head', { after: 'nothing', how: 'reset' }, false, /./],
  ['closed before the head', { after: 'nothing', how: 'close' }, false, /./],
]
for (const [name, end, complete, text] of endings) {
  t.test(`ending: ${name}`, async (t) => {
    const { server } = await scripted(t, { content: ['a', 'b'], done: false, ...(end ? { end } : {}) })
    const reply = post(server, ask('hi', { stream: true })).then((response) => response.text())
    if (complete) t.match(await reply, text)
    else await t.rejects(reply)
    await until(() => server.stats.running === 0)
  })
}

t.test('another answer altogether: status, type, headers, body, raw bytes', async (t) => {
  const scripts: Record<string, Script> = {
    odd: {
      status: 418,
      contentType: 'text/html',
      headers: { 'x-odd': '1' },
      body: ['<p>', { waitMs: 1 }, Buffer.from('é')],
    },
    raw: { raw: ['HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n', 'ok'] },
    huge: { content: ['x'.repeat(1 << 20)] },
    wrong: { content: ['a'], contentType: 'application/json' },
  }
  const { server } = await start(t, { script: ({ body }) => scripts[JSON.parse(body).messages[0].content] })
  const odd = await post(server, ask('odd'))
  t.same([odd.status, odd.headers.get('content-type'), odd.headers.get('x-odd')], [418, 'text/html', '1'])
  t.equal(await odd.text(), '<p>é')
  t.equal(await (await post(server, ask('raw'))).text(), 'ok')
  t.ok((await (await post(server, ask('huge', { stream: true }))).text()).length > 1 << 20)
  t.equal(
    (await post(server, ask('wrong', { stream: true }))).headers.get('content-type'),
    'application/json',
  )
})

t.test('scripts in a header and in a prompt; a bad one is refused', async (t) => {
  const { server } = await start(t)
  const script = '{"content":["x","y"],"usage":null}'
  const inHeader = await post(server, ask(), { headers: { 'x-simulate': script } })
  t.match(await inHeader.json(), { choices: [{ message: { content: 'xy' } }] })
  const inPrompt = await (await post(server, ask(`x-simulate: ${script}`))).json()
  t.match(inPrompt, { choices: [{ message: { content: 'xy' } }] })
  t.notHas(inPrompt, 'usage')
  for (const bad of [
    '{',
    '[]',
    '{"gate":1}',
    '{"content":"x"}',
    '{"__proto__":{"x":1}}',
    '{"end":{"after":-1,"how":"x"}}',
  ]) {
    t.equal((await post(server, ask(`x-simulate: ${bad}`))).status, 400, bad)
  }
})

t.test('errors have the shape of vLLM and become typed exceptions', async (t) => {
  const { client, server } = await start(t, { apiKey: 'key', maxModelLen: 20 })
  const rejected = async (more: object) =>
    client.chat.completions.create(ask('hi', more)).catch((error: unknown) => error)
  t.match(await rejected({ model: 'other' }), { status: 404, type: 'NotFoundError' })
  const long = await rejected({ max_tokens: 100 })
  t.ok(long instanceof APIError)
  t.match(long, { status: 400, code: 400, message: /maximum context length is 20 tokens/ })
  t.match(await rejected({ n: -1 }), { status: 400 })
  t.match(await rejected({ messages: [] }), { status: 400 })
  const stranger = await post(server, ask())
  t.equal(stranger.status, 401)
  t.same(await stranger.json(), { error: 'Unauthorized' })
  t.equal((await fetch(`${server.url}/health`)).status, 200)
})

t.test('injected failures, by share and type', async (t) => {
  const { server } = await start(t, { failureInjectionRate: 100, failureTypes: ['rate_limit'] })
  t.equal((await post(server, ask())).status, 429)
  t.equal(server.stats.failuresInjected, 1)
})

t.test('administrative and unknown paths are counted', async (t) => {
  const { server } = await start(t)
  for (const path of ['/sleep', '/v1/load_lora_adapter', '/sleep?level=2']) {
    t.equal((await fetch(server.url + path, { method: 'POST' })).status, 200)
  }
  t.same(server.stats.adminHits, { '/sleep': 2, '/v1/load_lora_adapter': 1 })
  t.equal((await fetch(`${server.url}/nope`)).status, 404)
  t.equal((await fetch(`${server.url}/constructor`)).status, 404)
  t.equal(server.stats.unknownPaths, 2)
})

t.test('models and metrics', async (t) => {
  const { client, server } = await start(t, { servedModelNames: ['a', 'b'], reply: ['x y'] })
  t.same(
    (await client.models.list()).data.map((model) => model.id),
    ['a', 'b'],
  )
  await client.chat.completions.create({ ...ask(), model: 'b' })
  const families = parseExposition(await (await fetch(`${server.url}/metrics`)).text())
  t.equal(sampleOf(families, 'vllm:generation_tokens_total', { model_name: 'a' }), 2)
  t.equal(sampleOf(families, 'vllm:num_requests_running'), 0)
  t.equal(sampleOf(families, 'vllm:request_success_total', { finished_reason: 'stop' }), 1)
})

t.test('what is kept is bounded', async (t) => {
  const { server } = await start(t, { requestsKeptMax: 2, requestBodyBytesMax: 1000 })
  for (const text of ['1', '2', '3']) await (await post(server, ask(text))).text()
  t.same(
    server.requests.map(({ body }) => JSON.parse(body).messages[0].content),
    ['2', '3'],
  )
  t.equal((await post(server, ask('x'.repeat(2000)))).status, 413)
})
