import { PassThrough, Readable } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import { array, assert, asyncProperty, nat, uint8Array } from 'fast-check'
import t from 'tap'
import { StreamChunks } from '../src/stream-chunks.ts'

const collect = async (chunks: AsyncIterable<Uint8Array>): Promise<Buffer> => {
  const parts: Uint8Array[] = []
  for await (const chunk of chunks) parts.push(chunk)
  return Buffer.concat(parts)
}

t.test('every byte comes once and in order, however the stream is fed', async (t) => {
  await assert(
    asyncProperty(array(uint8Array({ maxLength: 40 }), { maxLength: 12 }), nat(3), async (parts, pauses) => {
      const stream = new PassThrough({ highWaterMark: 16 })
      const got = collect(new StreamChunks(stream))
      for (const part of parts) {
        stream.write(part)
        for (let i = 0; i < pauses; i += 1) await turn()
      }
      stream.end()
      return Buffer.concat(parts).equals(await got)
    }),
    { numRuns: 200 },
  )
  t.pass('200 streams')
})

t.test('nothing is read before somebody asks, and no more than was asked for', async (t) => {
  let reads = 0
  const stream = new Readable({
    highWaterMark: 1,
    read() {
      reads += 1
      this.push(Buffer.from([reads]))
    },
  })
  const chunks = new StreamChunks(stream)
  await turn()
  t.equal(reads, 0)
  const iterator = chunks[Symbol.asyncIterator]()
  t.same((await iterator.next()).value, Buffer.from([1]))
  await turn()
  const after = reads
  await turn()
  await turn()
  t.equal(reads, after, 'it waits for the next question')
  t.ok(reads <= 3, `${reads} reads for one chunk`)
  stream.destroy()
})

t.test('leaving early leaves the stream to its owner', async (t) => {
  const stream = new PassThrough()
  stream.write('one')
  for await (const chunk of new StreamChunks(stream)) {
    t.equal(chunk.toString(), 'one')
    break
  }
  t.equal(stream.destroyed, false)
  t.equal(stream.listenerCount('readable'), 0)
  const rest: string[] = []
  stream.on('data', (chunk: Buffer) => rest.push(chunk.toString()))
  stream.end('two')
  await turn()
  await turn()
  t.same(rest, ['two'])
})

t.test('a stream that breaks or closes early rejects under our name', async (t) => {
  const named = (error: unknown): unknown => new Error(`ours: ${(error as Error).message}`)
  const broken = new PassThrough()
  const first = collect(new StreamChunks(broken, named))
  broken.destroy(new Error('reset'))
  await t.rejects(first, { message: 'ours: reset' })
  const closed = new PassThrough()
  const second = collect(new StreamChunks(closed, named))
  await turn()
  closed.destroy()
  await t.rejects(second, { message: 'ours: closed before its end' })
  const destroyed = new PassThrough()
  destroyed.destroy()
  await t.rejects(collect(new StreamChunks(destroyed)), { message: 'closed before its end' })
})

t.test('a stream that has ended is over', async (t) => {
  const stream = Readable.from([], { objectMode: false })
  stream.resume()
  await turn()
  await turn()
  t.equal((await collect(new StreamChunks(stream))).length, 0)
})

t.test('a failure that is told ends the read under way, and every later one', async (t) => {
  const stream = new PassThrough()
  const chunks = new StreamChunks(stream)
  const iterator = chunks[Symbol.asyncIterator]()
  const waiting = iterator.next()
  chunks.fail(new Error('unreadable'))
  await t.rejects(waiting, { message: 'unreadable' })
  stream.write('late')
  await t.rejects(iterator.next(), { message: 'unreadable' })
  stream.destroy()
})
