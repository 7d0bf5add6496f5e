import assert from 'node:assert/strict'

import fc from 'fast-check'
import t from 'tap'

import { Buckets } from '../../src/quota/buckets.ts'

t.test('full buckets make room, others do not', async (t) => {
  const buckets = new Buckets(2)
  buckets.set('a', 1_000_000, 0)
  buckets.set('b', 5_000_000, 0)
  t.equal(buckets.hasRoomFor(['a', 'b'], 0), true, 'keys that are kept need no room')
  t.equal(buckets.hasRoomFor(['c'], 999_999), false)
  t.equal(buckets.hasRoomFor(['c'], 2_000_000), true, 'a is full again')
  t.equal(buckets.hasRoomFor(['c', 'd'], 2_000_000), false)
  t.same([buckets.fullAt('a'), buckets.fullAt('b'), buckets.size], [0, 5_000_000, 1])
})

t.test('3: whole sweeps keep their distance', async (t) => {
  const buckets = new Buckets(1)
  buckets.set('a', 10_000, 0)
  t.equal(buckets.hasRoomFor(['b'], 0), false)
  t.equal(buckets.hasRoomFor(['b'], 99_999), false, 'no second sweep yet')
  t.equal(buckets.hasRoomFor(['b'], 100_000), true)
})

t.test('idle buckets go away while others are used', async (t) => {
  const buckets = new Buckets(1000)
  for (let n = 0; n < 100; n++) buckets.set(`idle ${n}`, 1000, 0)
  for (let n = 0; n < 100; n++) buckets.set('busy', 1e9 + n, 2000)
  t.equal(buckets.size, 1)
})

t.test('1, 2: any history: a bucket that is not full is never lost, the bound holds', async (t) => {
  const call = fc.record({
    key: fc.nat({ max: 8 }).map(String),
    waitUs: fc.nat({ max: 200_000 }),
    debtUs: fc.nat({ max: 900_000 }),
  })
  const property = fc.property(fc.array(call, { maxLength: 60 }), (history) => {
    const buckets = new Buckets(4)
    const model = new Map<string, number>()
    let nowUs = 0
    for (const { key, waitUs, debtUs } of history) {
      nowUs += waitUs
      if (buckets.hasRoomFor([key], nowUs)) {
        buckets.set(key, nowUs + debtUs, nowUs)
        model.set(key, nowUs + debtUs)
      }
      assert.ok(buckets.size <= 4)
      for (const [name, fullAtUs] of model) if (fullAtUs > nowUs) assert.equal(buckets.fullAt(name), fullAtUs)
    }
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 200 }))
})
