import fc from 'fast-check'
import t from 'tap'
import { gapSeconds } from '../../src/telemetry/buckets.ts'
import { bucketOf, GapHistogram, SeriesHistogram } from '../../src/telemetry/histogram.ts'

const values = fc.array(
  fc.oneof(
    fc.double({ min: 0, max: 60 }),
    fc.constantFrom(...gapSeconds),
    fc.constantFrom(Number.NaN, -1, Number.POSITIVE_INFINITY),
  ),
  { maxLength: 80 },
)
const shown = (histogram: SeriesHistogram) =>
  histogram
    .get()
    .values.filter(({ metricName }) => !metricName.endsWith('_sum'))
    .map(({ labels, value }) => [labels['le'], value])

t.test('binary search finds the bucket that a linear search finds', (t) => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 100, noNaN: true }), (value) => {
      const linear = gapSeconds.findIndex((bound) => value <= bound)
      return bucketOf(gapSeconds, value) === (linear < 0 ? gapSeconds.length : linear)
    }),
    { numRuns: 300 },
  )
  for (const [index, bound] of gapSeconds.entries())
    t.equal(bucketOf(gapSeconds, bound), index, 'a bound is inside its bucket')
  t.end()
})

t.test('bucket counters add up to the count, broken values left out', (t) => {
  fc.assert(
    fc.property(values, (list) => {
      const gaps = new GapHistogram()
      for (const value of list) gaps.add(value * 1000)
      const sum = gaps.counts.reduce((total, count) => total + count, 0)
      t.equal(sum, gaps.count)
      t.equal(gaps.count, list.filter((value) => value >= 0 && value < Number.POSITIVE_INFINITY).length)
    }),
    { numRuns: 60 },
  )
  t.end()
})

t.test('merging a stream equals observing its values one by one', (t) => {
  fc.assert(
    fc.property(fc.array(values, { maxLength: 4 }), (streams) => {
      const merged = new SeriesHistogram('x_seconds', 'x', gapSeconds)
      const observed = new SeriesHistogram('x_seconds', 'x', gapSeconds)
      for (const list of streams) {
        const gaps = new GapHistogram()
        for (const value of list) {
          // The same rounding on both sides: seconds are made from milliseconds.
          gaps.add(value * 1000)
          observed.observe({ model: 'm' }, (value * 1000) / 1000)
        }
        merged.merge({ model: 'm' }, gaps)
      }
      t.same(shown(merged), shown(observed))
    }),
    { numRuns: 60 },
  )
  t.end()
})

t.test('a series a label set, cumulative buckets, +Inf last', (t) => {
  const histogram = new SeriesHistogram('x_seconds', 'x', [1, 2])
  for (const value of [0.5, 1, 1.5, 3]) histogram.observe({ model: 'a' }, value)
  histogram.observe({ model: 'b' }, 9)
  t.equal(histogram.seriesCount, 2)
  t.same(shown(histogram).slice(0, 4), [
    ['1', 2],
    ['2', 3],
    ['+Inf', 4],
    [undefined, 4],
  ])
  histogram.reset()
  t.equal(histogram.seriesCount, 0)
  t.end()
})

t.test('counters of other bounds are a bug and are not merged', (t) => {
  const histogram = new SeriesHistogram('x_seconds', 'x', [1, 2])
  t.throws(() => histogram.merge({}, new GapHistogram()), /other bucket bounds/)
  t.end()
})
