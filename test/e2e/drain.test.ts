// The end of a gateway: not ready at once, nobody new after the delay, streams to their end or to the deadline, then
// an error event; every exchange accounted for, and nothing keeps the process.
import { connect as connectTcp } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import type { Script } from '../../loadtest/model-server.ts'
import { listens } from '../support/child.ts'
import { floodModelLen, floodTokens, forFloods } from '../support/floods.ts'
import type { Section } from '../support/flow.ts'
import { callerOf, HeldModel, linesOf, loopCalls, put, recordsOf } from '../support/flow.ts'
import { chatBody, openRaw, requestText } from '../support/raw-client.ts'
import { endOf } from '../support/scene.ts'
import { type Stack, startStack, until } from '../support/stack.ts'

async function stage(t: Test, drain: Section, traffic: Section = {}, script?: HeldModel['script']) {
  const held = new HeldModel()
  const model = { script: script ?? held.script, maxModelLen: floodModelLen }
  const stack = await startStack({ model, gateway: { drain, traffic }, ...forFloods })
  const caller = callerOf(stack)
  t.teardown(async () => {
    held.release()
    await caller.close()
    await stack.stop()
  })
  return { stack, held, caller }
}

const readiness = async ({ probes }: Stack): Promise<number> => (await fetch(`${probes}/readyz`)).status

/** Each admission has its ending, and the last record says that the gateway stopped. */
function accounted(t: Test, stack: Stack): void {
  const ids = (event: string): unknown[] => recordsOf(stack, event).map(({ request_id }) => request_id)
  const ended = ids('exchange.ended')
  t.same(
    ids('exchange.admitted').filter((id) => !ended.includes(id)),
    [],
    'every admission has its ending',
  )
  t.equal(new Set(ended).size, ended.length, 'and one alone')
  t.equal(stack.audit().at(-1)?.['event'], 'gateway.stopped')
}

t.test('20 streams and traffic: nothing is cut before the deadline', async (t) => {
  const { stack, held, caller } = await stage(t, { delayMs: 2_000, deadlineMs: 20_000 })
  const streams = await Promise.all(Array.from({ length: 20 }, () => caller.stream()))
  const traffic = callerOf(stack)
  const loop = loopCalls(traffic)
  await until(() => stack.model.stats.completed > 5)
  const closing = stack.gateway.close()
  t.equal(await readiness(stack), 503, 'not ready at once')
  t.equal((await fetch(`${stack.probes}/livez`)).status, 200, 'and alive')
  const newcomer = callerOf(stack)
  t.teardown(() => newcomer.close())
  const late = await newcomer.chat()
  t.equal(late.status, 200, 'who comes within the delay is served')
  t.equal(late.headers.get('connection'), 'close', 'and sent elsewhere for the next time')
  const { seen } = await loop.stop()
  t.same([...seen.keys()], ['200'])
  await traffic.close()
  await until(() =>
    newcomer.chat().then(
      () => false,
      () => true,
    ),
  )
  t.same(
    streams.map((stream) => /error/.test(stream.text())),
    Array(20).fill(false),
  )
  held.release()
  t.same(await Promise.all(streams.map(({ end }) => end)), Array(20).fill('ended'))
  await closing
  t.same(
    streams.map((stream) => endOf(stream.text())),
    Array(20).fill('[DONE]'),
  )
  t.match(linesOf(stack, 'drain.ended').at(-1), { cut: 0 })
  accounted(t, stack)
  await t.rejects(fetch(`${stack.probes}/livez`), 'the probes are gone last')
})

t.test('at the deadline every stream ends with an error event', async (t) => {
  const { stack, caller } = await stage(t, { delayMs: 0, deadlineMs: 300 })
  const streams = await Promise.all(Array.from({ length: 20 }, () => caller.stream()))
  const startedAt = Date.now()
  await stack.gateway.close()
  t.ok(Date.now() - startedAt >= 300)
  t.same(await Promise.all(streams.map(({ end }) => end)), Array(20).fill('ended'))
  t.same(
    streams.map((stream) => endOf(stream.text())),
    Array(20).fill('draining'),
  )
  t.match(linesOf(stack, 'drain.ended').at(-1), { cut: 20 })
  t.match(recordsOf(stack, 'exchange.ended').at(-1), { outcome: 'drain', code: 'draining' })
  accounted(t, stack)
})

t.test('the delay passes although nothing is under way, and closing twice is closing once', async (t) => {
  const { stack, caller } = await stage(t, { delayMs: 600, deadlineMs: 1_000 })
  const first = stack.gateway.close()
  const second = stack.gateway.close()
  t.equal(first, second)
  t.equal(await readiness(stack), 503)
  t.equal((await caller.chat()).status, 200)
  await first
  t.equal(linesOf(stack, 'drain.started').length, 1)
  t.equal(recordsOf(stack, 'gateway.stopped').length, 1)
  t.equal(linesOf(stack, 'gateway.stopped').length, 1)
})

t.test('idle connections, half requests and half handshakes hold nobody up', async (t) => {
  const { stack } = await stage(
    t,
    { delayMs: 0, deadlineMs: 20_000 },
    { tls: { handshakeTimeoutMs: 60_000 } },
  )
  const idle = await openRaw(stack)
  idle.send(requestText({ method: 'GET', target: '/v1/models', token: stack.token() }))
  t.equal((await idle.answered(1))[0]?.status, 200)
  const untouched = await openRaw(stack)
  const halfHead = (await openRaw(stack)).send('POST /v1/chat/completions HTTP/1.1\r\nHost: local')
  const silent = connectTcp(stack.port, '127.0.0.1')
  silent.on('error', () => {})
  await new Promise((resolve) => silent.once('connect', resolve))
  const startedAt = Date.now()
  await stack.gateway.close()
  t.ok(Date.now() - startedAt < 10_000, 'far below the keep-alive and the handshake timeout')
  await Promise.all([idle.closed, untouched.closed, halfHead.closed])
  accounted(t, stack)
})

t.test('a caller who does not read is cut off, and recorded before the log is closed', async (t) => {
  const flood: Script = { content: Array(400).fill('y'.repeat(32_768)) }
  const { stack } = await stage(t, { delayMs: 0, deadlineMs: 200 }, {}, () => flood)
  const deaf = await openRaw(stack)
  deaf.socket.pause()
  const token = stack.token({ roles: ['admin'] })
  deaf.send(requestText({ body: chatBody({ stream: true, max_tokens: floodTokens }), token }))
  await until(() => recordsOf(stack, 'exchange.admitted').length === 1)
  await stack.gateway.close()
  deaf.destroy()
  t.match(recordsOf(stack, 'exchange.ended').at(-1), { outcome: 'drain', code: 'draining' })
  accounted(t, stack)
})

t.test('a request that is under way when the end begins is answered', async (t) => {
  const { stack } = await stage(t, { delayMs: 0, deadlineMs: 20_000 })
  const slow = await openRaw(stack)
  const text = requestText({ body: chatBody(), token: stack.token() })
  slow.send(text.slice(0, -4))
  await until(async () => /sallyport_requests_in_flight 1/.test(await stack.metrics()))
  const closing = stack.gateway.close()
  await until(() => linesOf(stack, 'drain.started').length === 1)
  slow.send(text.slice(-4))
  const [reply] = await slow.answered(1)
  t.equal(reply?.status, 200)
  t.equal(reply?.headers['connection'], 'close')
  await closing
  accounted(t, stack)
})

t.test('a stream can be revoked while the gateway drains', async (t) => {
  const { stack, caller, held } = await stage(t, { delayMs: 0, deadlineMs: 20_000 })
  const token = stack.token({ claims: { jti: 'j-1' } })
  const [revoked, kept] = await Promise.all([caller.stream({}, token), caller.stream()])
  const closing = stack.gateway.close()
  put(stack, 'revocations.json', '{"revoked":[{"jti":"j-1"}]}')
  await revoked.end
  t.equal(endOf(revoked.text()), 'token_revoked')
  held.release()
  await closing
  t.equal(endOf(kept.text()), '[DONE]')
  accounted(t, stack)
})

t.test('an end that is asked for in a hurry', async (t) => {
  const { stack, caller } = await stage(t, { delayMs: 5_000, deadlineMs: 60_000 })
  const stream = await caller.stream()
  const startedAt = Date.now()
  await stack.gateway.close({ deadlineMs: 100 })
  t.ok(Date.now() - startedAt < 5_000)
  await stream.end
  t.equal(endOf(stream.text()), 'draining')
})

t.test(
  'a connection on which a stream has just ended is served once more, and closed by that answer',
  async (t) => {
    const [held, keeper] = [new HeldModel(), new HeldModel()]
    const { stack } = await stage(t, { delayMs: 100, deadlineMs: 20_000 }, {}, (request) =>
      (request.body.includes('keeper') ? keeper : held).script(request),
    )
    t.teardown(() => keeper.release())
    const caller = callerOf(stack)
    t.teardown(() => caller.close())
    const kept = await caller.stream({ messages: [{ role: 'user', content: 'keeper' }] })
    const raw = await openRaw(stack)
    raw.send(requestText({ body: chatBody({ stream: true }), token: stack.token() }))
    await raw.when(() => raw.rest.includes('one '))
    const closing = stack.gateway.close()
    await until(() => listens(stack.port).then((open) => !open))
    held.release()
    t.not(
      (await raw.answered(1))[0]?.headers['connection'],
      'close',
      'its head left before the gateway was told to end',
    )
    // Longer than it takes to look at the connections once more.
    await sleep(300)
    raw.send(requestText({ body: chatBody(), token: stack.token() }))
    const [, again] = await raw.answered(2)
    t.equal(again?.status, 200)
    t.equal(again?.headers['connection'], 'close')
    await raw.closed
    keeper.release()
    t.equal(await kept.end, 'ended')
    await closing
    accounted(t, stack)
  },
)

t.test('who comes on an open connection after the deadline is told to come again', async (t) => {
  const flood: Script = { content: Array(400).fill('y'.repeat(32_768)) }
  const held = new HeldModel()
  const { stack, caller } = await stage(t, { delayMs: 0, deadlineMs: 500 }, {}, (request) =>
    request.body.includes('flood') ? flood : held.script(request),
  )
  const [deaf, late] = [await openRaw(stack), await openRaw(stack)]
  deaf.socket.pause()
  const token = stack.token({ roles: ['admin'] })
  const messages = [{ role: 'user', content: 'flood' }]
  deaf.send(requestText({ body: chatBody({ messages, stream: true, max_tokens: floodTokens }), token }))
  const witness = await caller.stream()
  await until(() => recordsOf(stack, 'exchange.admitted').length === 2)
  const closing = stack.gateway.close()
  await witness.end
  t.equal(endOf(witness.text()), 'draining')
  // The deaf caller was cut as well, and keeps the gateway for two seconds more.
  late.send(requestText({ body: chatBody({ stream: true }), token: stack.token() }))
  await late.cut()
  t.match(late.rest + (late.replies[0]?.body ?? ''), /"code":"draining"/)
  await closing
  deaf.destroy()
  accounted(t, stack)
})
