// The model server is slow or silent: within the bounds the caller waits and gets it all, beyond them it is told so.
import t from 'tap'
import type { Script } from '../../loadtest/model-server.ts'
import type { slowFaults } from '../support/fault-matrix.ts'
import { type Cause, FaultScene } from '../support/fault-scene.ts'
import { eventsOf } from '../support/scene.ts'

const totalTimeoutMs = 3_000
const waitMs = 1_000
const scene = await FaultScene.open({
  gateway: {
    traffic: {
      bounds: { headersTimeoutMs: totalTimeoutMs, bodyTimeoutMs: totalTimeoutMs },
      stream: {
        firstByteTimeoutMs: waitMs,
        idleTimeoutMs: waitMs,
        slowReaderTimeoutMs: totalTimeoutMs,
        totalTimeoutMs,
      },
    },
  },
})
t.teardown(() => scene.close())

const words = Array.from({ length: 8 }, (_, index) => `wörd${index} `)
const script: Script = { content: words }
const long: Script = { content: Array.from({ length: 60 }, (_, index) => `word${index} `) }
const whole = JSON.stringify({
  id: 'x',
  object: 'chat.completion',
  created: 1,
  choices: [{ index: 0, message: { role: 'assistant', content: 'y'.repeat(2_000) }, finish_reason: 'stop' }],
})
const wholeHead = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${whole.length}\r\n\r\n`
const hint = 'HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n'
const stream = true

/** A byte each 50 ms stands for one a second: what counts is that the whole would take longer than all bounds. */
const drip = { kind: 'bandwidth', bytesPerSecond: 20 } as const

const causes: Readonly<Record<keyof typeof slowFaults, Cause>> = {
  'latency and jitter': {
    script,
    stream,
    faults: {
      upstream: [{ kind: 'latency', latencyMs: 50, jitterMs: 50 }],
      downstream: [{ kind: 'latency', latencyMs: 50, jitterMs: 50 }],
    },
  },
  'a stream byte by byte': { script, stream, faults: { downstream: [{ kind: 'slicer', bytes: 1 }] } },
  'a head one byte at a time': { script: { raw: [wholeHead + whole] }, faults: { downstream: [drip] } },
  'a whole reply one byte at a time': {
    script: { raw: [wholeHead + whole] },
    // The head within its time, then the drip.
    faults: { downstream: [{ kind: 'bandwidth', bytesPerSecond: 300 }] },
  },
  'a stream one byte at a time': {
    script: long,
    stream,
    faults: { downstream: [{ kind: 'bandwidth', bytesPerSecond: 600 }] },
  },
  'stall between events': {
    script: { content: ['one ', 'two '], end: { after: 3, how: 'stall' } },
    stream,
  },
  'stall inside an event': {
    script: long,
    stream,
    faults: { downstream: [{ kind: 'timeout', afterBytes: 900 }] },
  },
  'stall inside a whole reply': {
    script: { raw: [wholeHead + whole] },
    faults: { downstream: [{ kind: 'timeout', afterBytes: wholeHead.length + 100 }] },
  },
  '100 early hints, then a reply': { script: { raw: [hint.repeat(100), wholeHead + whole] } },
  'early hints without end': {
    script: { raw: Array.from({ length: 100 }, () => [hint, { waitMs: 100 }]).flat() },
    takenBytesMax: 50 * hint.length,
  },
  '200 early hints at once': {
    script: { raw: [hint.repeat(200), { waitMs: 60_000 }] },
  },
  'an end of the connection that comes late': {
    script: { raw: [wholeHead + whole] },
    faults: { downstream: [{ kind: 'slow_close', delayMs: 60_000 }] },
  },
}

for (const [name, cause] of Object.entries(causes) as [keyof typeof slowFaults, Cause][]) {
  t.test(name, async (t) => {
    const { caller, text } = await scene.matches(name, cause)
    if (caller === '[DONE]') {
      const said = eventsOf(text) as { choices: { delta: { content?: string } }[] }[]
      t.equal(said.map(({ choices }) => choices[0]?.delta.content ?? '').join(''), words.join(''))
    } else if (caller.startsWith('event')) {
      t.match(text, cause.script === long ? '"word0 "' : '"one "', 'what came before is the caller’s')
    } else t.type(text, 'string')
    t.equal(scene.proxy.open, 0)
  })
}
