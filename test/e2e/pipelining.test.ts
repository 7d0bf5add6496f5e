// Many requests on one connection: each is answered once, in order, one after the other; what follows the end of a
// connection is never run; and no answer is ever put in the place of another.
import t from 'tap'
import type { Script } from '../../loadtest/model-server.ts'
import { goodCall, recordsOf, stillServes } from '../support/hostile.ts'
import { chatBody, openRaw, type RawReply, rawReplies, requestText } from '../support/raw-client.ts'
import { startStack, until } from '../support/stack.ts'

let script: Script | undefined
const stack = await startStack({
  model: { mode: 'echo', script: () => script },
  gateway: { traffic: { bounds: { requestsPerConnectionMax: 50 } } },
})
t.teardown(() => stack.stop())

const token = stack.token()
const say = (content: string, fields: Record<string, unknown> = {}): string =>
  requestText({ token, body: chatBody({ messages: [{ role: 'user', content }], ...fields }) })
const said = ({ body }: RawReply): string => JSON.parse(body).choices[0].message.content
const statuses = (replies: readonly RawReply[]): number[] => replies.map(({ status }) => status)
const nope = requestText({ token, method: 'GET', target: '/nope' })
const models = requestText({ token, method: 'GET', target: '/v1/models' })
const twoHosts = requestText({ token, body: chatBody(), headers: ['Host: localhost'] })

t.test('ten at once: ten answers, in order', async (t) => {
  const words = Array.from({ length: 10 }, (_, place) => `word-${place}`)
  const { replies } = await rawReplies(stack, words.map((word) => say(word)).join(''), { count: 10 })
  t.same(replies.map(said), words)
  t.equal(stack.model.stats.requests, 10)
})

t.test('a request waits until the answer before it has left', async (t) => {
  const { promise: gate, resolve: open } = Promise.withResolvers<void>()
  script = { content: ['held'], gate: () => gate }
  const caller = await openRaw(stack)
  const before = stack.model.stats.requests
  caller.send(say('held', { stream: true }) + say('waits'))
  await until(() => stack.model.stats.requests === before + 1)
  script = undefined
  for (const word of ['meanwhile', 'others', 'are', 'served']) {
    const { replies } = await rawReplies(stack, say(word), { count: 1 })
    t.equal(said(replies[0] as RawReply), word)
  }
  t.notOk(
    stack.model.requests.some(({ body }) => body.includes('waits')),
    'it has not begun',
  )
  open()
  const replies = await caller.answered(2)
  t.match(replies[0]?.body, 'held')
  t.equal(said(replies[1] as RawReply), 'waits')
  caller.destroy()
})

t.test('refusals, streams and lists in between keep the order', async (t) => {
  const bytes = [
    say('one'),
    nope,
    say('two', { stream: true }),
    models,
    requestText({ body: chatBody() }),
    say('three'),
  ]
  const { replies } = await rawReplies(stack, bytes.join(''), { count: 6 })
  t.same(statuses(replies), [200, 404, 200, 200, 401, 200])
  t.equal(said(replies[0] as RawReply), 'one')
  t.match(replies[2]?.body, /data: \[DONE\]\n\n$/)
  t.equal(said(replies[5] as RawReply), 'three')
})

t.test('what comes behind the end of a connection is never run', async (t) => {
  const bodyless = twoHosts.slice(0, twoHosts.indexOf('\r\n\r\n') + 4)
  const chunked = requestText({ headers: ['Content-Type: application/json', 'Transfer-Encoding: chunked'] })
  const ends: Record<string, string> = {
    'odd framing': twoHosts,
    'an unread body in chunks': `${chunked}5\r\nhello\r\n0\r\n\r\n`,
    'an unread body in the next packet': bodyless,
    'bytes that cannot be read': 'NOPE / HTTP/1.1\r\n\r\n',
  }
  for (const [name, first] of Object.entries(ends)) {
    const before = stack.model.stats.requests
    const { replies, isClosed, rest } = await rawReplies(stack, `${first}${say('hidden')}${models}`)
    t.equal(replies.length, 1, `${name}: one answer`)
    t.ok(isClosed && rest === '')
    const own = await recordsOf(stack, replies[0]?.headers['x-request-id'] as string)
    t.equal(stack.model.stats.requests, before)
    t.equal(own.length, 1, 'one record')
    t.equal(stack.audit().at(-1)?.['request_id'], own[0]?.['request_id'], 'and none behind it')
  }
})

t.test('a caller that says close gets its answer, and nothing more', async (t) => {
  const last = requestText({ token, body: chatBody(), headers: ['Connection: close'] })
  const before = stack.model.stats.requests
  const { replies, isClosed } = await rawReplies(stack, `${last}${say('hidden')}`)
  t.same(statuses(replies), [200])
  t.equal(replies[0]?.headers['connection'], 'close')
  t.ok(isClosed)
  t.equal(stack.model.stats.requests, before + 1)
})

t.test('garbage behind a request that is being answered is not answered in its place', async (t) => {
  for (const stream of [false, true]) {
    const { replies, rest } = await rawReplies(stack, `${say('one', { stream })}NOPE / HTTP/1.1\r\n\r\n`)
    t.same(replies, [], 'cut, not answered')
    t.notMatch(rest, 'malformed')
  }
})

t.test('garbage behind an answer is answered on its own', async (t) => {
  const caller = await openRaw(stack)
  await stillServes(t, caller, stack)
  const replies = await caller.send('NOPE / HTTP/1.1\r\n\r\n').cut()
  t.same(statuses(replies), [200, 400])
  t.match(JSON.parse(replies[1]?.body ?? ''), { error: { code: 'malformed_request' } })
})

t.test('many requests, one connection, and its bound', async (t) => {
  const caller = await openRaw(stack)
  for (let place = 1; place <= 50; place += 1) {
    const replies = await caller.send(models).answered(place)
    t.equal(replies.length, place)
  }
  t.same(new Set(statuses(caller.replies)), new Set([200]))
  t.not(caller.replies[48]?.headers['connection'], 'close')
  t.equal(caller.replies[49]?.headers['connection'], 'close')
  t.equal((await caller.cut()).length, 50)
})

t.test('the bound holds for requests sent at once, without an answer beside the last', async (t) => {
  const caller = await openRaw(stack)
  await caller.send(models.repeat(25)).answered(25)
  const replies = await caller.send(models.repeat(30)).cut()
  t.same(statuses(replies), Array(50).fill(200))
  t.equal(caller.rest, '')
})

t.test('a pile of requests on one connection is cut', async (t) => {
  const before = stack.model.stats.requests
  const caller = await openRaw(stack)
  const replies = await caller.send(say('pile').repeat(45)).cut()
  t.ok(replies.length < 45)
  t.ok(stack.model.stats.requests - before < 45)
  await until(async () => /^sallyport_requests_in_flight 0$/m.test(await stack.metrics()))
})

t.test('a request that comes in pieces', async (t) => {
  const caller = await openRaw(stack)
  caller.socket.setNoDelay(true)
  for (const piece of goodCall(stack).match(/[\s\S]{1,40}/g) ?? []) {
    caller.send(piece)
    await new Promise(setImmediate)
  }
  t.same(statuses(await caller.answered(1)), [200])
  await stillServes(t, caller, stack)
  caller.destroy()
})
