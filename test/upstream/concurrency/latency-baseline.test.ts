import { array, assert, constantFrom, double, integer, oneof, property, record } from 'fast-check'
import t from 'tap'
import {
  LatencyBaseline,
  learnRate,
  sizeClasses,
} from '../../../src/upstream/concurrency/latency-baseline.ts'
import { isLatency, LatencySignal, ratiosMax } from '../../../src/upstream/concurrency/latency-signal.ts'

const step = record({
  what: constantFrom('learn', 'learn', 'meet', 'scale'),
  tokens: oneof(
    integer({ min: -5, max: 4_000_000 }),
    constantFrom(Number.NaN, Number.POSITIVE_INFINITY, -1e30),
  ),
  ms: double({ min: Number.MIN_VALUE, max: 3_600_000, noNaN: true }),
  factor: double({ min: 0.01, max: 100, noNaN: true }),
})
type Step = { what: string; tokens: number; ms: number; factor: number }

function play(baseline: LatencyBaseline, { what, tokens, ms, factor }: Step): void {
  if (what === 'learn') baseline.learn(tokens, ms)
  if (what === 'meet') baseline.meet(tokens, ms, factor)
  if (what === 'scale') baseline.scale(factor)
}

t.test('1: usual values are positive and finite, and there are few', (t) => {
  assert(
    property(array(step, { maxLength: 300, size: 'max' }), (steps) => {
      const baseline = new LatencyBaseline()
      return steps.every((each) => {
        play(baseline, each)
        const usual = 1 / baseline.ratio(each.tokens, 1)
        return usual > 0 && Number.isFinite(usual) && baseline.sizes <= sizeClasses
      })
    }),
  )
  t.pass()
  t.end()
})

t.test('2: one call moves what is known by little', (t) => {
  const wild = double({ min: 1e-3, max: 3_600_000, noNaN: true })
  assert(
    property(array(wild, { minLength: 20, maxLength: 60 }), (times) => {
      const baseline = new LatencyBaseline()
      return times.every((ms, index) => {
        const before = baseline.ratio(10, 1)
        baseline.learn(10, ms)
        const moved = Math.abs(Math.log2(baseline.ratio(10, 1) / before))
        return index < 8 || moved <= learnRate + 1e-9
      })
    }),
  )
  t.pass()
  t.end()
})

t.test('3: twice the latencies, the same ratios', (t) => {
  assert(
    property(array(step, { maxLength: 200 }), (steps) => {
      const [one, two] = [new LatencyBaseline(), new LatencyBaseline()]
      return steps.every((each) => {
        // Away from the ends of what is kept.
        const ms = 1 + (each.ms % 1_000)
        play(one, { ...each, what: each.what === 'scale' ? 'learn' : each.what, ms })
        play(two, { ...each, what: each.what === 'scale' ? 'learn' : each.what, ms: ms * 2 })
        return one.ratio(each.tokens, 8) === two.ratio(each.tokens, 16)
      })
    }),
  )
  t.pass()
  t.end()
})

t.test('a new size that is met in a flood is not taken for usual', (t) => {
  const baseline = new LatencyBaseline()
  baseline.meet(4_000, 900, 3)
  t.equal(baseline.ratio(4_000, 300), 1)
  baseline.learn(10, 50)
  t.equal(baseline.ratio(10, 100), 2)
  t.equal(baseline.ratio(4_000, 600), 2, 'each size has its own')
  baseline.scale(2)
  t.equal(baseline.ratio(4_000, 600), 1)
  t.equal(baseline.ratio(77, 1e9), 1, 'of which nothing is known')
  t.end()
})

t.test('a signal keeps latencies alone, and not without end', (t) => {
  const signal = new LatencySignal()
  const values = [1, 3_600_000, 0, -1, Number.NaN, 3_600_001, Number.POSITIVE_INFINITY, undefined]
  t.same(
    values.map((ms) => isLatency(ms)),
    [true, true, false, false, false, false, false, false],
  )
  t.equal(signal.median(1), undefined)
  for (const ms of [100, 100, 300, 500, 100]) signal.busy(10, ms)
  t.equal(signal.length, 5)
  t.ok((signal.median(5) ?? 0) < 1.5, 'the middle one')
  for (let n = 0; n < 5_000; n++) signal.calm(10, 100)
  t.equal(signal.length, ratiosMax)
  signal.clear()
  t.equal(signal.length, 0)
  t.end()
})
