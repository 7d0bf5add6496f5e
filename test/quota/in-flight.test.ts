import assert from 'node:assert/strict'

import fc from 'fast-check'
import t from 'tap'

import { InFlight } from '../../src/quota/in-flight.ts'

t.test('a lease holds one slot of each key until it ends, once', async (t) => {
  const slots = new InFlight(10)
  slots.begin('a', ['x', 'y'])
  slots.begin('b', ['x', 'x'])
  t.same([slots.count('x'), slots.count('y'), slots.leases], [2, 1, 2])
  slots.end('a')
  slots.end('a')
  slots.end('never begun')
  t.same([slots.count('x'), slots.count('y'), slots.leases], [1, 0, 1])
})

t.test('an id in use and a full house are refused and change nothing', async (t) => {
  const slots = new InFlight(2)
  slots.begin('a', ['x'])
  t.throws(() => slots.begin('a', ['x']), /in use/)
  slots.begin('b', [])
  t.equal(slots.full, true)
  t.throws(() => slots.begin('c', ['x']), RangeError)
  t.same([slots.count('x'), slots.leases], [1, 2])
  slots.end('b')
  slots.begin('c', ['x'])
  t.equal(slots.count('x'), 2)
})

t.test('1, 2, 3: any history agrees with a model', async (t) => {
  const ids = fc.constantFrom('a', 'b', 'c', 'd', 'e')
  const keys = fc.uniqueArray(fc.constantFrom('x', 'y', 'z'), { maxLength: 3 })
  const property = fc.property(fc.array(fc.tuple(fc.boolean(), ids, keys), { maxLength: 40 }), (history) => {
    const slots = new InFlight(3)
    const model = new Map<string, readonly string[]>()
    for (const [begin, id, wanted] of history) {
      if (begin && model.size < 3 && !model.has(id)) {
        slots.begin(id, wanted)
        model.set(id, wanted)
      } else if (begin) {
        assert.throws(() => slots.begin(id, wanted))
      } else {
        slots.end(id)
        model.delete(id)
      }
      assert.equal(slots.leases, model.size)
      for (const key of ['x', 'y', 'z']) {
        assert.equal(slots.count(key), [...model.values()].filter((held) => held.includes(key)).length)
      }
    }
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 200 }))
})
