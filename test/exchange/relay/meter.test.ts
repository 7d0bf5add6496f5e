import t from 'tap'
import { Meter } from '../../../src/exchange/relay/meter.ts'
import { openReplies } from '../../../src/openai/reply-dialect.ts'
import { fakeClock } from '../../quota/fake-clock.ts'
import { callOf } from '../fake-parts.ts'

const reserved = { inputTokens: 10, outputTokens: 100 }
const dialect = openReplies('chat.completions', { logprobs: false })
const event = (content: string | undefined, usage?: object) =>
  dialect.event(
    {
      choices:
        content === undefined
          ? []
          : [{ index: 0, delta: content === '' ? {} : { content }, finish_reason: null }],
      ...(usage ? { usage } : {}),
    },
    'demo',
  )

t.test('what was seen is the least that is charged, a report is believed within what was reserved', (t) => {
  const meter = new Meter(callOf(), reserved, fakeClock())
  t.match(meter.usage, { inputTokens: 10, outputTokens: 0 })
  for (const text of ['a', 'b', 'c']) meter.event(event(text))
  t.equal(meter.reported, false)
  t.match(meter.usage, { inputTokens: 10, outputTokens: 3 })
  meter.event(event(undefined, { prompt_tokens: 7, completion_tokens: 50, total_tokens: 57 }))
  t.equal(meter.reported, true)
  t.match(meter.usage, { inputTokens: 7, outputTokens: 50 })
  meter.event(event(undefined, { prompt_tokens: 7, completion_tokens: 9_000, total_tokens: 9_007 }))
  t.match(meter.usage, { outputTokens: 100 })
  t.end()
})

t.test('gaps lie between events that carry text', (t) => {
  const clock = fakeClock()
  const meter = new Meter(callOf(), reserved, clock)
  for (const [content, ms] of [
    ['a', 5],
    ['', 5],
    ['b', 20],
    ['c', 0],
  ] as const) {
    meter.event(event(content))
    clock.advance(ms)
  }
  t.equal(meter.events, 3)
  t.equal(meter.gaps.count, 2)
  t.end()
})

t.test('a whole reply is one event', (t) => {
  const meter = new Meter(callOf(), reserved, fakeClock())
  const choices = [{ index: 0, message: { content: 'four words are here' }, finish_reason: 'stop' }]
  meter.whole(dialect.whole({ choices }, 'demo'))
  t.match(meter, { events: 1, reported: false })
  t.equal(meter.usage.outputTokens, 5)
  t.end()
})

t.test('beyond the grant: by the events, or by a running report as far as the text can hold it', (t) => {
  const grant = { inputTokens: 10, outputTokens: 3 }
  const running = (completion_tokens: number) => ({
    prompt_tokens: 7,
    completion_tokens,
    total_tokens: 7 + completion_tokens,
  })
  const meter = new Meter(callOf(), grant, fakeClock())
  for (const text of ['a', 'b', 'c']) {
    t.notOk(meter.outruns(event(text, running(100_000))), 'three bytes are three tokens at most')
    meter.event(event(text))
  }
  t.ok(meter.outruns(event('d')))
  t.notOk(meter.outruns(event('')))
  t.notOk(meter.outruns(event(undefined, running(100))))
  const packed = new Meter(callOf(), grant, fakeClock())
  t.notOk(packed.outruns(event('x'.repeat(3 * 32))))
  t.ok(packed.outruns(event('x'.repeat(4 * 32))), 'a page in each event')
  const several = new Meter(callOf(), grant, fakeClock())
  t.notOk(several.outruns(event('of several tokens', running(3))))
  t.ok(several.outruns(event('of several tokens', running(4))))
  t.end()
})
