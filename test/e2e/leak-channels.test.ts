// Every way that a value is known to take past a redaction that looks at the text alone, against the running gateway:
// each channel is masked, dropped or refused, and none of them shows more of a value than how it begins.
import { Buffer } from 'node:buffer'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { ChoiceScript, Script, Step } from '../../loadtest/model-server.ts'
import { endOf, eventsOf, Scene } from '../support/scene.ts'
import { until } from '../support/stack.ts'

let script: Script | undefined
const scene = await Scene.open({
  model: { script: () => script },
  policies: {},
  gateway: { traffic: { stream: { keepAliveCommentMs: 1_000 } } },
})
const { stack } = scene
t.teardown(() => stack.stop())

const email = 'zaphod.beeblebrox@heartofgold.example'
const card = '4111111111111111'
const key = ['AKIA', 'Q3EGWJ5T2ZLKMXYA'].join('')
const values: readonly string[] = [email, card, key]

type Fields = Record<string, unknown>
const tools = [
  { type: 'function', function: { name: 'f' } },
  { type: 'function', function: { name: 'g' } },
]
const chunk = (delta: Fields, more: Fields = {}): Fields => ({
  choices: [{ index: 0, delta, finish_reason: null, ...more }],
})
const closing = chunk({}, { finish_reason: 'stop' })
const line = (event: unknown): string => `data: ${JSON.stringify(event)}\n\n`
const stream = (...body: readonly Step[]): Script => ({ contentType: 'text/event-stream', body })
const events = (...all: readonly unknown[]): Script => stream(...all.map(line), 'data: [DONE]\n\n')
const whole = (json: unknown): Script => ({ contentType: 'application/json', body: [JSON.stringify(json)] })
const message = (fields: Fields, more: Fields = {}): Fields => ({
  choices: [
    { index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'x', ...fields }, ...more },
  ],
})

/** No text holds a value, nor more of its beginning than any text may have in common with it. */
function clean(t: Test, text: string, name = 'it'): void {
  for (const value of values)
    t.notOk(text.includes(value.slice(0, 8)), `${name} shows nothing of ${value.slice(0, 3)}`)
}

type Delta = Record<string, never>
const deltasOf = (text: string, index = 0): Delta[] =>
  eventsOf(text)
    .flatMap((event) => (event['choices'] as { index: number; delta: Delta }[] | undefined) ?? [])
    .filter((choice) => choice.index === index)
    .map(({ delta }) => delta)
const joined = (text: string, name: string, index = 0): string =>
  deltasOf(text, index)
    .map((delta) => (delta[name] as string | undefined) ?? '')
    .join('')
type CallDelta = { index: number; function: { arguments?: string } }
const argumentsIn = (text: string, wanted = 0): string =>
  deltasOf(text)
    .flatMap((delta) => (delta['tool_calls'] as CallDelta[] | undefined) ?? [])
    .map(({ index, function: { arguments: part } }) => (index === wanted ? (part ?? '') : ''))
    .join('')
/** How a stream failed: with an error event, or with an error in place of the stream when nothing had left yet. */
const failureOf = (text: string): unknown => (text.startsWith('{') ? codeIn(text) : endOf(text))

async function answerOf(fields: Fields, played: Script, path = '/v1/chat/completions'): Promise<string> {
  script = played
  const input = path === '/v1/embeddings' ? { input: 'x' } : { prompt: 'x', max_tokens: 64 }
  const reply = path.endsWith('chat/completions')
    ? await scene.chat(fields)
    : await stack.post(path, { model: 'demo', ...input, ...fields })
  return await reply.text()
}
const streamed = (played: Script, fields: Fields = {}): Promise<string> =>
  answerOf({ stream: true, max_tokens: 256, ...fields }, played)
const codeIn = (text: string): unknown => (JSON.parse(text) as { error?: { code?: string } }).error?.code

const admin = () => ({ authorization: `Bearer ${stack.token({ roles: ['admin'] })}` })
const tokenOf = (text: string): Fields => ({
  token: text,
  logprob: -0.1,
  bytes: [...Buffer.from(text)],
  top_logprobs: [{ token: text, logprob: -0.1, bytes: [...Buffer.from(text)] }],
})

t.test('logprobs: refused where anything is masked, and dropped when they come unasked', async (t) => {
  script = undefined
  for (const fields of [
    { logprobs: true },
    { logprobs: true, top_logprobs: 2 },
    { logprobs: true, stream: true },
  ]) {
    const reply = await scene.chat(fields)
    t.match(codeIn(await reply.text()), /^(logprobs_refused|parameter_forbidden)$/)
  }
  const legacy = await stack.post('/v1/completions', {
    model: 'demo',
    prompt: 'x',
    max_tokens: 9,
    logprobs: 1,
  })
  t.match(codeIn(await legacy.text()), /^(logprobs_refused|parameter_forbidden)$/)
  const logprobs = { content: values.map(tokenOf), refusal: values.map(tokenOf) }
  clean(t, await streamed(events(chunk({ content: 'a' }, { logprobs }), closing)))
  clean(t, await answerOf({}, whole(message({}, { logprobs }))))
  const old = {
    tokens: values,
    token_logprobs: [0, 0, 0],
    top_logprobs: values.map((text) => ({ [text]: 0 })),
  }
  const choice = {
    index: 0,
    text: 'a',
    finish_reason: 'stop',
    logprobs: { ...old, text_offset: [Number(card)] },
  }
  for (const fields of [{}, { stream: true }]) {
    const played = 'stream' in fields ? events({ choices: [choice] }) : whole({ choices: [choice] })
    clean(t, await answerOf(fields, played, '/v1/completions'))
  }
})

t.test('logprobs where nothing is masked: what was asked for, and no offsets', async (t) => {
  script = whole(message({}, { logprobs: { content: [tokenOf('x')], text_offset: [Number(card)] } }))
  const text = await (await scene.chat({ logprobs: true }, admin())).text()
  t.match(JSON.parse(text), { choices: [{ logprobs: { content: [{ token: 'x' }] } }] })
  clean(t, text)
})

t.test('tool arguments: cut anywhere, in values, keys and numbers, and still JSON', async (t) => {
  const json = `{"to":"${email}","n":[${card},{"k":"${key}"}],"${email}":1,"inner":"{\\"to\\":\\"${email}\\"}"}`
  for (const size of [1, 3, 7, 64]) {
    const pieces = Array.from({ length: Math.ceil(json.length / size) }, (_, at) =>
      json.slice(at * size, (at + 1) * size),
    )
    const text = await streamed({ toolCalls: [{ name: 'f', arguments: pieces }] }, { tools })
    clean(t, text)
    const parsed = JSON.parse(argumentsIn(text)) as Fields
    t.match(parsed, { to: '[EMAIL_ADDRESS]', n: ['[CREDIT_CARD]', { k: /^\[[A-Z_]+\]$/ }] })
    t.same(JSON.parse(parsed['inner'] as string), { to: '[EMAIL_ADDRESS]' })
    t.same(Object.keys(parsed), ['to', 'n', '[EMAIL_ADDRESS]', 'inner'])
  }
})

t.test('tool arguments of two calls that come in turn are not mixed', async (t) => {
  const begun = (index: number, name: string, text: string): Fields => ({
    tool_calls: [{ index, id: `c${index}`, type: 'function', function: { name, arguments: text } }],
  })
  const more = (index: number, text: string): Fields => ({
    tool_calls: [{ index, function: { arguments: text } }],
  })
  const inTurn = [
    begun(0, 'f', '{"a":"'),
    begun(1, 'g', '{"b":"'),
    more(0, email.slice(0, 18)),
    more(1, card.slice(0, 8)),
    more(0, email.slice(18)),
    more(1, card.slice(8)),
    more(0, '"}'),
    more(1, '"}'),
  ]
  const text = await streamed(events(...inTurn.map((delta) => chunk(delta)), closing), { tools })
  clean(t, text)
  t.same(
    [0, 1].map((index) => JSON.parse(argumentsIn(text, index))),
    [{ a: '[EMAIL_ADDRESS]' }, { b: '[CREDIT_CARD]' }],
  )
})

t.test('legacy function calls and the input of custom tools', async (t) => {
  const args = JSON.stringify({ to: email })
  const named = chunk({ function_call: { name: 'f', arguments: args.slice(0, 12) } })
  const rest = chunk({ function_call: { arguments: args.slice(12) } })
  const text = await streamed(events(named, rest, closing), { tools })
  clean(t, text)
  t.match(text, 'EMAIL_ADDRESS')
  clean(t, await answerOf({ tools }, whole(message({ function_call: { name: 'f', arguments: args } }))))
  const custom = (input: string) => ({ id: 'c', type: 'custom', custom: { name: 'f', input } })
  const one = chunk({ tool_calls: [{ index: 0, ...custom(email.slice(0, 9)) }] })
  const two = chunk({ tool_calls: [{ index: 0, custom: { input: email.slice(9) } }] })
  clean(t, await streamed(events(one, two, closing), { tools }))
  clean(t, await answerOf({ tools }, whole(message({ tool_calls: [custom(email)] }))))
})

t.test('reasoning under both of its names and as parts', async (t) => {
  for (const name of ['reasoning', 'reasoning_content']) {
    const halves = [email.slice(0, 9), email.slice(9)].map((text) => chunk({ [name]: text }))
    const text = await streamed(events(...halves, closing))
    clean(t, text)
    t.equal(joined(text, name), '[EMAIL_ADDRESS]')
  }
  const thinking = { type: 'thinking', thinking: [{ type: 'text', text: email }] }
  for (const played of [
    whole(message({ reasoning: email })),
    whole(message({ reasoning_content: email })),
    whole(message({ content: [thinking, { type: 'text', text: card }] })),
  ])
    clean(t, await answerOf({}, played))
  clean(t, await streamed(events(chunk({ content: [thinking] }), closing)))
  for (const hidden of ['thinking', 'signature', 'encrypted_content', 'reasoning_details', 'thinking_blocks'])
    clean(t, await streamed(events(chunk({ content: 'a', [hidden]: email }), closing)), hidden)
})

t.test('refusals, transcripts, citations and parts of content', async (t) => {
  const halves = (wrap: (text: string) => Fields) => [
    chunk(wrap(email.slice(0, 9))),
    chunk(wrap(email.slice(9))),
    closing,
  ]
  const refused = await streamed(events(...halves((refusal) => ({ refusal }))))
  clean(t, refused)
  t.equal(joined(refused, 'refusal'), '[EMAIL_ADDRESS]')
  clean(t, await streamed(events(...halves((transcript) => ({ audio: { id: email, transcript } })))))
  clean(t, await streamed(events(...halves((text) => ({ content: [{ type: 'text', text }] })))))
  const annotations = [
    {
      type: 'url_citation',
      url_citation: { title: email, url: `https://x.example/${email}`, start_index: 4e15, note: card },
    },
    { type: 'file_citation', file_citation: { filename: email } },
  ]
  const text = await answerOf({}, whole(message({ annotations })))
  clean(t, text)
  t.match(text, /\[EMAIL_ADDRESS\]/)
  clean(t, await streamed(events(chunk({ annotations }), closing)))
  const sound = await answerOf({}, whole(message({ audio: { data: Buffer.from(email).toString('base64') } })))
  t.equal(codeIn(sound), 'upstream_protocol', 'what nobody can screen is refused')
})

t.test('choices that come in turn are not mixed', async (t) => {
  const choice = (index: number, text: string): Fields => ({
    choices: [{ index, delta: { content: text }, finish_reason: null }],
  })
  const parts = [...email].flatMap((char, at) => [
    choice(0, char),
    choice(1, card[at] ?? ' '),
    choice(2, 'x'),
  ])
  const ends = [0, 1, 2].map((index) => ({ choices: [{ index, delta: {}, finish_reason: 'stop' }] }))
  const text = await streamed(events(...parts, ...ends), { n: 3 })
  clean(t, text)
  t.equal(joined(text, 'content', 0), '[EMAIL_ADDRESS]')
  t.match(joined(text, 'content', 1), /^\[CREDIT_CARD\] +$/)
  t.match(joined(text, 'content', 2), /^x+$/)
})

t.test('escapes and characters that are cut at every byte', async (t) => {
  const escaped = [...email].map((char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')
  const bytes = Buffer.from(
    `data: {"choices":[{"index":0,"delta":{"content":"é😀\\ud83d\\ude00 ${escaped}\\/"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n`,
  )
  const cuts = Array.from({ length: 60 }, (_, at) => 48 + at)
  for (const at of cuts) {
    const text = await streamed(stream(bytes.subarray(0, at), { waitMs: 1 }, bytes.subarray(at)))
    clean(t, text)
    t.equal(joined(text, 'content'), 'é😀😀 [EMAIL_ADDRESS]/')
  }
})

t.test('half of a character at the end of one event and the other half in the next', async (t) => {
  const text = await streamed(
    events(
      chunk({ content: 'a \ud83d' }),
      chunk({ content: `\ude00 ${email.slice(0, 20)}` }),
      chunk({ content: email.slice(20) }),
      closing,
    ),
  )
  clean(t, text)
  t.equal(joined(text, 'content'), 'a 😀 [EMAIL_ADDRESS]')
})

t.test(
  'what a stream holds beside events: comments, names, ids, strange lines, bytes after the end',
  async (t) => {
    const good = line(chunk({ content: 'a' }, { finish_reason: 'stop' }))
    for (const strange of [
      `: ${email}\n\n`,
      `id: ${email}\n`,
      `retry: ${card}\n`,
      `event: ${email}\n`,
      `${email}\n`,
      `${email}: x\n`,
      `data\n`,
      `\ufeff: ${email}\n\n`,
    ])
      clean(t, await streamed(stream(strange, good, 'data: [DONE]\n\n')), strange.slice(0, 4))
    for (const late of [email, line(chunk({ content: email })), `: ${email}\n\n`, `data: ${email}\n\n`]) {
      const text = await streamed(stream(good, 'data: [DONE]\n\n', late))
      clean(t, text)
      t.equal(endOf(text), '[DONE]')
    }
    clean(t, await streamed(stream(good, `data: [DONE] ${email}\n\n`)))
    clean(t, await streamed(stream(good, `data: ${email}\n\n`)), 'data that is no JSON')
  },
)

t.test('errors that quote the prompt, at every stage', async (t) => {
  const error = { message: `invalid: ${email}`, type: email, param: card, code: key, input: email }
  const detail = [{ loc: ['body', email], msg: email, input: email, ctx: { error: email } }]
  for (const status of [400, 401, 404, 413, 422, 429, 500, 503]) {
    for (const body of [JSON.stringify({ error }), JSON.stringify({ detail }), email, `<p>${email}</p>`])
      clean(
        t,
        await answerOf({}, { status, body: [body], headers: { 'retry-after': email } }),
        `status ${status}`,
      )
  }
  for (const json of [{ error }, { detail }, { object: 'error', ...error }]) {
    clean(t, await answerOf({}, whole(json)))
    clean(t, await streamed(events(chunk({ content: 'a' }), json)))
    clean(t, await streamed(stream(line(chunk({ content: 'a' })), `event: error\n${line(json)}`)))
  }
})

t.test('heads: none of a model server reaches the caller', async (t) => {
  const names = [
    'x-request-id',
    'openai-organization',
    'set-cookie',
    'server',
    'x-note',
    'content-language',
    'etag',
    'warning',
  ]
  for (const fields of [{}, { stream: true }]) {
    script = { content: ['a'], headers: Object.fromEntries(names.map((name) => [name, email])) }
    const reply = await scene.chat(fields, { 'accept-encoding': 'gzip, br' })
    clean(t, `${JSON.stringify([...reply.headers])}${await reply.text()}`)
    t.equal(reply.headers.get('content-encoding'), null, 'nothing is compressed beside what a caller chose')
  }
})

t.test('the words and numbers around the text', async (t) => {
  const usage = {
    prompt_tokens: Number(card),
    completion_tokens: 1,
    total_tokens: Number(card),
    prompt_tokens_details: { cached_tokens: Number(card), note: email },
    completion_tokens_details: { reasoning_tokens: Number(card) },
  }
  const frame = {
    id: email,
    object: email,
    created: Number(card),
    model: email,
    system_fingerprint: email,
    service_tier: email,
    usage,
  }
  const odd = { role: email, content: 'a' }
  for (const played of [
    {
      ...message(odd, {
        finish_reason: email,
        stop_reason: email,
        matched_stop: card,
        token_ids: [4111, 1111],
      }),
      ...frame,
    },
    {
      ...message({
        ...odd,
        tool_calls: [{ id: email, type: 'function', function: { name: 'f', arguments: '{}' } }],
      }),
      ...frame,
    },
  ])
    clean(t, await answerOf({ tools }, whole(played)))
  const last = chunk(odd, { finish_reason: email, stop_reason: email, token_ids: [4111] })
  clean(t, await streamed(events({ ...last, ...frame }), { stream_options: { include_usage: true } }))
  const stranger = { name: 'zaphod.beeblebrox', arguments: '{}' }
  t.equal(
    codeIn(await answerOf({ tools }, whole(message({ tool_calls: [{ id: 'a', function: stranger }] })))),
    'upstream_protocol',
  )
})

t.test('fields that nobody knows, with a value as name or as content, at every level', async (t) => {
  const strange: Fields = { note: email, [email]: 1, deep: { er: [email, { [card]: key }] }, list: [email] }
  const choice = { index: 0, finish_reason: 'stop', ...strange }
  const parts = [{ type: 'text', text: 'a', ...strange }]
  const call = { id: 'c', type: 'function', ...strange, function: { name: 'f', arguments: '{}', ...strange } }
  const said = { content: parts, tool_calls: [call], ...strange }
  const text = await answerOf({ tools }, whole({ ...strange, choices: [{ ...choice, message: said }] }))
  t.match(JSON.parse(text), {
    choices: [{ message: { content: 'a', tool_calls: [{ function: { name: 'f' } }] } }],
  })
  clean(t, text)
  const event = {
    ...strange,
    choices: [{ ...choice, delta: { ...said, tool_calls: [{ index: 0, ...call }] } }],
  }
  clean(t, await streamed(events(event), { tools }))
  const legacy = { ...strange, choices: [{ ...choice, text: 'a' }] }
  clean(t, await answerOf({}, whole(legacy), '/v1/completions'))
  clean(t, await answerOf({ stream: true }, events(legacy), '/v1/completions'))
  const item = { object: 'embedding', index: 0, embedding: [0.5], ...strange }
  const vectors = {
    object: 'list',
    data: [item],
    model: email,
    usage: { prompt_tokens: 1, note: email },
    ...strange,
  }
  const embedded = await answerOf({}, whole(vectors), '/v1/embeddings')
  t.match(JSON.parse(embedded), { data: [{ embedding: [0.5] }] })
  clean(t, embedded)
})

t.test('asking for the prompt, for ids of tokens or for a text beside the text', async (t) => {
  script = undefined
  const before = stack.model.stats.requests
  for (const fields of [
    { echo: true },
    { prompt_logprobs: 1 },
    { return_token_ids: true },
    { return_tokens_as_token_ids: true },
    { return_prompt_text: true },
    { include_stop_str_in_output: true },
    { skip_special_tokens: false },
    { n_probs: 2 },
    { verbose: true },
    { details: true },
  ]) {
    const chat = await scene.chat(fields)
    t.equal(chat.status, 400, JSON.stringify(fields))
    const legacy = await stack.post('/v1/completions', {
      model: 'demo',
      prompt: 'x',
      max_tokens: 9,
      ...fields,
    })
    t.equal(legacy.status, 400)
  }
  for (const prompt of [[1, 2, 3], [[1, 2]]])
    t.equal((await stack.post('/v1/completions', { model: 'demo', prompt, max_tokens: 9 })).status, 400)
  t.equal((await stack.post('/v1/embeddings', { model: 'demo', input: [1, 2, 3] })).status, 400)
  t.equal(stack.model.stats.requests, before)
  const unasked = {
    prompt_logprobs: [{ 4111: { decoded_token: email } }],
    prompt_token_ids: [4111, 1111],
    choices: [
      {
        index: 0,
        text: 'a',
        finish_reason: 'stop',
        prompt_logprobs: [email],
        token_ids: [4111],
        prompt: email,
      },
    ],
  }
  const text = await answerOf({}, whole(unasked), '/v1/completions')
  clean(t, text)
  t.notMatch(text, '4111')
})

t.test('kinds of events and endpoints that are not served', async (t) => {
  for (const path of [
    '/v1/responses',
    '/v1/messages',
    '/v1/rerank',
    '/v1/audio/transcriptions',
    '/v1/images/generations',
  ])
    t.equal((await stack.post(path, { model: 'demo', input: email })).status, 404, path)
})

const [half, rest] = [email.slice(0, 24), email.slice(24)]
const held: Record<string, ChoiceScript> = {
  content: { content: ['It is ', half, rest] },
  reasoning: { reasoning: ['It is ', half, rest] },
  refusal: { refusal: ['It is ', half, rest] },
  arguments: { toolCalls: [{ name: 'f', arguments: ['{"to":"', half, `${rest}"}`] }] },
}

t.test('a stream that breaks off while text is held: what was undecided never leaves', async (t) => {
  for (const [name, said] of Object.entries(held)) {
    for (const how of ['close', 'reset', 'cut', 'error'] as const) {
      const text = await streamed({ ...said, gapMs: 20, end: { after: 3, how } }, { tools })
      clean(t, text, `${name}, ${how}`)
      t.match(failureOf(text), /^upstream_/, 'and it does not look like an end')
    }
  }
})

t.test(
  'a stream without its end, one that says it was aborted, and one that turns into something else',
  async (t) => {
    const begun = chunk({ content: half })
    for (const played of [
      stream(line(begun)),
      stream(line(begun), 'data: {"choi'),
      events(begun, chunk({}, { finish_reason: 'abort' })),
      events(begun, { choices: [{ index: 0, delta: { content: 5 } }] }),
      stream(line(begun), 'data: {]\n\n'),
      stream(line(begun), new Uint8Array([100, 97, 116, 97, 58, 0xff, 10, 10])),
    ]) {
      const text = await streamed(played)
      clean(t, text)
      t.match(failureOf(text), /^upstream_/)
    }
  },
)

t.test('a stream that falls silent: what was undecided waits, however long', async (t) => {
  for (const [name, said] of Object.entries(held).filter(([name]) =>
    ['content', 'arguments'].includes(name),
  )) {
    const silence = Promise.withResolvers<void>()
    script = { ...said, gate: (at) => (at < 3 ? undefined : silence.promise) }
    const reply = await scene.stream({ tools })
    let text = ''
    const reading = (async () => {
      for await (const part of reply.body ?? []) text += Buffer.from(part as Uint8Array).toString()
    })()
    // A comment: the gateway has had time to think better of it.
    await until(() => text.includes('\n: ') || text.startsWith(': '), 20_000)
    clean(t, text, name)
    silence.resolve()
    await reading
    clean(t, text, name)
    t.match(text, '[EMAIL_ADDRESS]')
    t.equal(endOf(text), '[DONE]')
  }
})

t.test('log, metrics and audit of all of the above', async (t) => {
  script = undefined
  t.equal((await scene.chat({ messages: [{ role: 'user', content: values.join(' ') }] })).status, 200)
  await until(async () => (await stack.metrics()).includes('sallyport_requests_in_flight 0'))
  const directory = join(stack.folder, 'audit')
  const files = readdirSync(directory).map((file) => readFileSync(join(directory, file), 'utf8'))
  clean(t, JSON.stringify(stack.log()), 'the log')
  clean(t, await stack.metrics(), 'the metrics')
  clean(t, files.join('\n'), 'the audit')
  t.match(files.join('\n'), 'EMAIL_ADDRESS', 'what is meant to be there is')
})
