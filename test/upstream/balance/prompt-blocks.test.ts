import fc from 'fast-check'
import t from 'tap'
import { blocksMax, bytesMax, bytesOf, PromptBlocks } from '../../../src/upstream/balance/prompt-blocks.ts'

const key = Buffer.from('8 bytes!')
const blocks = new PromptBlocks(key)
const scope = ['acme', 'llama']
const common = (a: readonly number[], b: readonly number[]): number => {
  const end = a.findIndex((block, index) => block !== b[index])
  return end === -1 ? a.length : end
}

t.test('1. prompts share hashes as far as they share blocks, and no further', (t) => {
  const text = fc.string({ unit: 'binary', minLength: 0, maxLength: 1_500 })
  fc.assert(
    fc.property(text, text, text, (start, a, b) => {
      const sharedBytes = Buffer.byteLength(start)
      const [one, other] = [blocks.of(scope, [start, `a${a}`]), blocks.of(scope, [start, `b${b}`])]
      const shared = common(one, other)
      const whole = one.filter((_, index) => bytesOf(index + 1) <= sharedBytes).length
      return shared === Math.min(whole, one.length, other.length)
    }),
    { numRuns: 60 },
  )
  t.pass('checked by property')
  t.end()
})

t.test('1. scopes, and where one text ends and the next begins, are part of the hash', (t) => {
  const text = 'x'.repeat(2_000)
  const of = (names: readonly string[], ...texts: string[]): number =>
    common(blocks.of(scope, [text]), blocks.of(names, texts))
  t.equal(of(scope, text), 3)
  t.equal(of(['acme', 'mistral'], text), 0)
  t.equal(of(['acmel', 'lama'], text), 0)
  t.equal(of(['other', 'llama'], text), 0)
  t.equal(of(scope, text.slice(0, 100), text.slice(100)), 0)
  t.end()
})

t.test('1. one changed character changes every block from there on', (t) => {
  const text = 'abcdefgh'.repeat(2_000)
  fc.assert(
    fc.property(fc.nat(text.length - 1), (at) => {
      const changed = `${text.slice(0, at)}#${text.slice(at + 1)}`
      const [one, other] = [blocks.of(scope, [text]), blocks.of(scope, [changed])]
      return one.every((block, index) => (block === other[index]) === bytesOf(index + 1) <= at)
    }),
  )
  t.pass('checked by property')
  t.end()
})

t.test('2. what is read is bounded', (t) => {
  const long = '0123456789abcdef'.repeat(bytesMax / 8)
  t.equal(blocks.of(scope, [long]).length, blocksMax)
  t.same(blocks.of(scope, [long]), blocks.of(scope, [long.slice(0, bytesMax)]))
  t.same(blocks.of(scope, [long, long, 'z']), blocks.of(scope, [long]))
  t.equal(blocks.of(scope, Array(400_000).fill('')).length, blocksMax, 'many empty texts')
  t.equal(
    blocks.of(scope, [`x${'\u{1f600}'.repeat(bytesMax)}`]).length,
    blocksMax,
    'a character over the edge',
  )
  t.equal(blocks.of(Array(99).fill('n'.repeat(9_000)), ['x'.repeat(600)]).length, 1, 'a long scope')
  t.ok(blocksMax <= 64)
  t.end()
})

t.test('short prompts and none have no blocks', (t) => {
  t.same(blocks.of(scope, []), [])
  t.same(blocks.of(scope, ['x'.repeat(510)]), [])
  t.equal(blocks.of(scope, ['x'.repeat(512)]).length, 1)
  t.equal(bytesOf(0), 0)
  t.equal(bytesOf(1), 512)
  t.equal(bytesOf(blocksMax + 5), bytesOf(blocksMax))
  t.end()
})

t.test('3. another key, another hash; the same key, the same one', (t) => {
  const text = ['x'.repeat(5_000)]
  const own = blocks.of(scope, text)
  t.same(new PromptBlocks(key).of(scope, text), own)
  t.equal(common(new PromptBlocks(Buffer.from('8 others')).of(scope, text), own), 0)
  t.equal(common(new PromptBlocks().of(scope, text), new PromptBlocks().of(scope, text)), 0)
  t.throws(() => new PromptBlocks(Buffer.from('short')), RangeError)
  t.ok(own.every(Number.isSafeInteger))
  t.equal(new Set(own).size, own.length)
  t.end()
})

t.test('hashes are spread: no two of many prompts collide, in either half', (t) => {
  const all = Array.from(
    { length: 20_000 },
    (_, index) => blocks.of(scope, [String(index).padEnd(512)])[0] as number,
  )
  t.equal(new Set(all).size, all.length)
  const buckets = [0, 0, 0, 0, 0, 0, 0, 0]
  for (const hash of all) buckets[hash % 8] = (buckets[hash % 8] ?? 0) + 1
  t.ok(
    buckets.every((count) => count > 2_200 && count < 2_800),
    buckets.join(' '),
  )
  t.end()
})
