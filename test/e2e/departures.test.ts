// Endings that are not the model server's doing: the caller leaves in each phase, does not read, takes too long, or
// the gateway itself goes. The model server sees the abort each time, and everything is accounted for once.
import t from 'tap'
import type { Script } from '../../loadtest/model-server.ts'
import { floodModelLen, floodTokens, forFloods } from '../support/floods.ts'
import { endOf, eventsOf, Scene } from '../support/scene.ts'
import { until } from '../support/stack.ts'

const scene = await Scene.open({
  gateway: {
    traffic: {
      stream: {
        firstByteTimeoutMs: 1_500,
        idleTimeoutMs: 1_500,
        totalTimeoutMs: 1_500,
        slowReaderTimeoutMs: 300,
        keepAliveCommentMs: 100,
      },
      bounds: { headersTimeoutMs: 400, bodyTimeoutMs: 400 },
    },
  },
})
t.teardown(() => scene.stack.stop())
const { stats } = scene.stack.model

/** Sends a chat that the caller can leave. */
function leavable(fields: Record<string, unknown>, at = scene) {
  const caller = new AbortController()
  const reply = at.stack.fetch('/v1/chat/completions', {
    method: 'POST',
    headers: { authorization: `Bearer ${at.stack.token()}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      model: 'demo',
      messages: [{ role: 'user', content: 'hi' }],
      max_tokens: 64,
      ...fields,
    }),
    signal: caller.signal,
  })
  return { reply, leave: () => caller.abort() }
}

/** The reply until its text holds `part`. */
async function readUntil(body: AsyncIterable<Uint8Array>, part: string): Promise<string> {
  let text = ''
  const decoder = new TextDecoder()
  const reader = body[Symbol.asyncIterator]()
  while (!text.includes(part)) {
    const { value, done } = await reader.next()
    if (done) return text
    text += decoder.decode(value, { stream: true })
  }
  return text
}

const silent: Script = { end: { after: 'nothing', how: 'stall' } }
const halting: Script = { content: ['one ', 'two ', 'three'], end: { after: 3, how: 'stall' } }
const left = { outcome: 'client_abort', code: 'caller_gone' }

for (const stream of [true, false]) {
  t.test(`the caller leaves before the head, stream: ${stream}`, async (t) => {
    const before = stats.aborted.prefill
    const ending = await scene.ending(silent, async () => {
      const { reply, leave } = leavable({ stream })
      await until(() => stats.running === 1)
      leave()
      await t.rejects(reply)
      await until(() => stats.aborted.prefill === before + 1)
    })
    t.match(ending, { ...left, status: 499, streamEnd: undefined })
    t.equal(stats.running, 0, 'the model server is free again')
  })
}

t.test('the caller leaves in the middle of a stream', async (t) => {
  const before = stats.aborted.decode
  const ending = await scene.ending(halting, async () => {
    const { reply, leave } = leavable({ stream: true })
    const { body } = await reply
    await readUntil(body as AsyncIterable<Uint8Array>, 'two ')
    leave()
    await until(() => stats.aborted.decode === before + 1)
  })
  t.match(ending, { ...left, status: 200, streamEnd: 'client_abort' })
  t.ok(Number(ending.record['output_tokens']) >= 2, 'and pays for what was generated')
})

t.test('the caller of a whole reply leaves while it is made', async (t) => {
  const before = stats.aborted.decode
  const hold = { content: ['one', 'two'], gate: (at: number) => (at === 0 ? undefined : forever) }
  const ending = await scene.ending(hold, async () => {
    const { reply, leave } = leavable({})
    await until(() => stats.running === 1)
    leave()
    await t.rejects(reply)
    await until(() => stats.aborted.decode === before + 1)
  })
  t.match(ending, { ...left, status: 499 })
})

t.test('the caller leaves while a whole reply arrives', async (t) => {
  const ending = await scene.ending({ body: ['{"id":'], end: { after: 0, how: 'stall' } }, async () => {
    const { reply, leave } = leavable({})
    await until(() => stats.running === 1)
    await new Promise((resolve) => setTimeout(resolve, 50))
    leave()
    await t.rejects(reply)
    await until(() => stats.running === 0)
  })
  t.match(ending, { ...left, status: 499 })
})

t.test('the caller leaves while it sends its body', async (t) => {
  const before = stats.requests
  const ending = await scene.ending(undefined, async () => {
    const caller = new AbortController()
    async function* body() {
      yield Buffer.from('{"model":')
      await until(async () => (await scene.stack.metrics()).includes('sallyport_requests_in_flight 1'))
      caller.abort()
    }
    const reply = scene.stack.fetch('/v1/chat/completions', {
      method: 'POST',
      headers: { authorization: `Bearer ${scene.stack.token()}`, 'content-type': 'application/json' },
      body: body(),
      duplex: 'half',
      signal: caller.signal,
    })
    await t.rejects(reply)
  })
  t.match(ending, { ...left, status: 499, records: ['exchange.ended'] })
  t.equal(stats.requests, before + 1, 'the model server saw the good call alone')
})

t.test('a body that does not come to its end is refused in time', async (t) => {
  const ending = await scene.ending(undefined, async () => {
    async function* body() {
      yield Buffer.from('{"model":')
      await new Promise((resolve) => setTimeout(resolve, 1_000))
    }
    const reply = await scene.stack.fetch('/v1/chat/completions', {
      method: 'POST',
      headers: { authorization: `Bearer ${scene.stack.token()}`, 'content-type': 'application/json' },
      body: body(),
      duplex: 'half',
    })
    t.equal(reply.status, 408)
    await reply.text().catch(() => {})
  })
  t.match(ending, { outcome: 'timeout', code: 'request_timeout', records: ['exchange.ended'] })
})

t.test('a caller that waits in the queue of the model server and leaves', async (t) => {
  const queue = await Scene.open({ model: { maxNumSeqs: 1 }, policies: {} })
  t.teardown(() => queue.stack.stop())
  const { model } = queue.stack
  queue.script = silent
  const first = new AbortController()
  const second = new AbortController()
  const calls = [first, second].map(async ({ signal }, index) => {
    await until(() => model.stats.running === index)
    return queue.stack.fetch('/v1/chat/completions', {
      method: 'POST',
      headers: { authorization: `Bearer ${queue.stack.token()}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'demo', messages: [{ role: 'user', content: 'hi' }] }),
      signal,
    })
  })
  const settled = Promise.allSettled(calls)
  await until(() => model.stats.waiting === 1)
  second.abort()
  await until(() => model.stats.aborted.queued === 1 && model.stats.waiting === 0)
  first.abort()
  await until(() => model.stats.aborted.prefill === 1 && model.stats.running === 0)
  t.same(
    (await settled).map(({ status }) => status),
    ['rejected', 'rejected'],
  )
  await until(async () => (await queue.stack.metrics()).includes('sallyport_requests_in_flight 0'))
})

t.test('a caller that does not read is cut, and the model server with it', async (t) => {
  // With the default total time: until the sockets' buffers are full, the flood has to be relayed.
  const patient = await Scene.open({
    gateway: { traffic: { stream: { slowReaderTimeoutMs: 300 } } },
    model: { maxModelLen: floodModelLen },
    models: forFloods.models,
    policies: { roles: { app: { ...forFloods.policies.roles.app, limits: { inFlight: 1 } } } },
  })
  t.teardown(() => patient.stack.stop())
  const event = `data: ${JSON.stringify({
    id: 'x',
    object: 'chat.completion.chunk',
    created: 1,
    choices: [{ index: 0, delta: { content: 'word '.repeat(20_000) }, finish_reason: null }],
  })}\n\n`
  const flood: Script = { contentType: 'text/event-stream', body: Array.from({ length: 400 }, () => event) }
  let received = 0
  const ending = await patient.ending(flood, async () => {
    const { reply } = leavable({ stream: true, max_tokens: floodTokens }, patient)
    const { body } = await reply
    await until(
      async () => (await patient.stack.metrics()).includes('sallyport_requests_in_flight 0'),
      20_000,
    )
    await t.rejects(async () => {
      for await (const chunk of body as AsyncIterable<Uint8Array>) received += chunk.byteLength
    }, 'the connection was cut')
  })
  t.match(ending, { outcome: 'timeout', code: 'slow_reader', streamEnd: 'timeout' })
  t.ok(received < event.length * 400, 'backpressure held the rest back')
})

t.test(
  'an exchange that takes too long is cut: a stream with an error event, a whole reply with a 504',
  async (t) => {
    let text = ''
    const stream = await scene.ending(halting, async () => {
      text = await (await scene.stream()).text()
    })
    t.equal(endOf(text), 'stream_timeout')
    t.match(stream, { outcome: 'timeout', code: 'stream_timeout', streamEnd: 'timeout' })
    const whole = await scene.ending(silent, async () => {
      t.equal((await scene.chat()).status, 504)
    })
    t.match(whole, { outcome: 'timeout', code: 'stream_timeout', streamEnd: undefined })
  },
)

t.test('a comment keeps a silent stream alive, between events only', async (t) => {
  const script = { content: ['one ', 'two'], gapMs: 350 }
  let text = ''
  await scene.ending(script, async () => {
    text = await (await scene.stream()).text()
  })
  t.match(text, '"one "},"finish_reason":null}]}\n\n: keep-alive\n\n')
  t.equal(eventsOf(text).length, 3)
  t.equal(endOf(text), '[DONE]')
})

t.test(
  'drain: a stream within the deadline ends well, one beyond it is told, new connections are not taken',
  async (t) => {
    const going = await Scene.open({ gateway: { drain: { deadlineMs: 400 } }, policies: {} })
    t.teardown(() => going.stack.stop())
    const held = Promise.withResolvers<void>()
    going.script = { content: ['one ', 'two'], gate: (at) => (at < 2 ? undefined : held.promise) }
    const quick = await going.stream()
    await readUntil(quick.clone().body as AsyncIterable<Uint8Array>, 'one ')
    going.script = halting
    const slow = await going.stream()
    await readUntil(slow.clone().body as AsyncIterable<Uint8Array>, 'two ')
    const closed = going.stack.gateway.close()
    held.resolve()
    t.equal(endOf(await quick.text()), '[DONE]')
    await t.rejects(going.stack.fetch('/v1/models'), 'nobody listens any more')
    t.equal(endOf(await slow.text()), 'draining')
    await closed
    const records = going.stack.audit()
    t.same(
      records.filter(({ event }) => event === 'exchange.ended').map(({ outcome }) => outcome),
      ['completed', 'drain'],
    )
    t.equal(records.at(-1)?.['event'], 'gateway.stopped')
    await until(() => going.stack.model.stats.aborted.decode === 1)
  },
)

const forever = new Promise<void>(() => {})
