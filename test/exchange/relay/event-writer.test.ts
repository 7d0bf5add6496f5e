import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { EventWriter } from '../../../src/exchange/relay/event-writer.ts'
import { Refusal } from '../../../src/refusal.ts'
import { FakeClient, trailOf } from '../fake-parts.ts'

function writerOf(keepAliveCommentMs = 100_000) {
  const client = new FakeClient()
  const { trail, told } = trailOf()
  const cut = new AbortController()
  const head = () => ({ status: 200, headers: { a: 'b' } })
  const options = { head, trail, keepAliveCommentMs, comment: ': ka\n\n', signal: cut.signal }
  return { client, trail, told, cut, writer: new EventWriter(client, options) }
}

t.test('the head goes with the first bytes, once; the first byte is noted', async (t) => {
  const { client, trail, told, writer } = writerOf()
  t.equal(client.begun, false)
  await writer.write('a')
  await writer.write('b')
  await writer.end('c')
  t.same([client.text, client.ended, client.head?.status], ['abc', true, 200])
  t.same(told, ['stream'])
  t.equal(trail.status, 200)
  t.type(trail.firstByteMs, 'number')
  writer[Symbol.dispose]()
})

t.test('a stream that is only an end has a head as well', async (t) => {
  const { client, writer } = writerOf()
  await writer.end('data: [DONE]\n\n')
  t.ok(client.begun && client.ended)
  writer[Symbol.dispose]()
})

t.test('a write waits for its reader, or for the end of the exchange', async (t) => {
  const { client, cut, writer } = writerOf()
  const read = Promise.withResolvers<void>()
  client.pressure = read.promise
  let written = false
  const first = writer.write('a').then(() => {
    written = true
  })
  await delay(5)
  t.equal(written, false)
  read.resolve()
  await first
  client.pressure = new Promise(() => {})
  const second = writer.write('b')
  const reason = new Refusal('draining', 'test')
  cut.abort(reason)
  await t.rejects(second, reason)
  await t.rejects(writer.write('c'), reason)
  writer[Symbol.dispose]()
})

t.test('a comment after silence, none while somebody waits, none after the end', async (t) => {
  const { client, trail, told, writer } = writerOf(20)
  while (!client.text.includes(': ka\n\n: ka\n\n')) await delay(5)
  t.same(told, ['stream'], 'it begins the stream')
  t.equal(trail.firstByteMs, undefined, 'but is no event of the reply')
  client.text = ''
  client.pressure = new Promise(() => {})
  void writer.write('a')
  await delay(80)
  t.equal(client.text, 'a', 'a reader who is behind needs no comment')
  writer[Symbol.dispose]()
  client.text = ''
  await delay(50)
  t.equal(client.text, '')
})

t.test('a comment to a caller who has left, or in an exchange that was cut, harms nobody', async (t) => {
  const gone = writerOf(10)
  gone.client.leave()
  const cut = writerOf(10)
  cut.cut.abort(new Refusal('draining', 'test'))
  await delay(50)
  t.equal(gone.client.text, '')
  t.equal(cut.client.begun, false)
  gone.writer[Symbol.dispose]()
  cut.writer[Symbol.dispose]()
})
