// How many calls a server may have at a time: one property for each invariant, and what single signals do.
import { array, assert, boolean, constantFrom, double, integer, oneof, property, record } from 'fast-check'
import t from 'tap'
import {
  GradientLimit,
  type GradientLimitOptions,
  type LatencySample,
} from '../../../src/upstream/concurrency/gradient-limit.ts'
import { SteppingClock } from '../stepping-clock.ts'

const junk = constantFrom(Number.NaN, 0, -1, -1e30, 1e30, Number.POSITIVE_INFINITY, 3_600_001)
const latency = double({ min: 0.01, max: 60_000, noNaN: true })
const tokens = integer({ min: 0, max: 2_000_000 })
const calls = integer({ min: 1, max: 300 })
const hostile = oneof(junk, latency)
const hostileSample = record({
  ttftMs: hostile,
  tpotMs: hostile,
  replyMs: hostile,
  outputTokens: oneof(junk, tokens),
  inputTokens: oneof(junk, tokens),
  inFlight: oneof(junk, calls),
})
const realSample = record({ ttftMs: latency, tpotMs: latency, inputTokens: tokens, inFlight: calls })
const history = { maxLength: 400, size: 'max' } as const

const limitOf = (fields: Partial<GradientLimitOptions> = {}) => {
  const clock = new SteppingClock()
  return { clock, limit: new GradientLimit({ clock, limitMax: 64, ...fields }) }
}

/** The limit after each sample. */
function limits(samples: readonly LatencySample[]): number[] {
  const { limit } = limitOf()
  return samples.map((sample) => {
    limit.sample(sample)
    return limit.limit
  })
}

t.test('1: a whole number within its bounds, whatever is fed', (t) => {
  const bounds = record({
    limitMax: integer({ min: 1, max: 300 }),
    limitMin: integer({ min: 1, max: 300 }),
    limitInitial: integer({ min: 0, max: 1000 }),
  })
  assert(
    property(bounds, array(oneof(hostileSample, constantFrom('full' as const)), history), (fields, steps) => {
      const { clock, limit } = limitOf(fields)
      const least = Math.min(fields.limitMin, fields.limitMax)
      return steps.every((step) => {
        if (step === 'full') limit.overloaded()
        else limit.sample(step)
        void clock.advance(700)
        return Number.isInteger(limit.limit) && limit.limit >= least && limit.limit <= fields.limitMax
      })
    }),
  )
  t.pass()
  t.end()
})

t.test('below the floors a server is not slower, whatever the jitter', (t) => {
  const jitter = record({
    ttftMs: double({ min: 0.1, max: 25, noNaN: true }),
    tpotMs: double({ min: 0.01, max: 5, noNaN: true }),
    inputTokens: tokens,
    inFlight: integer({ min: 30, max: 64 }),
  })
  assert(
    property(array(jitter, history), (samples) => {
      const { limit } = limitOf({ limitInitial: 32, ttftFloorMs: 25, perTokenFloorMs: 5 })
      for (const sample of samples) limit.sample(sample)
      return limit.limit >= 32
    }),
  )
  const { limit } = limitOf({ limitInitial: 32, ttftFloorMs: 25, perTokenFloorMs: 5 })
  for (let n = 0; n < 100; n += 1) limit.sample({ ttftMs: 3, inputTokens: 100, inFlight: 2 })
  for (let n = 0; n < 400; n += 1) limit.sample({ ttftMs: 200, inputTokens: 100, inFlight: 32 })
  t.ok(limit.limit < 32, 'above them it is')
  t.end()
})

t.test('2: no growth while less than half of it is in flight', (t) => {
  assert(
    property(array(realSample, history), (samples) => {
      const { limit } = limitOf({ limitInitial: 40 })
      return samples.every((sample) => {
        const before = limit.limit
        limit.sample({ ...sample, inFlight: Math.min(sample.inFlight, Math.ceil(before / 2) - 1) })
        return limit.limit <= before
      })
    }),
  )
  const { limit } = limitOf()
  for (let n = 0; n < 64; n++) limit.sample({ ttftMs: 100, inputTokens: 10, inFlight: 16 })
  t.ok(limit.limit > 16, 'and growth with it')
  t.end()
})

t.test('3: one change in limit / 2 calls, of a bounded size', (t) => {
  assert(
    property(array(realSample, history), (samples) => {
      let [before, since] = [16, 0]
      return limits(samples).every((now) => {
        since += 1
        // Rounding hides changes of less than one.
        const isStep = now >= Math.floor(before * 0.9) && now <= Math.ceil(before * 1.25) + 1
        const isInTime = now === before || since >= Math.max(8, Math.floor(before / 2))
        if (now !== before) since = 0
        before = now
        return isStep && isInTime
      })
    }),
  )
  t.pass()
  t.end()
})

t.test('4: one overload takes a quarter, those of the same burst nothing', async (t) => {
  const { clock, limit } = limitOf({ limitInitial: 64 })
  for (let n = 0; n < 50; n++) limit.overloaded()
  t.equal(limit.limit, 48)
  await clock.advance(999)
  limit.overloaded()
  t.equal(limit.limit, 48)
  await clock.advance(1)
  limit.overloaded()
  t.equal(limit.limit, 36)
  limit.sample({ ttftMs: 4_000, inputTokens: 10, inFlight: 30 })
  await clock.advance(1_000)
  limit.overloaded()
  t.equal(limit.limit, 27)
  await clock.advance(3_999)
  limit.overloaded()
  t.equal(limit.limit, 27, 'calls that were sent before it take four seconds')
  await clock.advance(1)
  limit.overloaded()
  t.equal(limit.limit, 20)
})

t.test('4: a server that claims hours cannot silence its overloads for hours', async (t) => {
  const { clock, limit } = limitOf({ limitInitial: 64 })
  limit.sample({ ttftMs: 3_600_000, inputTokens: 10, inFlight: 30 })
  limit.overloaded()
  await clock.advance(10_000)
  limit.overloaded()
  t.equal(limit.limit, 36)
})

t.test('5: what is not a latency changes nothing', (t) => {
  const noise = record({ ttftMs: junk, tpotMs: junk, inputTokens: tokens, inFlight: calls })
  const step = record({ sample: realSample, noise, isNoisy: boolean() })
  assert(
    property(array(step, history), (steps) => {
      const { limit } = limitOf()
      const noisy = steps.map((each) => {
        if (each.isNoisy) limit.sample(each.noise)
        limit.sample(each.sample)
        return limit.limit
      })
      const clean = limits(steps.map(({ sample }) => sample))
      return noisy.every((value, index) => value === clean[index])
    }),
  )
  t.pass()
  t.end()
})

t.test('6: nothing depends on the unit of time', (t) => {
  assert(
    property(array(realSample, history), (samples) => {
      const scaled = samples.map((sample) => ({
        ...sample,
        ttftMs: sample.ttftMs / 4,
        tpotMs: sample.tpotMs / 4,
      }))
      const [whole, quarter] = [limits(samples), limits(scaled)]
      return whole.every((value, index) => value === quarter[index])
    }),
  )
  t.pass()
  t.end()
})

t.test('6: long prompts that take their usual time do not look slow', (t) => {
  // One size of each class, so that each has one usual time.
  const sizes = integer({ min: 0, max: 20 }).map((power) => 2 ** power)
  assert(
    property(array(sizes, history), (prompts) => {
      const all = limits(
        prompts.map((size) => ({ ttftMs: 50 + size / 10, tpotMs: 20, inputTokens: size, inFlight: 16 })),
      )
      return all.every((value, index) => value >= (all[index - 1] ?? 16))
    }),
  )
  t.pass()
  t.end()
})

const fed = (sample: Omit<LatencySample, 'inFlight' | 'inputTokens'>, limit: GradientLimit): number => {
  for (let n = 0; n < 200; n++) limit.sample({ inputTokens: 100, inFlight: limit.limit, ...sample })
  return limit.limit
}

t.test('each signal alone brings the limit down, and a long reply alone does not', (t) => {
  const cases: [Partial<LatencySample>, Partial<LatencySample>][] = [
    [{ ttftMs: 100 }, { ttftMs: 400 }],
    [
      { ttftMs: 100, tpotMs: 20 },
      { ttftMs: 100, tpotMs: 80 },
    ],
    [
      { replyMs: 1_000, outputTokens: 50 },
      { replyMs: 4_000, outputTokens: 50 },
    ],
  ]
  for (const [usual, slow] of cases) {
    const { limit } = limitOf()
    const before = fed(usual, limit)
    t.ok(fed(slow, limit) < before, JSON.stringify(slow))
  }
  const { limit } = limitOf()
  const before = fed({ replyMs: 1_000, outputTokens: 50 }, limit)
  t.ok(fed({ replyMs: 8_000, outputTokens: 400 }, limit) >= before)
  t.end()
})

t.test('a single call that takes an hour brings nothing down', (t) => {
  const { limit } = limitOf()
  const before = fed({ ttftMs: 100 }, limit)
  limit.sample({ ttftMs: 3_600_000, inputTokens: 100, inFlight: limit.limit })
  t.ok(fed({ ttftMs: 100 }, limit) >= before)
  t.end()
})
