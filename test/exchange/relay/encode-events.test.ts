import t from 'tap'
import { encodeEnd, encodeEvents, encoderFor, shownUsage } from '../../../src/exchange/relay/encode-events.ts'
import { encodeEvent } from '../../../src/openai/sse.ts'
import { callOf } from '../fake-parts.ts'

const usage = { inputTokens: 3, outputTokens: 4 }

t.test('an event is one data line, whatever its text holds', (t) => {
  const text = 'a\nb\r\n\u2028data: [DONE]\n\n'
  const encoded = encodeEvents([{ text }, { n: 1 }], encodeEvent)
  t.equal(encoded.split('\n\n').length, 3)
  t.same(
    encoded
      .trim()
      .split('\n\n')
      .map((line) => JSON.parse(line.slice(6))),
    [{ text }, { n: 1 }],
  )
  t.equal(encodeEvents([], encodeEvent), '')
  t.end()
})

t.test('events are padded as the caller wishes, else as the operator says', (t) => {
  const padded = (wish: boolean | undefined, standard: 'on' | 'off') =>
    encodeEvents([{ choices: [{ text: 'a' }] }], encoderFor({ obfuscation: wish }, standard)).includes(
      'obfuscation',
    )
  t.same([padded(undefined, 'on'), padded(true, 'off')], [true, true])
  t.same([padded(undefined, 'off'), padded(false, 'on')], [false, false])
  t.end()
})

t.test('the end: usage for those who asked, when there was anything to report on', (t) => {
  const asked = callOf({ stream: true, stream_options: { include_usage: true } })
  const last = { id: 'x', object: 'chat.completion.chunk', created: 1, model: 'demo', choices: [{}] }
  const [event, done] = encodeEnd(asked, last, usage, encodeEvent).trim().split('\n\n') as [string, string]
  t.equal(done, 'data: [DONE]')
  t.same(JSON.parse(event.slice(6)), {
    ...last,
    choices: [],
    usage: { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 },
  })
  t.equal(encodeEnd(asked, undefined, usage, encodeEvent), 'data: [DONE]\n\n')
  t.equal(encodeEnd(callOf({ stream: true }), last, usage, encodeEvent), 'data: [DONE]\n\n')
  t.end()
})

t.test('embeddings have no output to show', (t) => {
  t.same(shownUsage(callOf({}, 'embeddings'), usage), { prompt_tokens: 3, total_tokens: 3 })
  t.same(Object.keys(shownUsage(callOf(), usage)), ['prompt_tokens', 'completion_tokens', 'total_tokens'])
  t.end()
})
