// From rounds to verdicts.
import t from 'tap'
import {
  type Figure,
  faultsOf,
  figuresOf,
  isMissed,
  type Round,
} from '../../loadtest/bench/latency/figures.ts'
import { kneeOf } from '../../loadtest/bench/latency/knee.ts'
import type { Measured } from '../../loadtest/bench/latency/measure.ts'
import { parseLatencyOptions } from '../../loadtest/bench/latency/options.ts'
import { resultOf, textOf } from '../../loadtest/bench/latency/report.ts'

const flat = (value: number) => ({ count: 9, p50: value, p99: value * 2, max: value * 3 })
const measured = (times: Record<string, number>, fields: Partial<Measured> = {}): Measured => ({
  ...{ calls: 9, faults: 0, firstFault: undefined, dropped: 0, lateP99: 0.5 },
  times: Object.fromEntries(Object.entries(times).map(([name, value]) => [name, flat(value)])),
  ...fields,
})
const ways = (
  times: (value: number) => Record<string, number>,
  [direct, bare, sallyport]: readonly number[],
) => ({
  direct: measured(times(direct as number)),
  bare: measured(times(bare as number)),
  sallyport: measured(times(sallyport as number)),
})
const round = (...values: readonly number[]): Round => ({
  whole: ways((outside) => ({ outside }), values),
  streams: ways((value) => ({ firstToken: value, gap: value, delay: value }), values),
  prompts: ways((value) => ({ outside: value, longestTurn: value }), values),
})
const named = (rounds: readonly Round[], measure: string): Figure => {
  const figure = figuresOf(rounds).find((each) => each.measure === measure)
  if (figure === undefined) throw new Error(`no figure ${measure}`)
  return figure
}

t.test('what is added is taken within each round, and the median of the rounds counts', (t) => {
  // The second round was a slow one for all, the third for Sallyport alone.
  const rounds = [round(1, 1.25, 1.5), round(5, 5.25, 5.5), round(1, 1.25, 9)]
  const figure = named(rounds, '1 KB request, p50')
  t.match(figure, { raw: { direct: 1, bare: 1.25, sallyport: 5.5 }, added: { bare: 0.25, sallyport: 0.5 } })
  t.match(figure, { barMs: 0.5, judged: 0.5 })
  t.notOk(isMissed(figure), 'as much as the bar is met')
  t.end()
})

t.test('a bar is missed above it, and by what could not be measured', (t) => {
  t.ok(isMissed(named([round(1, 1, 1.51)], '1 KB request, p50')))
  t.ok(isMissed(named([round(1, 1, 1.26)], 'inter-token gap, p99')), 'p99 is twice as much: 0.52')
  t.notOk(isMissed(named([round(1, 1, 1.25)], 'inter-token gap, p99')))
  const nothing: Round = { ...round(1, 1, 1), prompts: ways(() => ({}), [1, 1, 1]) }
  t.ok(isMissed(named([nothing], '500 KB prompt, p50')))
  t.notOk(isMissed(named([round(1, 1, 99)], 'time to first token, p50')), 'has no bar')
  t.end()
})

t.test('the longest turn is judged as it is, at its worst: nothing is taken away', (t) => {
  t.match(named([round(2, 1, 3)], '500 KB prompt, longest turn of the loop, worst'), { judged: 9 })
  t.ok(isMissed(named([round(9, 9, 4)], '500 KB prompt, longest turn of the loop, worst')))
  t.end()
})

t.test('calls that were not answered, or never began, are told', (t) => {
  const faulty = {
    ...round(1, 1, 1),
    whole: {
      ...round(1, 1, 1).whole,
      bare: measured({}, { faults: 2, firstFault: 'status 503', dropped: 3 }),
    },
  }
  t.same(faultsOf([round(1, 1, 1)]), { calls: 81, faults: [] })
  t.same(faultsOf([faulty]).faults, [
    'bare, whole: 2 of 9 calls: status 503',
    'bare, whole: 3 calls never began',
  ])
  t.end()
})

t.test('the knee is the first step within 5 % of the best', (t) => {
  const step = (callers: number, perSecond: number) => ({ callers, perSecond, cores: 1, refused: 0 })
  t.match(kneeOf([step(1, 100), step(2, 190), step(4, 300), step(8, 310), step(16, 290)]), { callers: 4 })
  t.match(kneeOf([step(1, 100)]), { callers: 1 })
  t.throws(() => kneeOf([]), /no step/)
  t.end()
})

t.test('the report has every bar with its verdict', (t) => {
  const steps = [{ callers: 8, perSecond: 2000, cores: 0.8, refused: 0 }] as const
  const run = {
    knees: { sallyport: { whole: { at: steps[0], steps } } },
    ...{ rate: 1000, tokenRate: 5000, rounds: [round(1, 1.1, 1.2)] },
    held: [measured({ firstToken: 11.2, delay: 11.2 })],
  }
  const result = resultOf(run)
  t.match(result, { perCoreAtKnee: { requests: 2500, tokens: null }, isMet: true, driverLateP99Ms: 0.5 })
  const text = textOf(result)
  t.match(text, /knee of sallyport +2000 requests\/s with 8 callers, gateway on 0\.80 cores: 2500 a core/)
  t.match(text, /^1 KB request, p50 +1\.00 +1\.10 +1\.20 +0\.10 +0\.20 +0\.50 {2}met$/m)
  t.match(text, /first token \+10\.00 ms, each token \+10\.00 ms/)
  t.notMatch(text, /TOO BUSY/)
  const late = { ...round(1, 1, 1), whole: { ...round(1, 1, 1).whole, bare: measured({}, { lateP99: 5.1 }) } }
  t.match(textOf(resultOf({ ...run, rounds: [late] })), /at most 5\.10 ms late[\s\S]*TOO BUSY/)
  t.match(textOf(resultOf({ ...run, rounds: [round(1, 1, 9)] })), /^1 KB request, p99 .* 2\.00 {2}MISSED$/m)
  t.end()
})

t.test('options have bounds', (t) => {
  t.match(parseLatencyOptions([]), { rounds: 3, rate: undefined, json: false })
  t.match(parseLatencyOptions(['--rate', '200', '--seconds', '2']), { rate: 200, seconds: 2 })
  t.equal(parseLatencyOptions(['-h']), 'help')
  for (const args of ['--rounds 0', '--rate 0', '--seconds x', '--token-rate 1e9', '--prompts 500'])
    t.throws(() => parseLatencyOptions(args.split(' ')), new RegExp(`${args.split(' ')[0]} needs a number`))
  t.throws(() => parseLatencyOptions(['--nope']), /--nope/)
  t.end()
})
