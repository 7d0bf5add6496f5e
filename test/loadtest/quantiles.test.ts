// The figures of all load tests: quantiles of many values, medians of few.
import fc from 'fast-check'
import t from 'tap'
import { median, quantile, quantiles } from '../../loadtest/driver/quantiles.ts'

const values = fc.array(fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e9, max: 1e9 }), {
  minLength: 1,
})
const shareOf = (all: readonly number[], holds: (value: number) => boolean): number =>
  all.filter(holds).length / all.length

t.test('a median of an odd count is the one in the middle, of an even count the mean of two', (t) => {
  t.equal(median([3, 1, 2]), 2)
  t.equal(median([4, 1, 2, 3]), 2.5)
  t.equal(median([10, 2]), 6, 'by value, not by text')
  t.equal(median([7]), 7)
  fc.assert(
    fc.property(values, (all) => {
      const middle = median(all)
      return shareOf(all, (value) => value < middle) <= 0.5 && shareOf(all, (value) => value > middle) <= 0.5
    }),
  )
  t.end()
})

t.test('a quantile is one of the values, and the smallest that its share of all are at most', (t) => {
  t.equal(quantile([40, 10, 30, 20], 0.5), 20, 'the lower one of the two in the middle')
  t.equal(quantile([10, 20, 30], 0.5), 20)
  t.equal(quantile([10, 20, 30, 40], 0.99), 40)
  t.equal(quantile([10, 20, 30, 40], 0), 10)
  fc.assert(
    fc.property(values, fc.constantFrom(0.01, 0.25, 0.5, 0.95, 0.99, 1), (all, share) => {
      const found = quantile(all, share)
      return (
        all.includes(found) &&
        shareOf(all, (value) => value <= found) >= share - 1e-12 &&
        shareOf(all, (value) => value < found) < share
      )
    }),
  )
  t.end()
})

t.test('all of them at once are the same', (t) => {
  const hundred = Array.from({ length: 100 }, (_, n) => 100 - n)
  t.same(quantiles(hundred), { count: 100, p50: 50, p99: 99, max: 100 })
  t.same(quantiles([5]), { count: 1, p50: 5, p99: 5, max: 5 })
  t.equal(hundred[0], 100, 'what is given stays as it is')
  fc.assert(
    fc.property(values, (all) => {
      const { p50, p99, max } = quantiles(all)
      return p50 === quantile(all, 0.5) && p99 === quantile(all, 0.99) && max === quantile(all, 1)
    }),
  )
  t.end()
})

t.test('of nothing, and of what could not be measured, there is no figure', (t) => {
  const none = { p50: Number.NaN, p99: Number.NaN, max: Number.NaN }
  t.same(quantiles([]), { count: 0, ...none })
  t.same(quantiles([1, Number.NaN, 2]), { count: 3, ...none })
  for (const all of [[], [Number.NaN], [Number.NaN, 1, 2], [1, 2, Number.NaN, 3]]) {
    t.ok(Number.isNaN(median(all)), `median of [${all}]`)
    t.ok(Number.isNaN(quantile(all, 0.5)), `quantile of [${all}]`)
  }
  t.equal(quantile([1, Number.POSITIVE_INFINITY], 0.99), Number.POSITIVE_INFINITY, 'too late is a value')
  t.end()
})
