// The model server breaks off, at each place of its answer: whoever had a byte is told by an error event, whoever had
// none by a status, and nobody is told that half an answer is whole.
import t from 'tap'
import type { Script } from '../../loadtest/model-server.ts'
import type { brokenFaults } from '../support/fault-matrix.ts'
import type { Fault } from '../support/fault-proxy/proxy.ts'
import { type Cause, FaultScene } from '../support/fault-scene.ts'
import { eventsOf } from '../support/scene.ts'

const scene = await FaultScene.open({
  gateway: { traffic: { stream: { firstByteTimeoutMs: 500, idleTimeoutMs: 500 } } },
})
t.teardown(() => scene.close())

const delta = (content: string, finish: string | null = null): string =>
  `data: ${JSON.stringify({
    id: 'chatcmpl-1',
    object: 'chat.completion.chunk',
    created: 1,
    model: 'demo',
    choices: [{ index: 0, delta: { content }, finish_reason: finish }],
  })}\n\n`
const chunk = (text: string): string => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`
const streamHead = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n'
const closedHead = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n'
const whole = JSON.stringify({
  id: 'x',
  object: 'chat.completion',
  created: 1,
  choices: [{ index: 0, message: { role: 'assistant', content: 'Good day.' }, finish_reason: 'stop' }],
})
const wholeHead = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${whole.length}\r\n\r\n`

const first = chunk(delta('one '))
const second = chunk(delta('naïve', 'stop'))
const answer = streamHead + first + second + chunk('data: [DONE]\n\n')
const raw = (text: string): Script => ({ raw: [text] })
const bytesTo = (text: string, part: string, beyond = 0): number =>
  Buffer.byteLength(text.slice(0, text.indexOf(part) + part.length)) + beyond

const reset = (afterBytes: number): { readonly downstream: readonly Fault[] } => ({
  downstream: [{ kind: 'reset_peer', afterBytes, delayMs: 50 }],
})
const streamed = (faults: Cause['faults'] & object, script = raw(answer)): Cause => ({
  script,
  faults,
  stream: true,
})

const causes: Readonly<Record<keyof typeof brokenFaults, Cause | readonly Cause[]>> = {
  'reset before the head': [{ faults: reset(0) }, streamed(reset(0))],
  'reset inside the head': [{ faults: reset(20) }, streamed(reset(20))],
  'reset after the head': [
    streamed(reset(streamHead.length)),
    streamed(reset(closedHead.length), raw(closedHead + delta('one '))),
  ],
  'reset inside an event': [
    streamed(reset(bytesTo(answer, first, 30))),
    streamed(
      reset(bytesTo(closedHead + delta('one '), delta('one '), 30)),
      raw(closedHead + delta('one ') + delta('two')),
    ),
  ],
  'reset inside a character': streamed(reset(Buffer.byteLength(answer.slice(0, answer.indexOf('ï'))) + 1)),
  'reset inside a whole reply': { script: raw(wholeHead + whole), faults: reset(wholeHead.length + 40) },
  'half-close before the head': { faults: { downstream: [{ kind: 'half_close', afterBytes: 0 }] } },
  'half-close inside an event': streamed({
    downstream: [{ kind: 'half_close', afterBytes: bytesTo(answer, first, 30) }],
  }),
  'half-close after a whole reply': {
    script: raw(wholeHead + whole),
    faults: { downstream: [{ kind: 'half_close', afterBytes: wholeHead.length + whole.length }] },
  },
  'closed inside an event': streamed({
    downstream: [{ kind: 'limit_data', bytes: bytesTo(answer, first, 30) }],
  }),
  'no [DONE] and no reason to end': streamed({}, raw(`${closedHead}${delta('one ')}${delta('two')}`)),
  'no [DONE], and the connection stays open': streamed(
    {},
    {
      contentType: 'text/event-stream',
      body: [delta('one '), delta('two', 'stop'), { waitMs: 60_000 }],
    },
  ),
  'data after [DONE]': streamed(
    {},
    {
      contentType: 'text/event-stream',
      body: [delta('one ', 'stop'), 'data: [DONE]\n\n', delta('late'), 'data: {"error":"late"}\n\n'],
    },
  ),
  'no end of the body after [DONE]': streamed(
    {},
    {
      contentType: 'text/event-stream',
      body: [delta('one ', 'stop'), 'data: [DONE]\n\n', { waitMs: 60_000 }],
    },
  ),
}

for (const [name, cause] of Object.entries(causes) as [
  keyof typeof brokenFaults,
  Cause | readonly Cause[],
][]) {
  t.test(name, async (t) => {
    for (const each of [cause].flat() as Cause[]) {
      const { caller, text } = await scene.matches(name, each)
      if (!each.stream || !caller.startsWith('event')) {
        t.notMatch(text, 'late')
        continue
      }
      const said = eventsOf(text).slice(0, -1)
      t.equal(said.length, text.split('data: ').length - 2)
      t.match(text, '"one "', 'what came whole before it was passed on')
      t.notMatch(text, '\ufffd', 'and no half of a character')
    }
  })
}
