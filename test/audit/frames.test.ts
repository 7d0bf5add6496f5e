import assert from 'node:assert/strict'

import fc from 'fast-check'
import t from 'tap'

import { recordBytesMax } from '../../src/audit/chain.ts'
import { frames, isTorn } from '../../src/audit/frames.ts'
import { linesOf, sampleLog } from './sample.ts'

async function* chunksOf(bytes: Buffer, sizes: readonly number[]): AsyncGenerator<Buffer> {
  let at = 0
  for (const size of sizes) {
    yield bytes.subarray(at, at + size)
    at += size
  }
  yield bytes.subarray(at)
}

t.test('every way to cut the bytes into chunks gives the same frames', async (t) => {
  const lines = fc.array(
    fc.string({ maxLength: 12 }).map((text) => text.replaceAll('\n', ' ')),
    { maxLength: 6 },
  )
  const property = fc.asyncProperty(
    lines,
    fc.array(fc.nat({ max: 9 }), { maxLength: 12 }),
    async (parts, sizes) => {
      const found = await Array.fromAsync(frames(chunksOf(Buffer.from(parts.join('\n')), sizes)))
      const texts = found.map(({ bytes }) => bytes.toString())
      // A newline at the very end leaves nothing behind it to report.
      const expected = parts.at(-1) === '' ? parts.slice(0, -1) : parts
      assert.deepEqual(texts, expected)
      assert.deepEqual(
        found.map(({ ended }) => ended),
        expected.map((_, index) => index < parts.length - 1),
      )
    },
  )
  await t.resolves(fc.assert(property, { numRuns: 100 }))
})

t.test('a line without an end is given up at the bound', async (t) => {
  let chunks = 0
  async function* endless(): AsyncGenerator<Buffer> {
    for (;;) {
      chunks += 1
      yield Buffer.alloc(1024, 'x')
    }
  }
  const found = await Array.fromAsync(frames(endless()))
  t.match(found, [{ ended: false }])
  t.equal(chunks, recordBytesMax / 1024 + 1)
})

t.test('isTorn: every proper beginning of a line is, and so are zeros of an unfilled block', async (t) => {
  const line = linesOf(sampleLog(1))[0] as string
  const notTorn = Array.from(line, (_, length) => line.slice(0, length + 1)).filter(
    (text) => !isTorn(Buffer.from(text)),
  )
  t.same(notTorn, [])
  t.ok(isTorn(Buffer.alloc(512)))
  t.ok(isTorn(Buffer.concat([Buffer.from(line.slice(0, 50)), Buffer.alloc(30)])))
})

t.test('isTorn: a whole record with anything behind it is not, nor are foreign bytes', async (t) => {
  const line = Buffer.from(linesOf(sampleLog(1))[0] as string)
  const wrong = Array.from({ length: 256 }, (_, byte) => byte).filter((byte) =>
    isTorn(Buffer.concat([line, Buffer.from([byte])])),
  )
  t.same(wrong, [])
  t.notOk(isTorn(Buffer.from('garbage')))
  t.notOk(isTorn(Buffer.from('{"a":\r')))
  t.notOk(isTorn(Buffer.from(`{${'x'.repeat(recordBytesMax)}`)))
})
