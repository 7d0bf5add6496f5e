import fc from 'fast-check'
import t from 'tap'
import { EstimateCorrection } from '../../src/quota/estimate-correction.ts'

const learned = (ratios: readonly number[], model = 'm') => {
  const correction = new EstimateCorrection()
  for (const ratio of ratios) correction.learn(model, 1_000, Math.round(ratio * 1_000))
  return correction
}
const times = (count: number, ratio: number) => Array.from({ length: count }, () => ratio)

t.test('nothing is believed before enough calls were seen, and no model learns for another', async (t) => {
  t.equal(learned(times(31, 0.6)).factor('m'), 1)
  t.ok(learned(times(32, 0.6)).factor('m') < 0.61)
  t.equal(learned(times(32, 0.6)).factor('n'), 1)
})

t.test('it errs upwards: few calls are above what was set aside', async (t) => {
  const ratio = fc.integer({ min: 600, max: 1_000 }).map((thousandths) => thousandths / 1_000)
  fc.assert(
    fc.property(fc.array(ratio, { minLength: 400, maxLength: 400 }), (ratios) => {
      const correction = learned(ratios.slice(0, 200))
      let above = 0
      for (const ratio of ratios.slice(200)) {
        if (Math.round(ratio * 1_000) > correction.corrected('m', 1_000)) above += 1
        correction.learn('m', 1_000, Math.round(ratio * 1_000))
      }
      return above <= 2
    }),
    { numRuns: 50 },
  )
  t.pass()
})

t.test('a vocabulary that changes is followed', async (t) => {
  const correction = learned(times(200, 0.6))
  for (let n = 0; n < 400; n += 1) correction.learn('m', 1_000, 1_200)
  t.ok(correction.factor('m') >= 1.19 && correction.factor('m') < 1.4)
})

t.test('whatever is reported, the factor stays within its bounds', async (t) => {
  const count = fc.oneof(fc.nat(), fc.constantFrom(0, 1, Number.MAX_SAFE_INTEGER))
  fc.assert(
    fc.property(fc.array(fc.tuple(count, count), { maxLength: 100 }), (pairs) => {
      const correction = new EstimateCorrection()
      for (const [estimate, reported] of pairs) correction.learn('m', estimate, reported)
      const factor = correction.factor('m')
      return factor >= 0.5 && factor <= 2
    }),
  )
  t.pass()
})

t.test('models beyond the bound are not kept', async (t) => {
  const correction = new EstimateCorrection()
  for (let model = 0; model < 1_025; model += 1)
    for (let n = 0; n < 40; n += 1) correction.learn(`m${model}`, 1_000, 600)
  t.ok(correction.factor('m1023') < 1)
  t.equal(correction.factor('m1024'), 1)
})
