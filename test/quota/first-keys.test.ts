import fc from 'fast-check'
import t from 'tap'
import { FirstKeys } from '../../src/quota/first-keys.ts'

t.test('the first of all keys, in order, each once', async (t) => {
  const keys = fc.array(fc.string({ maxLength: 2, unit: fc.constantFrom('a', 'b', 'c', 'é', '|') }))
  fc.assert(
    fc.property(keys, fc.integer({ min: 1, max: 8 }), (keys, countMax) => {
      const first = new FirstKeys(countMax)
      for (const key of keys) first.add(key)
      const expected = [...new Set(keys)].sort().slice(0, countMax)
      return first.keys.join() === expected.join()
    }),
    { numRuns: 1_000 },
  )
  t.pass()
})
