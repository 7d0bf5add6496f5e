import fc from 'fast-check'
import t from 'tap'

import { classifyUpstreamError, errorInEvent, openAiError } from '../../src/openai/error-body.ts'
import { Refusal, type RefusalCode, refusals } from '../../src/refusal.ts'

t.test('the body of a refusal', (t) => {
  const refusal = new Refusal('invalid_value', 'inside', { param: 'messages[0].content' })
  t.same(openAiError(refusal, { requestId: 'r1' }), {
    error: {
      message: 'A field has a value of the wrong type or out of range.',
      type: 'invalid_request_error',
      code: 'invalid_value',
      param: 'messages[0].content',
    },
    gateway: {
      source: 'gateway',
      request_id: 'r1',
      retryable: false,
      doc: 'docs/reference/errors.md#invalid_value',
    },
  })
  t.end()
})

t.test('each code has a full body that says where it comes from', (t) => {
  for (const code of Object.keys(refusals) as RefusalCode[]) {
    const body = openAiError(new Refusal(code, 'not for callers'), { requestId: 'r1' })
    const source = code.startsWith('upstream_') || code === 'context_length_exceeded' ? 'upstream' : 'gateway'
    t.match(body, { error: { code, param: null }, gateway: { source, retryable: refusals[code].retryable } })
    t.notMatch(JSON.stringify(body), /not for callers/)
  }
  t.end()
})

const vllm = (status: number, type: string, message: string): string =>
  JSON.stringify({ error: { message, type, param: null, code: status } })

const tooLong = "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens"

t.test('what model servers answer', (t) => {
  const cases: readonly [string, number, string, RefusalCode][] = [
    ['vLLM', 400, vllm(400, 'BadRequestError', 'the prompt was: secret'), 'upstream_refused'],
    ['vLLM, too long', 400, vllm(400, 'BadRequestError', tooLong), 'context_length_exceeded'],
    ['vLLM, no model', 404, vllm(404, 'NotFoundError', 'no such model'), 'model_not_found'],
    ['vLLM, no key', 401, '{"error":"Unauthorized"}', 'upstream_error'],
    ['old vLLM and SGLang', 400, `{"object":"error","message":"${tooLong}"}`, 'context_length_exceeded'],
    ['SGLang', 400, '{"error":{"message":"bad"}}', 'upstream_refused'],
    ['OpenAI', 400, '{"error":{"code":"context_length_exceeded","message":""}}', 'context_length_exceeded'],
    ['llama.cpp, loading', 503, '{"error":{"code":503,"type":"unavailable_error"}}', 'upstream_overloaded'],
    ['TGI, busy', 429, '{"error":"Model is overloaded","error_type":"overloaded"}', 'upstream_overloaded'],
    ['TGI, invalid', 422, '{"error":"bad","error_type":"validation"}', 'upstream_refused'],
    [
      'TGI, too long',
      422,
      '{"error":"Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096","error_type":"validation"}',
      'context_length_exceeded',
    ],
    ['TGI, generation', 424, '{"error":"boom","error_type":"generation"}', 'upstream_error'],
    ['Triton', 500, '{"error":"failed to load"}', 'upstream_error'],
    ['FastAPI', 422, '{"detail":[{"loc":["body"],"msg":"secret","input":"secret"}]}', 'upstream_refused'],
    ['a proxy', 502, '<html><script>alert(1)</script></html>', 'upstream_error'],
    ['nothing', 500, '', 'upstream_error'],
    ['cut JSON', 400, '{"error":{', 'upstream_refused'],
    ['a list', 400, '[1]', 'upstream_refused'],
    ['null', 400, 'null', 'upstream_refused'],
  ]
  for (const [name, status, body, code] of cases) {
    t.equal(classifyUpstreamError(status, body).code, code, name)
    t.equal(classifyUpstreamError(status, new TextEncoder().encode(body)).code, code, `${name}, as bytes`)
  }
  t.end()
})

t.test('the status alone', (t) => {
  const cases: readonly [RefusalCode, readonly number[]][] = [
    ['upstream_refused', [400, 413, 422, 501]],
    ['upstream_error', [401, 402, 403, 405, 409, 415, 424, 451, 499, 500, 502, 520, 599]],
    ['model_not_found', [404]],
    ['upstream_timeout', [408, 504]],
    ['upstream_overloaded', [429, 503, 529]],
    ['upstream_protocol', [99, 101, 200, 204, 301, 307, 399, 600, 999, -1, Number.NaN, 400.5]],
  ]
  for (const [code, statuses] of cases) {
    for (const status of statuses) t.equal(classifyUpstreamError(status, undefined).code, code, `${status}`)
  }
  t.end()
})

t.test('only an overloaded server asks to wait, and never for more than a minute', (t) => {
  const cases: readonly [string | undefined, number][] = [
    ['0', 0],
    ['2', 2_000],
    ['0.5', 500],
    ['60', 60_000],
    ['61', 60_000],
    ['999999999', 60_000],
    ['1000000000', 60_000],
    ['-1', 1_000],
    ['1e9', 1_000],
    ['Wed, 21 Oct 2026 07:28:00 GMT', 1_000],
    ['9'.repeat(1_000), 1_000],
    [undefined, 1_000],
  ]
  for (const [retryAfter, expected] of cases) {
    t.equal(
      classifyUpstreamError(503, '', { retryAfter }).retryAfterMs,
      expected,
      `${retryAfter?.slice(0, 30)}`,
    )
  }
  t.equal(classifyUpstreamError(500, '', { retryAfter: '5' }).retryAfterMs, undefined)
  t.end()
})

t.test('the detail keeps a known class and integers', (t) => {
  const body = {
    error: {
      code: 400,
      type: 'exceed_context_size_error',
      message: 'secret',
      n_prompt_tokens: 2331,
      n_ctx: 1024,
    },
  }
  const refusal = classifyUpstreamError(400, body)
  t.equal(
    refusal.detail,
    'upstream status 400, class exceed_context_size_error n_prompt_tokens=2331 n_ctx=1024',
  )
  t.equal(classifyUpstreamError(1e21, {}).detail, 'upstream status out of range, class unknown')
  t.end()
})

t.test('no text of a model server survives', (t) => {
  const secret = 'AKIAIOSFODNN7EXAMPLE'
  const leaf = fc.oneof(fc.constant(secret), fc.constant(`x ${secret}`), fc.integer(), fc.constant(null))
  const names = [
    'error',
    'type',
    'code',
    'message',
    'detail',
    'error_type',
    'n_ctx',
    'n_prompt_tokens',
    'object',
  ]
  const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 3 },
      leaf,
      fc.dictionary(fc.constantFrom(...names, secret), tie('tree')),
      fc.array(tie('tree'), { maxLength: 3 }),
    ),
  }))
  fc.assert(
    fc.property(tree, fc.integer({ min: 400, max: 599 }), (json, status) => {
      const found = [
        classifyUpstreamError(status, json),
        errorInEvent(json),
        errorInEvent(json, { named: 'error' }),
      ]
      return found.every((refusal) => {
        if (refusal === undefined) return true
        const body = JSON.stringify(openAiError(refusal, { requestId: 'r' }))
        return !`${refusal.message} ${refusal.detail} ${refusal.stack} ${body}`.includes(secret)
      })
    }),
    { numRuns: 200 },
  )
  t.pass('holds for each example')
  t.end()
})

t.test('a large body is not read', (t) => {
  const body = vllm(400, 'BadRequestError', tooLong).padEnd(70_000, ' ')
  t.equal(classifyUpstreamError(400, body).code, 'upstream_refused')
  t.end()
})

t.test('errors inside a reply with status 200', (t) => {
  const cases: readonly [string, unknown, RefusalCode | undefined][] = [
    [
      'vLLM',
      { error: { message: 'x', type: 'BadRequestError', param: null, code: 400 } },
      'upstream_refused',
    ],
    ['vLLM, dead', { error: { message: 'x', type: 'InternalServerError', code: 500 } }, 'upstream_error'],
    ['llama.cpp', { error: { code: 503, message: 'x', type: 'unavailable_error' } }, 'upstream_overloaded'],
    ['OpenAI', { error: { type: 'server_error', code: 'rate_limit_exceeded' } }, 'upstream_error'],
    ['OpenAI, only a code', { error: { type: null, code: 'rate_limit_exceeded' } }, 'upstream_overloaded'],
    ['TGI', { error: 'Request failed', error_type: 'generation' }, 'upstream_error'],
    ['TGI, busy', { error: 'x', error_type: 'overloaded' }, 'upstream_overloaded'],
    ['Triton', { error: 'x' }, 'upstream_error'],
    ['too long', { error: { message: tooLong, code: 400 } }, 'context_length_exceeded'],
    ['flat', { object: 'error', message: 'x', code: 404 }, 'model_not_found'],
    ['typed', { type: 'error', error: { type: 'overloaded_error' } }, 'upstream_overloaded'],
    ['FastAPI', { detail: 'x' }, 'upstream_error'],
    ['an odd code', { error: { code: 999 } }, 'upstream_error'],
    ['true', { error: true }, 'upstream_error'],
    ['a reply', { choices: [], detail: 'x' }, undefined],
    ['no error', { choices: [], error: null }, undefined],
    ['a list', [], undefined],
    ['null', null, undefined],
  ]
  for (const [name, json, code] of cases) t.equal(errorInEvent(json)?.code, code, name)
  t.equal(errorInEvent(undefined, { named: 'error' })?.code, 'upstream_error')
  t.end()
})
