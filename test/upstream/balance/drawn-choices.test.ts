import fc from 'fast-check'
import t from 'tap'
import { seededRandom } from '../../../scripts/balance/seeded-random.ts'
import {
  best,
  bestOfDrawn,
  type Choice,
  considered,
  drawnMax,
} from '../../../src/upstream/balance/drawn-choices.ts'

const choiceOf = (fields: Partial<Choice> = {}): Choice => ({
  ...{ score: 0, share: 1, inFlight: 0, isFull: false, isTried: false },
  ...fields,
})
const random = seededRandom(1)
const arbitrary = fc.record({
  score: fc.nat(5),
  share: fc.constantFrom(0, 0.1, 1),
  inFlight: fc.nat(3),
  isFull: fc.boolean(),
  isTried: fc.boolean(),
})

t.test('never a full or tried server while there is another', (t) => {
  fc.assert(
    fc.property(fc.array(arbitrary, { minLength: 1, maxLength: 40 }), (choices) => {
      const chosen = bestOfDrawn(considered(choices, random), random)
      if (chosen === undefined) return false
      if (choices.some(({ isFull, isTried }) => !isFull && !isTried)) return !chosen.isFull && !chosen.isTried
      return !(chosen.isTried && choices.some(({ isTried }) => !isTried))
    }),
  )
  t.equal(bestOfDrawn([], random), undefined)
  t.end()
})

t.test('the least score; of equals the fewest calls; of equals each', (t) => {
  t.equal(
    best(
      [2, 1, 3].map((score) => choiceOf({ score })),
      random,
    )?.score,
    1,
  )
  t.equal(
    best(
      [2, 1, 3].map((inFlight) => choiceOf({ inFlight })),
      random,
    )?.inFlight,
    1,
  )
  const equals = [choiceOf(), choiceOf({ score: 1 }), choiceOf(), choiceOf()]
  const counts = new Map<Choice | undefined, number>()
  for (let i = 0; i < 3_000; i++) {
    const chosen = best(equals, random)
    counts.set(chosen, (counts.get(chosen) ?? 0) + 1)
  }
  t.equal(counts.size, 3)
  t.ok(
    [...counts.values()].every((count) => count > 850 && count < 1_150),
    [...counts.values()].join(' '),
  )
  t.end()
})

t.test('a server that warms up gets its share', (t) => {
  const [cold, warm] = [choiceOf({ share: 0.25 }), choiceOf({ score: 1 })]
  let count = 0
  for (let i = 0; i < 4_000; i++) if (best(considered([cold, warm], random), random) === cold) count++
  t.ok(count > 900 && count < 1_100, String(count))
  t.same(considered([choiceOf({ share: 0 })], random).length, 1, 'when it is all there is')
  t.end()
})

t.test('of a large pool a few are drawn, each as likely as another', (t) => {
  const pool = Array.from({ length: drawnMax * 4 }, (_, score) => choiceOf({ score }))
  let first = 0
  for (let i = 0; i < 4_000; i++) if (bestOfDrawn(pool, random)?.score === 0) first++
  t.ok(first > 900 && first < 1_100, String(first))
  const small = pool.slice(0, drawnMax)
  t.ok(Array.from({ length: 100 }, () => bestOfDrawn(small, random)?.score).every((score) => score === 0))
  t.end()
})
