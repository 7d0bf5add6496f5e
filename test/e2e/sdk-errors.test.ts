// What the stock OpenAI client makes of each way of saying no: the class of its exception, and how often it tries.
import OpenAI from 'openai'
import t from 'tap'
import type { Script } from '../../loadtest/model-server.ts'
import { Scene } from '../support/scene.ts'
import { until } from '../support/stack.ts'

const scene = await Scene.open({
  gateway: { traffic: { bounds: { bodyBytesMax: 65_536 } } },
  policies: {
    roles: {
      app: {
        parameters: { outputTokensMax: 256, choicesMax: 2, tools: 'none', responseFormats: ['text'] },
      },
      slow: {
        scopes: ['inference'],
        parameters: { outputTokensMax: 64 },
        limits: { requestsPerMinute: 1, burst: 1, inFlight: 5 },
        redaction: 'mask',
      },
      single: {
        scopes: ['inference'],
        parameters: { outputTokensMax: 64 },
        limits: { requestsPerMinute: 1_000, burst: 1_000, inFlight: 1 },
        redaction: 'mask',
      },
      chatter: {
        scopes: ['chatting'],
        parameters: { outputTokensMax: 64 },
        limits: { requestsPerMinute: 1_000, burst: 1_000, inFlight: 10 },
        redaction: 'mask',
      },
    },
    scopes: { chatting: { endpoints: ['chat.completions'], models: ['demo'] } },
  },
})
t.teardown(() => scene.stack.stop())
const { token } = scene.stack
const ask = { model: 'demo', messages: [{ role: 'user' as const, content: 'hi' }], max_tokens: 64 }

const ended = () => scene.stack.log().filter(({ event }) => event === 'exchange.ended')
const arrivals = (): number => ended().length

/** Runs a call with the SDK's own two retries; returns what it threw and how often it tried. */
async function thrownBy(
  call: (openai: OpenAI) => Promise<unknown>,
  roles: readonly string[] = ['app'],
  bearer = token({ roles }),
) {
  const before = arrivals()
  const openai = scene.stack.openai({ token: bearer, maxRetries: 2 })
  let error: unknown
  try {
    await call(openai)
  } catch (thrown) {
    error = thrown
  }
  const thrown = error as InstanceType<typeof OpenAI.APIError>
  // The line of an exchange is written after its last byte.
  const id = thrown?.requestID
  await until(() => (id ? ended().some((line) => line['request_id'] === id) : arrivals() > before))
  return { error: thrown, tries: arrivals() - before }
}

const chat =
  (fields: object = {}) =>
  (openai: OpenAI) =>
    openai.chat.completions.create({ ...ask, ...fields } as never)

interface Case {
  readonly call: (openai: OpenAI) => Promise<unknown>
  readonly is: new (...args: never[]) => Error
  readonly status: number
  readonly code: string
  readonly tries: number
  readonly param?: string
  readonly roles?: readonly string[]
  readonly bearer?: string
  readonly script?: Script
}

const { AuthenticationError, BadRequestError, InternalServerError, NotFoundError, PermissionDeniedError } =
  OpenAI
const bad = { is: BadRequestError, status: 400, tries: 1 } as const
const failing = { is: InternalServerError, tries: 3 } as const

const cases: Record<string, Case> = {
  'a token that is none': {
    call: chat(),
    bearer: 'sk-no-token',
    is: AuthenticationError,
    status: 401,
    code: 'invalid_token',
    tries: 1,
  },
  'a token that has expired': {
    call: chat(),
    bearer: token({ lifetimeSeconds: -100 }),
    is: AuthenticationError,
    status: 401,
    code: 'invalid_token',
    tries: 1,
  },
  'an endpoint out of scope': {
    call: (openai) => openai.embeddings.create({ model: 'demo', input: 'x' }),
    roles: ['chatter'],
    is: PermissionDeniedError,
    status: 403,
    code: 'insufficient_scope',
    tries: 1,
  },
  'a role that nobody knows': {
    call: chat(),
    roles: ['stranger'],
    is: PermissionDeniedError,
    status: 403,
    code: 'insufficient_scope',
    tries: 1,
  },
  'a model that does not exist': {
    call: chat({ model: 'gpt-nowhere' }),
    is: NotFoundError,
    status: 404,
    code: 'model_not_found',
    param: 'model',
    tries: 1,
  },
  'a model that is not theirs': {
    call: chat({ model: 'secret' }),
    is: NotFoundError,
    status: 404,
    code: 'model_not_found',
    param: 'model',
    tries: 1,
  },
  'a path that is not served': {
    call: (openai) => openai.responses.create({ model: 'demo', input: 'x' }),
    is: NotFoundError,
    status: 404,
    code: 'unknown_url',
    tries: 1,
  },
  'a tool where none may be used': {
    call: chat({ tools: [{ type: 'function', function: { name: 'f' } }] }),
    is: PermissionDeniedError,
    status: 403,
    code: 'parameter_forbidden',
    param: 'tools',
    tries: 1,
  },
  'a parameter above its cap': { call: chat({ n: 3 }), ...bad, code: 'parameter_above_cap', param: 'n' },
  'an unknown field': {
    call: chat({ frobnicate: 1 }),
    ...bad,
    code: 'unknown_parameter',
    param: 'frobnicate',
  },
  'a value of the wrong type': {
    call: chat({ temperature: 'hot' }),
    ...bad,
    code: 'invalid_value',
    param: 'temperature',
  },
  'logprobs where none may be asked for': {
    call: chat({ logprobs: true }),
    is: PermissionDeniedError,
    status: 403,
    code: 'parameter_forbidden',
    param: 'logprobs',
    tries: 1,
  },
  'a prompt that the profile blocks': {
    call: chat({
      messages: [
        {
          role: 'user',
          content: `-----BEGIN PRIVATE KEY-----\n${'A'.repeat(64)}\n-----END PRIVATE KEY-----`,
        },
      ],
    }),
    is: PermissionDeniedError,
    status: 403,
    code: 'content_blocked',
    param: 'messages[0].content',
    tries: 1,
  },
  'a body above its bound': {
    call: chat({ messages: [{ role: 'user', content: 'x'.repeat(70_000) }] }),
    is: OpenAI.APIError,
    status: 413,
    code: 'request_too_large',
    tries: 1,
  },
  'a model server that refuses the request': {
    call: chat(),
    script: { status: 400, body: ['{"error":{"message":"no","type":"BadRequestError","code":400}}'] },
    ...bad,
    code: 'upstream_refused',
  },
  'a prompt that is too long for the model': {
    call: chat(),
    script: { status: 400, body: [`{"error":{"message":"the model's maximum context length is 8"}}`] },
    ...bad,
    code: 'context_length_exceeded',
  },
  'a model server that fails': {
    call: chat(),
    script: { status: 500, body: ['oops'] },
    ...failing,
    status: 502,
    code: 'upstream_error',
  },
  'a model server that is overloaded': {
    call: chat(),
    script: { status: 503, headers: { 'retry-after': '0' }, body: ['{}'] },
    ...failing,
    status: 503,
    code: 'upstream_overloaded',
  },
  'a streamed call that fails before its first event': {
    call: chat({ stream: true }),
    script: { status: 500, body: ['oops'] },
    ...failing,
    status: 502,
    code: 'upstream_error',
  },
}

for (const [name, { call, is, status, code, tries, param, roles, bearer, script }] of Object.entries(cases)) {
  t.test(name, async (t) => {
    scene.script = script
    const thrown = await thrownBy(call, roles, bearer)
    scene.script = undefined
    t.ok(thrown.error instanceof is, `${thrown.error}`)
    t.match(thrown.error, { status, code, ...(param === undefined ? {} : { param }) })
    t.equal(thrown.tries, tries)
    t.match(thrown.error.requestID, /^[0-9a-f-]{36}$/)
  })
}

t.test('a limit is a RateLimitError with the time to wait, which the SDK obeys', async (t) => {
  const bearer = token({ roles: ['slow'], tenant: 'limited' })
  const first = await thrownBy(chat(), [], bearer)
  t.equal(first.error, undefined)
  const openai = scene.stack.openai({ token: bearer, maxRetries: 0 })
  const error = await openai.chat.completions.create(ask).then(
    () => undefined,
    (thrown) => thrown,
  )
  t.ok(error instanceof OpenAI.RateLimitError)
  t.match(error, { status: 429, code: 'rate_limit_exceeded', type: 'requests' })
  const seconds = Number(error.headers.get('retry-after'))
  t.ok(seconds > 50 && seconds <= 60, 'whole seconds, rounded up')
  t.ok(Number(error.headers.get('retry-after-ms')) <= seconds * 1000)
  t.equal(error.headers.get('x-ratelimit-remaining-requests'), '0')
  t.match(error.headers.get('x-ratelimit-reset-requests'), /^\d+(\.\d+)?(ms|s|m)/)
})

t.test('a slot that is taken is a RateLimitError, and the retry gets it when it is free', async (t) => {
  const bearer = token({ roles: ['single'], tenant: 'single' })
  const held = Promise.withResolvers<void>()
  scene.script = { content: ['a', 'b'], gate: () => held.promise }
  const openai = scene.stack.openai({ token: bearer, maxRetries: 0 })
  const first = openai.chat.completions.create(ask)
  while (scene.stack.model.stats.running === 0) await new Promise((resolve) => setTimeout(resolve, 5))
  const error = await openai.chat.completions.create(ask).then(
    () => undefined,
    (thrown) => thrown,
  )
  t.ok(error instanceof OpenAI.RateLimitError)
  t.match(error, { status: 429, code: 'concurrency_limit_exceeded' })
  const second = thrownBy(chat(), [], bearer)
  held.resolve()
  t.equal((await first).choices[0]?.message.content, 'ab')
  const { error: none, tries } = await second
  t.equal(none, undefined)
  t.ok(tries >= 2, 'it tried again')
})

const failures: Record<string, Script> = {
  upstream_error: { content: ['one ', 'two'], end: { after: 2, how: 'error' } },
  upstream_truncated: { content: ['one ', 'two'], end: { after: 2, how: 'close' } },
}

for (const [code, script] of Object.entries(failures)) {
  t.test(`${code} in a stream: what came before it, then an APIError, and no second try`, async (t) => {
    scene.script = script
    let text = ''
    const read = async (openai: OpenAI): Promise<void> => {
      const stream = await openai.chat.completions.create({ ...ask, stream: true })
      for await (const { choices } of stream) text += choices[0]?.delta.content ?? ''
    }
    const { error, tries } = await thrownBy(read)
    t.equal(text, 'one ')
    t.ok(error instanceof OpenAI.APIError)
    t.equal(error.code, code)
    t.equal(tries, 1)
    const helper = await thrownBy((openai) => openai.chat.completions.stream(ask).finalChatCompletion())
    t.ok(helper.error instanceof OpenAI.APIError, 'the helper throws as well')
    scene.script = undefined
  })
}
