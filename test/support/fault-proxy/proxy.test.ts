// Each fault of the proxy, seen from raw sockets: what is promised really happens.
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import t from 'tap'
import { issueServer, makeAuthority } from '../certificates.ts'
import { until } from '../stack.ts'
import { openBlackHole } from './black-hole.ts'
import { FaultProxy, type Faults } from './proxy.ts'

/** What arrived at one end of a connection. */
class End {
  readonly socket: Socket
  readonly chunks: Buffer[] = []
  ended = false
  closed = false
  error: string | undefined

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (chunk: Buffer) => this.chunks.push(chunk))
    socket.on('end', () => {
      this.ended = true
    })
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.error = error.code
    })
    socket.on('close', () => {
      this.closed = true
    })
  }

  get text(): string {
    return Buffer.concat(this.chunks).toString('latin1')
  }
}

const servers: End[] = []
const server = createServer({ allowHalfOpen: true }, (socket) => servers.push(new End(socket)))
server.listen(0, '127.0.0.1')
await once(server, 'listening')
const { port } = server.address() as { port: number }
const proxy = await FaultProxy.open({ port })
t.teardown(async () => {
  await proxy.close()
  for (const { socket } of servers) socket.destroy()
  server.close()
})

/** A connection under these faults: both of its ends, and what the proxy noted of it. */
async function pair(faults: Faults) {
  proxy.faults = faults
  const before = servers.length
  const caller = new End(connect({ port: proxy.port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true }))
  await once(caller.socket, 'connect')
  await until(() => servers.length > before)
  const record = proxy.connections.at(-1)
  if (record === undefined) throw new Error('no connection')
  return { caller, server: servers.at(-1) as End, record }
}

t.test('without a fault bytes go both ways, and a FIN is passed on each way', async (t) => {
  const { caller, server, record } = await pair({})
  caller.socket.end('question')
  await until(() => server.ended)
  t.equal(server.text, 'question')
  server.socket.end('answer')
  await until(() => caller.ended)
  t.equal(caller.text, 'answer')
  await until(() => !record.open)
  t.match(record, { fromCaller: 8, toServer: 8, fromServer: 6, toCaller: 6, closed: 'fin' })
})

t.test('a caller that resets is told from one that closes', async (t) => {
  const { caller, server, record } = await pair({})
  caller.socket.resetAndDestroy()
  await until(() => !record.open && server.closed)
  t.equal(record.closed, 'rst')
  t.type(record.closedAtMs, 'number')
})

t.test('latency holds each direction back by itself', async (t) => {
  const { caller, server } = await pair({
    upstream: [{ kind: 'latency', latencyMs: 200, jitterMs: 50 }],
  })
  const sentAt = performance.now()
  caller.socket.write('a')
  server.socket.write('b')
  await until(() => caller.text === 'b')
  t.equal(server.text, '', 'the other direction was first')
  await until(() => server.text === 'a')
  t.ok(performance.now() - sentAt >= 149)
  caller.socket.destroy()
})

t.test('bandwidth is a number of bytes a second', async (t) => {
  const { caller, server } = await pair({ downstream: [{ kind: 'bandwidth', bytesPerSecond: 100 }] })
  const sentAt = performance.now()
  server.socket.write('x'.repeat(50))
  await until(() => caller.text.length === 50)
  t.ok(performance.now() - sentAt >= 450)
  t.ok(caller.chunks.every(({ length }) => length < 50))
  caller.socket.destroy()
})

t.test('slow_close holds the FIN back, not the bytes', async (t) => {
  const { caller, server } = await pair({ downstream: [{ kind: 'slow_close', delayMs: 200 }] })
  const sentAt = performance.now()
  server.socket.end('all')
  await until(() => caller.text === 'all')
  t.notOk(caller.ended)
  await until(() => caller.ended)
  t.ok(performance.now() - sentAt >= 199)
  caller.socket.destroy()
})

t.test('timeout stalls after its bytes, and closes in time where it has one', async (t) => {
  const stalled = await pair({ downstream: [{ kind: 'timeout', afterBytes: 2 }] })
  stalled.server.socket.end('answer')
  await until(() => stalled.record.fromServer === 6)
  await new Promise((resolve) => setTimeout(resolve, 100))
  t.equal(stalled.caller.text, 'an')
  t.notOk(stalled.caller.ended, 'nor does the FIN arrive')
  t.ok(stalled.record.open)
  stalled.caller.socket.destroy()
  await until(() => !stalled.record.open)
  t.equal(stalled.record.closed, 'fin')
  const cut = await pair({ downstream: [{ kind: 'timeout', timeoutMs: 100 }] })
  cut.server.socket.write('answer')
  await until(() => cut.caller.ended)
  t.match(cut, { caller: { text: '', error: undefined }, record: { closed: undefined } })
})

t.test('reset_peer resets both sides after exactly its bytes', async (t) => {
  const { caller, server, record } = await pair({
    downstream: [{ kind: 'reset_peer', afterBytes: 3, delayMs: 50 }],
  })
  server.socket.write('answer')
  await until(() => caller.closed && server.closed)
  t.match(caller, { text: 'ans', error: 'ECONNRESET', ended: false })
  t.equal(server.error, 'ECONNRESET')
  t.match(record, { toCaller: 3, closed: undefined, open: false }, 'the caller did not close it')
})

t.test('slicer cuts into packets of its size', async (t) => {
  const { caller, server } = await pair({
    downstream: [{ kind: 'slicer', bytes: 4, variation: 1, delayMs: 20 }],
  })
  server.socket.write('x'.repeat(20))
  await until(() => caller.text.length === 20)
  t.ok(caller.chunks.length >= 4)
  t.ok(caller.chunks.every(({ length }) => length <= 5))
  caller.socket.destroy()
})

t.test('limit_data closes both sides with a FIN after exactly its bytes', async (t) => {
  const { caller, server } = await pair({ downstream: [{ kind: 'limit_data', bytes: 5 }] })
  server.socket.write('0123456789')
  await until(() => caller.ended && (server.ended || server.closed))
  t.match(caller, { text: '01234', error: undefined })
  caller.socket.destroy()
})

t.test('half_close ends one direction, and the other goes on', async (t) => {
  const { caller, server } = await pair({ downstream: [{ kind: 'half_close', afterBytes: 5 }] })
  server.socket.write('0123456789')
  await until(() => caller.ended)
  t.equal(caller.text, '01234')
  caller.socket.write('still here')
  await until(() => server.text === 'still here')
  t.notOk(server.ended)
  caller.socket.destroy()
})

t.test('a slow accept passes nothing on before its time', async (t) => {
  const openedAt = performance.now()
  const { caller } = await pair({ acceptDelayMs: 200 })
  t.ok(performance.now() - openedAt >= 199, 'the server saw no connection before')
  caller.socket.destroy()
})

t.test('down refuses new connections and resets open ones, up takes them again', async (t) => {
  const { caller } = await pair({})
  await proxy.down()
  await until(() => caller.closed)
  t.equal(caller.error, 'ECONNRESET')
  const refused = new End(connect({ port: proxy.port, host: '127.0.0.1' }))
  await until(() => refused.closed)
  t.equal(refused.error, 'ECONNREFUSED')
  await proxy.up()
  const again = await pair({})
  again.caller.socket.write('back')
  await until(() => again.server.text === 'back')
  again.caller.socket.destroy()
  await until(() => proxy.open === 0)
})

t.test('faults by the number of the connection', async (t) => {
  const next = proxy.connections.length + 1
  const faults = (number: number): Faults =>
    number === next ? { downstream: [{ kind: 'reset_peer', afterBytes: 0 }] } : {}
  const flaps = [connect({ port: proxy.port, host: '127.0.0.1' }), undefined]
  proxy.faults = faults
  const first = new End(flaps[0] as Socket)
  await until(() => first.closed)
  t.equal(first.error, 'ECONNRESET')
  proxy.faults = faults
  const second = new End(connect({ port: proxy.port, host: '127.0.0.1' }))
  await until(() => proxy.open === 1)
  t.notOk(second.closed)
  second.socket.destroy()
  await until(() => proxy.open === 0)
})

t.test('TLS ends at the proxy, and a slice is a record of its own', async (t) => {
  const ca = await makeAuthority('proxy CA')
  proxy.faults = { tls: await issueServer(ca), downstream: [{ kind: 'slicer', bytes: 1 }] }
  const before = servers.length
  const secure = connectTls({ port: proxy.port, host: '127.0.0.1', servername: 'localhost', ca: ca.cert })
  const caller = new End(secure)
  await once(secure, 'secureConnect')
  const record = proxy.connections.at(-1)
  await until(() => servers.length > before)
  secure.write('question')
  await until(() => (servers.at(-1) as End).text === 'question')
  ;(servers.at(-1) as End).socket.write('answer')
  await until(() => caller.text === 'answer')
  t.same(
    caller.chunks.map(({ length }) => length),
    [1, 1, 1, 1, 1, 1],
    'a record at a time',
  )
  secure.destroy()
  await until(() => record?.open === false)
  t.equal(record?.closed, 'fin')
  const stranger = new End(connectTls({ port: proxy.port, host: '127.0.0.1', servername: 'localhost' }))
  await until(() => stranger.closed)
  t.equal(stranger.error, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE')
})

t.test('a black hole neither accepts nor refuses', async (t) => {
  const hole = await openBlackHole()
  t.teardown(() => hole.close())
  const lost = new End(connect({ port: hole.port, host: '127.0.0.1' }))
  await new Promise((resolve) => setTimeout(resolve, 300))
  t.ok(lost.socket.connecting)
  t.equal(lost.error, undefined)
  lost.socket.destroy()
})
