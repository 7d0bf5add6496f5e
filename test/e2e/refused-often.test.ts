// A certificate without a good token: it cannot fill the audit log, nor keep others from their connections.
import { connect, type TLSSocket } from 'node:tls'
import t from 'tap'
import { recordsOf } from '../support/flow.ts'
import { type Stack, startStack, until } from '../support/stack.ts'

const noToken = 'GET /v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n'

/** A connection of the stack's client that counts the answers on it. */
function open({ port, serverCa, client }: Stack) {
  const socket: TLSSocket = connect({
    host: '127.0.0.1',
    port,
    servername: 'localhost',
    ca: serverCa.cert,
    cert: client.cert,
    key: client.key,
  })
  let text = ''
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1')
  })
  socket.on('error', () => {})
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  const statuses = (): number[] =>
    [...text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => Number(status))
  return { socket, closed, statuses, text: () => text }
}

const chat = { model: 'demo', messages: [{ role: 'user', content: 'hi' }], max_tokens: 16 }

t.test('who keeps being refused has one record for all of it, and locks nobody out', async (t) => {
  const stack = await startStack({ model: { script: () => ({ content: ['ok'] }) } })
  let stopped = false
  t.teardown(() => (stopped ? undefined : stack.stop()))
  const statuses: number[] = []
  let closings = 0
  // 25 at a time, so that no connection has too many that wait.
  while (statuses.length < 650) {
    const caller = open(stack)
    let done = false
    void caller.closed.then(() => {
      done = true
    })
    caller.socket.write(noToken.repeat(25))
    await until(() => done || caller.statuses().length === 25)
    if (done) closings += 1
    statuses.push(...caller.statuses())
    caller.socket.destroy()
    if (closings > 20) break
  }
  t.same([...new Set(statuses)], [401], 'everybody is told the same')
  t.ok(closings > 0, 'above the bound each is the last on its connection')
  t.equal(
    (await stack.post('/v1/chat/completions', chat)).status,
    200,
    'a good token on the same certificate',
  )
  const recorded = recordsOf(stack, 'exchange.ended').filter(({ status }) => status === 401).length
  await stack.gateway.close()
  const sums = recordsOf(stack, 'caller.refused_often')
  t.equal(sums.length, 1)
  t.ok(recorded >= 600 && recorded < statuses.length)
  t.ok(recorded + Number(sums[0]?.['count']) >= statuses.length)
  await stack.stop()
  stopped = true
})

t.test('one certificate without a token does not keep the connections', async (t) => {
  const stack = await startStack({
    model: { script: () => ({ content: ['ok'] }) },
    gateway: { traffic: { bounds: { connectionsMax: 20 } } },
  })
  t.teardown(() => stack.stop())
  const callers = Array.from({ length: 20 }, () => open(stack))
  for (const { socket } of callers) socket.write(noToken)
  await until(() => callers.filter(({ socket }) => !socket.destroyed).length <= 2)
  t.equal((await stack.post('/v1/chat/completions', chat)).status, 200)
  for (const { socket } of callers) socket.destroy()
})
