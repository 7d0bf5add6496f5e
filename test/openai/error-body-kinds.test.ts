// The error bodies of every kind of server, each with the prompt quoted where that kind quotes it: as the answer to a call,
// and, where the kind does that, as an event of a stream that had begun. What is left is a class and integers.
import t from 'tap'
import { classifyUpstreamError, errorInEvent, openAiError } from '../../src/openai/error-body.ts'
import type { Refusal, RefusalCode } from '../../src/refusal.ts'

const prompt = 'my card is 4111 1111 1111 1111'
const json = JSON.stringify

interface Row {
  readonly status: number
  readonly body: string
  readonly code: RefusalCode
  /** Class in `detail`; `unknown` when it names none from our list. */
  readonly named?: string
  /** The code when the same body comes inside a stream; `none`: it is no error there. */
  readonly inEvent?: RefusalCode | 'none'
}

const vllm = (fields: object) =>
  json({ error: { message: prompt, type: 'BadRequestError', param: null, ...fields } })
const flat = (fields: object) =>
  json({ object: 'error', message: prompt, type: 'BadRequestError', param: null, ...fields })
const llamaCpp = (fields: object) => json({ error: { code: 400, message: prompt, ...fields } })
const tgi = (type: string) => json({ error: `Input validation error: ${prompt}`, error_type: type })
const html = (title: string) =>
  `<html><head><title>${title}</title></head><body><center>${prompt}</center><hr>nginx</body></html>`
const tooLong = `This model's maximum context length is 4096 tokens. Your prompt: ${prompt}`

const rows: Readonly<Record<string, Row>> = {
  vLLM: {
    status: 400,
    body: vllm({ code: 400 }),
    code: 'upstream_refused',
    named: 'BadRequestError',
    inEvent: 'upstream_refused',
  },
  'vLLM, param quotes': {
    status: 400,
    body: vllm({ code: 400, param: prompt }),
    code: 'upstream_refused',
    named: 'BadRequestError',
  },
  'vLLM, too long': {
    status: 400,
    body: vllm({ code: 400, message: tooLong }),
    code: 'context_length_exceeded',
    named: 'BadRequestError',
    inEvent: 'context_length_exceeded',
  },
  'vLLM, engine dead': {
    status: 500,
    body: vllm({ code: 500, type: 'InternalServerError' }),
    code: 'upstream_error',
    named: 'InternalServerError',
    inEvent: 'upstream_error',
  },
  'vLLM, no such LoRA': {
    status: 404,
    body: vllm({ code: 404, type: 'NotFoundError' }),
    code: 'model_not_found',
    named: 'NotFoundError',
  },
  'vLLM before 0.10': {
    status: 400,
    body: flat({ code: 400 }),
    code: 'upstream_refused',
    named: 'BadRequestError',
    inEvent: 'upstream_refused',
  },
  'vLLM before 0.10, too long': {
    status: 400,
    body: flat({ code: 400, message: tooLong }),
    code: 'context_length_exceeded',
    named: 'BadRequestError',
  },
  SGLang: {
    status: 400,
    body: flat({ code: 400, type: 'BadRequest' }),
    code: 'upstream_refused',
    named: 'BadRequest',
  },
  'SGLang, native': {
    status: 400,
    body: json({ error: { message: prompt } }),
    code: 'upstream_refused',
    inEvent: 'upstream_error',
  },
  'SGLang, native, too long': {
    status: 400,
    body: json({
      error: {
        message: `The input (9999 tokens) is longer than the model's context length (4096 tokens): ${prompt}`,
      },
    }),
    code: 'context_length_exceeded',
  },
  'SGLang, full': { status: 503, body: flat({ code: 503, type: prompt }), code: 'upstream_overloaded' },
  'llama.cpp': {
    status: 400,
    body: llamaCpp({ type: 'invalid_request_error' }),
    code: 'upstream_refused',
    named: 'invalid_request_error',
    inEvent: 'upstream_refused',
  },
  'llama.cpp, too long': {
    status: 400,
    body: llamaCpp({ type: 'exceed_context_size_error', n_prompt_tokens: 9999, n_ctx: 4096 }),
    code: 'context_length_exceeded',
    named: 'exceed_context_size_error n_prompt_tokens=9999 n_ctx=4096',
  },
  'llama.cpp, integers that are text': {
    status: 400,
    body: llamaCpp({ type: 'exceed_context_size_error', n_prompt_tokens: prompt, n_ctx: [prompt] }),
    code: 'context_length_exceeded',
    named: 'exceed_context_size_error',
  },
  'llama.cpp, loading': {
    status: 503,
    body: llamaCpp({ code: 503, type: 'unavailable_error' }),
    code: 'upstream_overloaded',
    named: 'unavailable_error',
    inEvent: 'upstream_overloaded',
  },
  'llama.cpp, not built in': {
    status: 501,
    body: llamaCpp({ code: 501, type: 'not_supported_error' }),
    code: 'upstream_refused',
    named: 'not_supported_error',
  },
  TGI: {
    status: 422,
    body: tgi('validation'),
    code: 'upstream_refused',
    named: 'validation',
    inEvent: 'upstream_refused',
  },
  'TGI, busy': {
    status: 429,
    body: tgi('overloaded'),
    code: 'upstream_overloaded',
    named: 'overloaded',
    inEvent: 'upstream_overloaded',
  },
  'TGI, generation': {
    status: 424,
    body: tgi('generation'),
    code: 'upstream_error',
    named: 'generation',
    inEvent: 'upstream_error',
  },
  'TGI, too long': {
    status: 422,
    body: json({
      error: `\`inputs\` must have less than 4096 tokens. Given: ${prompt}`,
      error_type: 'validation',
    }),
    code: 'context_length_exceeded',
    named: 'validation',
  },
  'FastAPI, a text': {
    status: 400,
    body: json({ detail: prompt }),
    code: 'upstream_refused',
    inEvent: 'upstream_error',
  },
  'FastAPI, fields': {
    status: 422,
    body: json({
      detail: [{ type: 'missing', loc: ['body', prompt], msg: prompt, input: { messages: [prompt] } }],
    }),
    code: 'upstream_refused',
    inEvent: 'upstream_error',
  },
  'FastAPI, an object': {
    status: 422,
    body: json({ detail: { error: prompt, [prompt]: 1 } }),
    code: 'upstream_refused',
  },
  Triton: {
    status: 400,
    body: json({ error: `unexpected shape: ${prompt}` }),
    code: 'upstream_refused',
    inEvent: 'upstream_error',
  },
  OpenAI: {
    status: 429,
    body: json({
      error: { message: prompt, type: 'insufficient_quota', code: 'insufficient_quota', param: null },
    }),
    code: 'upstream_overloaded',
    named: 'insufficient_quota',
  },
  nginx: { status: 502, body: html('502 Bad Gateway'), code: 'upstream_error' },
  'nginx, time': { status: 504, body: html('504 Gateway Time-out'), code: 'upstream_timeout' },
  'nginx, size': { status: 413, body: html('413 Request Entity Too Large'), code: 'upstream_refused' },
  Envoy: {
    status: 503,
    body: `upstream connect error or disconnect/reset before headers. ${prompt}`,
    code: 'upstream_overloaded',
  },
  uvicorn: { status: 500, body: `Internal Server Error ${prompt}`, code: 'upstream_error' },
  'Starlette, a traceback': {
    status: 500,
    body: `Traceback (most recent call last):\n  File "/srv/${prompt}.py", line 1\nValueError: ${prompt}`,
    code: 'upstream_error',
  },
  'not UTF-8': { status: 400, body: `\u00ff\u00fe${prompt}`, code: 'upstream_refused' },
}

/** Everything that leaves the refusal, for the caller, the log and the record. */
const shown = (refusal: Refusal): string =>
  [
    refusal.message,
    refusal.detail,
    refusal.param,
    refusal.stack,
    json(openAiError(refusal, { requestId: 'r' })),
  ].join()

for (const [name, { status, body, code, named = 'unknown', inEvent }] of Object.entries(rows)) {
  t.test(name, (t) => {
    for (const given of [body, Buffer.from(body, 'latin1'), Buffer.from(body).subarray(0, -1)]) {
      const refusal = classifyUpstreamError(status, given, { retryAfter: prompt })
      t.notMatch(shown(refusal), /4111|my card|nginx|Traceback|srv/, 'nothing that the server wrote')
      if (given.length < body.length) continue
      t.equal(refusal.code, code)
      t.equal(refusal.detail, `upstream status ${status}, class ${named}`)
    }
    if (inEvent !== undefined) {
      const refusal = errorInEvent(JSON.parse(body))
      t.equal(refusal?.code ?? 'none', inEvent)
      if (refusal !== undefined) t.notMatch(shown(refusal), '4111')
    }
    t.end()
  })
}
