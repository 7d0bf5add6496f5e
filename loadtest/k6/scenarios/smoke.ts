// Everything once, in seconds: streams, whole replies, every role, and what has to be refused.
import { check } from 'k6'
import http from 'k6/http'
import { anyone, callerOf, stream, textOf, whole } from '../calls.ts'
import { checked, latency } from '../measures.ts'
import { settings } from '../settings.ts'
import { arrival, suite } from '../suite.ts'

export { handleSummary } from '../report.ts'

const { rate, seconds } = settings
const reply = { words: 12, firstTokenMs: 30, gapMs: 10 }

export const options = suite(
  {
    streams: arrival({ exec: 'streams', rate, seconds, callSeconds: 0.5 }),
    calls: arrival({ exec: 'calls', rate, seconds, callSeconds: 0.5 }),
    refusals: arrival({ exec: 'refusals', rate: 1, seconds, callSeconds: 0.5 }),
  },
  {
    ...latency({ addedP95Ms: 500, overheadP95Ms: 200 }),
    ...checked,
    'http_req_failed{name:chat}': ['rate==0'],
  },
)

export function streams(): void {
  const pieces: string[] = []
  stream(anyone(), { reply }, ({ data }) => {
    if (data !== '[DONE]') pieces.push(JSON.parse(data).choices[0]?.delta.content ?? '')
    return true
  })
  check(pieces, { 'the stream is what the model said': (said) => said.join('') === textOf(reply) })
}

export function calls(): void {
  whole(anyone(), { reply })
}

/** Nobody without a token, with a token that was changed, or for a model that there is not. */
export function refusals(): void {
  const { token } = callerOf(() => true)
  const url = `${settings.urls[0]}/v1/chat/completions`
  const ask = (model: string, authorization: string | undefined) =>
    http.post(url, JSON.stringify({ model, messages: [{ role: 'user', content: 'hello' }] }), {
      headers: {
        'content-type': 'application/json',
        ...(authorization === undefined ? {} : { authorization }),
      },
      tags: { name: 'refusal' },
      responseCallback: http.expectedStatuses(401, 404),
    })
  // A letter in the middle of the signature: the last one may hold bits that are not read.
  const at = token.length - 20
  const forged = `${token.slice(0, at)}${token[at] === 'A' ? 'B' : 'A'}${token.slice(at + 1)}`
  check(ask('demo', undefined), { 'no token: 401': ({ status }) => status === 401 })
  check(ask('demo', `Bearer ${forged}`), { 'a forged token: 401': ({ status }) => status === 401 })
  check(ask('no-such-model', `Bearer ${token}`), { 'no such model: 404': ({ status }) => status === 404 })
}
