// What people do with the stock OpenAI client, through the whole gateway: chat, streams, tools, completions,
// embeddings, models.
import type OpenAI from 'openai'
import t from 'tap'
import { Scene } from '../support/scene.ts'
import { until } from '../support/stack.ts'

const scene = await Scene.open({ policies: {} })
t.teardown(() => scene.stack.stop())
const openai = scene.stack.openai()
const ask = { model: 'demo', messages: [{ role: 'user' as const, content: 'hi' }], max_tokens: 64 }
const tools = [
  {
    type: 'function' as const,
    function: {
      name: 'send_mail',
      description: 'Sends a mail',
      parameters: { type: 'object', properties: { to: { type: 'string' } }, required: ['to'] },
    },
  },
]

t.test('a chat, whole', async (t) => {
  scene.script = { content: ['Hello ', 'there'], finishReason: 'stop' }
  const { data, response } = await openai.chat.completions.create(ask).withResponse()
  t.match(data, {
    object: 'chat.completion',
    model: 'demo',
    choices: [{ index: 0, message: { role: 'assistant', content: 'Hello there' }, finish_reason: 'stop' }],
    usage: { prompt_tokens: Number, completion_tokens: 2, total_tokens: Number },
  })
  t.equal(
    (data as { _request_id?: string })._request_id,
    response.headers.get('x-request-id'),
    'the id that the SDK shows is ours',
  )
})

t.test('a chat, streamed, with usage only when it was asked for', async (t) => {
  scene.script = { content: ['Hello ', 'there'], finishReason: 'length' }
  for (const shown of [false, true]) {
    const stream = await openai.chat.completions.create({
      ...ask,
      stream: true,
      ...(shown ? { stream_options: { include_usage: true } } : {}),
    })
    const chunks: OpenAI.ChatCompletionChunk[] = []
    for await (const chunk of stream) chunks.push(chunk)
    const withChoices = chunks.filter(({ choices }) => choices.length > 0)
    t.equal(withChoices.map(({ choices }) => choices[0]?.delta.content ?? '').join(''), 'Hello there')
    t.equal(withChoices[0]?.choices[0]?.delta.role, 'assistant')
    t.equal(withChoices.at(-1)?.choices[0]?.finish_reason, 'length')
    t.equal(new Set(chunks.map(({ id }) => id)).size, 1)
    t.ok(
      withChoices.every(({ usage }) => (usage ?? null) === null),
      'running usage is for us',
    )
    t.same(
      chunks.filter(({ choices }) => choices.length === 0).map(({ usage }) => usage?.completion_tokens),
      shown ? [2] : [],
    )
  }
  t.match(JSON.parse(scene.stack.model.requests.at(-1)?.body ?? ''), {
    stream_options: { include_usage: true },
  })
})

t.test('the stream helper collects what was masked, and its own checks hold', async (t) => {
  scene.script = {
    reasoning: ['hm ', 'bob@exam', 'ple.com'],
    content: ['Mail ', 'al@exa', 'mple.com', ' now'],
  }
  const helper = openai.chat.completions.stream(ask)
  const done = await helper.finalChatCompletion()
  t.equal(done.choices[0]?.message.content, 'Mail [EMAIL_ADDRESS] now')
  t.equal(done.choices[0]?.finish_reason, 'stop')
})

t.test('streamed tool calls add up to JSON with the value masked inside', async (t) => {
  scene.script = {
    toolCalls: [
      { id: 'call_1', name: 'send_mail', arguments: ['{"to":"al', 'ice@exam', 'ple.com","n":', '1}'] },
      { id: 'call_2', name: 'send_mail', arguments: ['{"to":', '"nobody"}'] },
    ],
  }
  const helper = openai.chat.completions.stream({ ...ask, tools })
  const message = (await helper.finalChatCompletion()).choices[0]?.message
  const calls = (message?.tool_calls ?? []) as OpenAI.ChatCompletionMessageFunctionToolCall[]
  t.same(
    calls.map(({ function: { name, arguments: text } }) => [name, JSON.parse(text)]),
    [
      ['send_mail', { to: '[EMAIL_ADDRESS]', n: 1 }],
      ['send_mail', { to: 'nobody' }],
    ],
  )
  t.equal(new Set(calls.map(({ id }) => id)).size, 2)
  t.ok(calls.every(({ id }) => /^call_[a-p]{16}$/.test(id)))
  const whole = await openai.chat.completions.create({ ...ask, tools, tool_choice: 'auto' })
  t.same(whole.choices[0]?.finish_reason, 'tool_calls')
  const first = whole.choices[0]?.message.tool_calls?.[0] as OpenAI.ChatCompletionMessageFunctionToolCall
  t.same(JSON.parse(first.function.arguments), { to: '[EMAIL_ADDRESS]', n: 1 })
})

t.test('a conversation with tool results goes back up', async (t) => {
  scene.script = { content: ['done'] }
  const call = {
    id: 'call_1',
    type: 'function' as const,
    function: { name: 'send_mail', arguments: '{"to":"x"}' },
  }
  const done = await openai.chat.completions.create({
    ...ask,
    tools,
    messages: [
      { role: 'developer', content: 'Be brief' },
      { role: 'user', content: [{ type: 'text', text: 'mail x' }] },
      { role: 'assistant', content: null, tool_calls: [call] },
      { role: 'tool', tool_call_id: 'call_1', content: 'sent' },
    ],
  })
  t.equal(done.choices[0]?.message.content, 'done')
  const sent = JSON.parse(scene.stack.model.requests.at(-1)?.body ?? '')
  t.same(sent.messages[2].tool_calls[0], call)
  t.equal(sent.messages[3].content, 'sent')
})

t.test('choices that come interleaved stay apart', async (t) => {
  scene.script = {
    choices: [
      { content: ['first ', 'al@exa', 'mple.com', ' end'] },
      { content: ['second ', 'mple.com', ' al@exa', ' end'], finishReason: 'length' },
    ],
  }
  const texts = ['', '']
  const ends: string[] = []
  for await (const { choices } of await openai.chat.completions.create({ ...ask, n: 2, stream: true })) {
    for (const { index, delta, finish_reason } of choices) {
      texts[index] += delta.content ?? ''
      if (finish_reason) ends[index] = finish_reason
    }
  }
  t.same(texts, ['first [EMAIL_ADDRESS] end', 'second mple.com al@exa end'])
  t.same(ends, ['stop', 'length'])
  const whole = await openai.chat.completions.create({ ...ask, n: 2 })
  t.same(
    whole.choices.map(({ message }) => message.content),
    texts,
  )
})

t.test('legacy completions, whole and streamed, several prompts', async (t) => {
  scene.script = { content: ['Once ', 'upon'] }
  const whole = await openai.completions.create({ model: 'demo', prompt: 'Tell', max_tokens: 9 })
  t.match(whole, { object: 'text_completion', choices: [{ text: 'Once upon', finish_reason: 'stop' }] })
  let text = ''
  const stream = await openai.completions.create({
    model: 'demo',
    prompt: 'Tell',
    max_tokens: 9,
    stream: true,
  })
  for await (const { choices } of stream) text += choices[0]?.text ?? ''
  t.equal(text, 'Once upon')
  scene.script = { choices: [{ content: ['one'] }, { content: ['two'] }] }
  const two = await openai.completions.create({ model: 'demo', prompt: ['a', 'b'], max_tokens: 9 })
  t.same(
    two.choices.map((choice) => choice.text),
    ['one', 'two'],
  )
})

t.test('embeddings: numbers, and the base64 that the SDK asks for by itself', async (t) => {
  scene.script = undefined
  const input = ['one text', 'another']
  const floats = await openai.embeddings.create({ model: 'demo', input, encoding_format: 'float' })
  t.equal(JSON.parse(scene.stack.model.requests.at(-1)?.body ?? '').encoding_format, 'float')
  const usual = await openai.embeddings.create({ model: 'demo', input })
  t.equal(JSON.parse(scene.stack.model.requests.at(-1)?.body ?? '').encoding_format, 'base64')
  t.equal(floats.data.length, 2)
  t.same(
    usual.data.map(({ embedding }) => embedding.map((value) => value.toFixed(4))),
    floats.data.map(({ embedding }) => embedding.map((value) => value.toFixed(4))),
  )
  t.match(usual.usage, { prompt_tokens: Number, total_tokens: Number })
  const short = await openai.embeddings.create({ model: 'demo', input: 'x', dimensions: 4 })
  t.equal(short.data[0]?.embedding.length, 4)
})

t.test('models: the ones that the caller may use, from the gateway itself', async (t) => {
  const before = scene.stack.model.stats.requests
  const names = async (client: OpenAI): Promise<string[]> => {
    const all: string[] = []
    for await (const { id } of client.models.list()) all.push(id)
    return all
  }
  t.same(await names(openai), ['demo'])
  t.same(await names(scene.stack.openai({ token: scene.stack.token({ roles: ['admin'] }) })), [
    'demo',
    'secret',
  ])
  t.match(await openai.models.retrieve('demo'), { id: 'demo', object: 'model', owned_by: String })
  await t.rejects(openai.models.retrieve('secret'), { status: 404, code: 'model_not_found' })
  t.equal(scene.stack.model.stats.requests, before, 'no model server was asked')
})

t.test('structured output and sampling parameters reach the model server as they were given', async (t) => {
  scene.script = { content: ['{}'] }
  const schema = { type: 'object', properties: { a: { type: 'string' } }, additionalProperties: false }
  const parameters = {
    temperature: 0.5,
    top_p: 0.9,
    seed: 7,
    stop: ['END'],
    response_format: { type: 'json_schema' as const, json_schema: { name: 'answer', schema, strict: true } },
  }
  await openai.chat.completions.create({ ...ask, ...parameters })
  t.match(JSON.parse(scene.stack.model.requests.at(-1)?.body ?? ''), parameters)
})

t.test('a caller that breaks out of a stream ends it at the model server', async (t) => {
  const before = scene.stack.model.stats.aborted.decode
  scene.script = { content: ['Hello, ', 'you, ', 'there, '], end: { after: 3, how: 'stall' } }
  for await (const chunk of await openai.chat.completions.create({ ...ask, stream: true })) {
    if (chunk.choices[0]?.delta.content) break
  }
  await until(() => scene.stack.model.stats.aborted.decode === before + 1)
  t.pass('it saw the abort')
})
