// The model server sends more than anybody can hold. What is bounded is what is taken from it: the gateway closes long
// before the end, whatever it is that does not end.
import t from 'tap'
import type { Script } from '../../loadtest/model-server.ts'
import type { sizeFaults } from '../support/fault-matrix.ts'
import { type Cause, FaultScene } from '../support/fault-scene.ts'
import { eventsOf } from '../support/scene.ts'

const MIB = 1024 * 1024
const scene = await FaultScene.open({
  gateway: { traffic: { stream: { eventBytesMax: MIB, replyBytesMax: 4 * MIB } } },
  models: { pools: {}, models: { demo: { outputTokensMax: 10_000_000 } } },
})
t.teardown(() => scene.close())

/** What the buffers of both sockets and of the proxy hold beyond what the gateway reads; the system's default is 6 MiB. */
const bufferBytesMax = 16 * MIB
const tenGiB = 10 * 1024 * MIB

const delta = (content: string, finish: string | null = null): string =>
  `data: ${JSON.stringify({
    id: 'chatcmpl-1',
    object: 'chat.completion.chunk',
    created: 1,
    model: 'demo',
    choices: [{ index: 0, delta: { content }, finish_reason: finish }],
  })}\n\n`
/** The same text again and again, as a list of references to it: nobody holds 10 GiB here either. */
const endless = (text: string): string[] =>
  Array<string>(Math.ceil(tenGiB / Buffer.byteLength(text))).fill(text)
const sse = (body: string[]): Script => ({ contentType: 'text/event-stream', body })
const block = 'x'.repeat(MIB)
const whole = JSON.stringify({
  id: 'x',
  object: 'chat.completion',
  created: 1,
  choices: [{ index: 0, message: { role: 'assistant', content: 'Good day.' }, finish_reason: 'stop' }],
})
const stream = true

const causes: Readonly<Record<keyof typeof sizeFaults, Cause>> = {
  'event of 2 MiB': {
    script: sse([delta('one '), delta('x'.repeat(2 * MIB)), delta('two', 'stop'), 'data: [DONE]\n\n']),
    stream,
  },
  'line of 10 GiB': { script: sse([delta('one '), 'data: ', ...endless(block)]), stream },
  'whole reply of 10 GiB': { script: { body: endless(block) } },
  'stream of 10 GiB without text': { script: sse(endless(`: ${'x'.repeat(65_536)}\n\n`)), stream },
  'stream of 10 GiB with text': {
    script: sse(endless(delta('w ').replace('"model"', `"pad":"${'x'.repeat(65_536)}","model"`))),
    stream,
  },
  'error body of 10 GiB': { script: { status: 500, body: endless(block) } },
  '10 GiB after [DONE]': {
    script: sse([delta('one ', 'stop'), 'data: [DONE]\n\n', ...endless(block)]),
    stream,
  },
  '16 MiB after the announced length': {
    script: {
      raw: [
        `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${whole.length}\r\n\r\n${whole}`,
        ...Array<string>(16).fill(block),
      ],
    },
  },
}

for (const [name, cause] of Object.entries(causes) as [keyof typeof sizeFaults, Cause][]) {
  t.test(name, async (t) => {
    const seen = await scene.matches(name, { ...cause, takenBytesMax: 4 * MIB + bufferBytesMax })
    if (cause.stream && seen.status === 200) t.match(eventsOf(seen.text)[0], { choices: [{ delta: {} }] })
    t.ok(Buffer.byteLength(seen.text) < 4 * MIB)
    t.comment(`${name}: ${seen.takenBytes} bytes taken`)
  })
}
