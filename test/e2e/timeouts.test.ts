// Callers who take their time: each wait has a bound, what is past it is cut, and nobody else notices.
// Only upper limits are asserted, and those by the patience of the raw client.
import { once } from 'node:events'
import { connect as connectTcp, type Socket } from 'node:net'
import t from 'tap'
import { sameRefusal, stillServes } from '../support/hostile.ts'
import { chatBody, openRaw, type RawConnection, requestText } from '../support/raw-client.ts'
import { startStack, until } from '../support/stack.ts'

const stack = await startStack({
  gateway: {
    traffic: {
      tls: { handshakeTimeoutMs: 1_500 },
      bounds: { headersTimeoutMs: 1_000, bodyTimeoutMs: 1_000, keepAliveTimeoutMs: 1_000 },
    },
  },
})
t.teardown(() => stack.stop())

const token = stack.token()
const body = chatBody()
const whole = requestText({ token, body })
const headLength = whole.length - body.length

/** Sends what is left of `bytes` one byte at a time until the connection ends. */
function drip(caller: RawConnection, bytes: string): NodeJS.Timeout {
  let at = 0
  return setInterval(() => {
    const byte = bytes[at++ % bytes.length] as string
    if (caller.isClosed || !caller.socket.writable) return
    caller.send(byte)
  }, 25)
}

const lastEnding = async (code: string): Promise<Record<string, unknown> | undefined> => {
  const find = () =>
    stack.audit().findLast((record) => record['event'] === 'exchange.ended' && record['code'] === code)
  await until(() => find() !== undefined, 15_000)
  return find()
}

t.test('a head that drips is answered 408 and cut', async (t) => {
  const caller = await openRaw(stack)
  const timer = drip(caller.send(whole.slice(0, 90)), 'x')
  const replies = await caller.cut()
  clearInterval(timer)
  t.equal(replies.length, 1)
  if (replies[0]) sameRefusal(t, replies[0], 'request_timeout')
  t.match(await lastEnding('request_timeout'), { reason: 'ERR_HTTP_REQUEST_TIMEOUT' })
})

t.test('a connection that says nothing is cut', async (t) => {
  const caller = await openRaw(stack)
  await caller.cut()
  t.ok(caller.isClosed)
})

t.test('a body that drips, stops or never begins is answered 408 and cut', async (t) => {
  const slow = async (sent: number, rest: string): Promise<void> => {
    const caller = await openRaw(stack)
    caller.send(whole.slice(0, headLength + sent).replace(/Content-Length: \d+/, 'Content-Length: 100000'))
    const timer = rest === '' ? undefined : drip(caller, rest)
    const replies = await caller.cut()
    clearInterval(timer)
    t.equal(replies.length, 1)
    if (replies[0]) sameRefusal(t, replies[0], 'request_timeout')
    t.equal(replies[0]?.headers['connection'], 'close')
  }
  await Promise.all([slow(0, ' '), slow(10, ' '), slow(10, ''), slow(0, '')])
  t.match(await lastEnding('request_timeout'), { reason: 'body above bodyTimeoutMs' })
  t.equal(stack.model.stats.requests, 0)
})

t.test('a handshake that does not go on is cut', async (t) => {
  const hello = Buffer.from('16030100c8010000c40303', 'hex')
  const received = async (first: Buffer): Promise<string> => {
    const socket: Socket = connectTcp(stack.port, '127.0.0.1')
    let text = ''
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1')
    })
    socket.on('error', () => {})
    await once(socket, 'connect')
    if (first.length > 0) socket.write(first)
    await once(socket, 'close')
    return text
  }
  const starts = [Buffer.alloc(0), hello, Buffer.from('GET / HTTP/1.1\r\n\r\n')]
  for (const text of await Promise.all(starts.map(received)))
    t.notMatch(text, 'HTTP/1.1', 'no HTTP without TLS')
  await until(async () => /sallyport_tls_client_errors_total\{[^}]+\} [1-9]/.test(await stack.metrics()))
})

t.test('an idle connection is closed after its time', async (t) => {
  const caller = await openRaw(stack)
  await stillServes(t, caller, stack)
  t.equal((await caller.cut()).length, 1)
})

t.test('forty slow callers at once, and a good one beside them', async (t) => {
  const slow = await Promise.all(Array.from({ length: 40 }, () => openRaw(stack)))
  const timers = slow.map((caller, place) =>
    drip(caller.send(whole.slice(0, place % 2 === 0 ? 90 : headLength + 5)), place % 2 === 0 ? 'x' : ' '),
  )
  const good = await openRaw(stack)
  await stillServes(t, good, stack)
  good.destroy()
  await Promise.all(slow.map((caller) => caller.closed))
  for (const timer of timers) clearInterval(timer)
  t.ok(slow.every(({ isClosed }) => isClosed))
})

t.test('afterwards all is well', async (t) => {
  const caller = await openRaw(stack)
  await stillServes(t, caller, stack)
  caller.destroy()
  t.match(await stack.metrics(), /^sallyport_requests_in_flight 0$/m)
})
