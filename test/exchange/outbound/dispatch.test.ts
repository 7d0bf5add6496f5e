import t from 'tap'
import { screenPrompt } from '../../../src/exchange/inbound/screen-prompt.ts'
import { dispatch, type Target } from '../../../src/exchange/outbound/dispatch.ts'
import { Refusal } from '../../../src/refusal.ts'
import type { EndpointHandle, UpstreamAnswer, UpstreamRequest } from '../../../src/upstream/upstream.ts'
import { answerOf, callOf, endpointOf, permitOf, redaction, refusalOf, targetOf } from '../fake-parts.ts'

const endpointThat = (answer: () => UpstreamAnswer) => {
  const sent: UpstreamRequest[] = []
  const post: EndpointHandle['post'] = async (request) => {
    sent.push(request)
    return answer()
  }
  return { endpoint: endpointOf('http://a', { post }), sent }
}
async function dispatched(
  answer: UpstreamAnswer,
  call = callOf(),
  signal = new AbortController().signal,
  fields: Partial<Target> = {},
) {
  const { endpoint, sent } = endpointThat(() => answer)
  const permit = permitOf(call, 'mask')
  const screened = await screenPrompt(permit, { redaction }, signal)
  const target = targetOf('http://a', { endpoint, ...fields })
  const outcome = await refusalOf(() =>
    dispatch(
      target,
      screened,
      permit,
      { outputTokensMax: 8 },
      { id: 'id-1', sent: () => {}, told: () => {} },
      signal,
    ),
  )
  return { outcome, sent }
}

t.test('the body is ours: model, one output bound, masked text, usage on streams', async (t) => {
  const call = callOf({
    messages: [{ role: 'user', content: 'I am bob@example.com' }],
    max_tokens: 100,
    stream: true,
  })
  const { outcome, sent } = await dispatched(answerOf([], { contentType: 'text/event-stream' }), call)
  t.equal(outcome, 'none')
  t.match(sent, [{ path: '/v1/chat/completions', stream: true, requestId: 'id-1' }])
  t.same(JSON.parse(sent[0]?.body ?? ''), {
    model: 'org/real',
    messages: [{ role: 'user', content: 'I am [EMAIL_ADDRESS]' }],
    stream: true,
    max_tokens: 8,
    stream_options: { include_usage: true, continuous_usage_stats: true },
  })
})

t.test('the salt of the tenant goes where prompts are cached, and nowhere else', async (t) => {
  const salted = async (call = callOf()) =>
    JSON.parse(
      (await dispatched(answerOf(['{}']), call, undefined, { cacheSalt: 'salt-1' })).sent[0]?.body ?? '',
    )
  t.match(await salted(), { cache_salt: 'salt-1' })
  t.equal((await salted(callOf({}, 'embeddings'))).cache_salt, undefined)
})

t.test('each endpoint has its path', async (t) => {
  for (const [endpoint, path] of [
    ['completions', '/v1/completions'],
    ['embeddings', '/v1/embeddings'],
  ] as const) {
    t.match((await dispatched(answerOf(['{}']), callOf({}, endpoint))).sent, [{ path }])
  }
})

const json = (value: object): string => JSON.stringify(value)
const answers: [string, UpstreamAnswer, string][] = [
  [
    'another status',
    answerOf([json({ error: { message: 'secret', type: 'BadRequestError' } })], { status: 400 }),
    'upstream_refused',
  ],
  ['a status that is none', answerOf([''], { status: 999 }), 'upstream_protocol'],
  ['a redirect', answerOf([''], { status: 302 }), 'upstream_protocol'],
  ['a page', answerOf(['<html>'], { contentType: 'text/html' }), 'upstream_protocol'],
  ['no type', answerOf(['{}'], { contentType: '' }), 'upstream_protocol'],
  ['a stream for a whole reply', answerOf([], { contentType: 'text/event-stream' }), 'upstream_protocol'],
  ['a coding', answerOf(['{}'], { headers: { 'content-encoding': 'br' } }), 'upstream_protocol'],
]

for (const [name, answer, code] of answers) {
  t.test(`${name} is refused, and what is left of the answer is dropped`, async (t) => {
    const { outcome } = await dispatched(answer)
    t.match(outcome, new RegExp(`^${code}`))
    t.notMatch(outcome, 'secret')
    t.equal((answer as ReturnType<typeof answerOf>).seen.disposed, 1)
  })
}

t.test('media type parameters and case do not matter', async (t) => {
  t.equal(
    (await dispatched(answerOf(['{}'], { contentType: 'Application/JSON ; charset=utf-8' }))).outcome,
    'none',
  )
})

t.test('of an error body only the beginning is read', async (t) => {
  let chunks = 0
  async function* endless(): AsyncGenerator<Uint8Array> {
    for (;;) {
      chunks += 1
      yield Buffer.alloc(10_000)
    }
  }
  t.match((await dispatched(answerOf(endless(), { status: 500 }))).outcome, 'upstream_error')
  t.ok(chunks < 20)
})

t.test('an abort while an error body is read is what ended it', async (t) => {
  const cut = new AbortController()
  async function* broken(): AsyncGenerator<Uint8Array> {
    cut.abort(new Refusal('caller_gone', 'test'))
    yield Buffer.from('{')
    throw new Refusal('upstream_truncated', 'aborted')
  }
  t.match(
    (await dispatched(answerOf(broken(), { status: 500 }), callOf(), cut.signal)).outcome,
    'caller_gone',
  )
})
