// What the gate decides, and what it says.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { baselineFile, readBaseline, writeBaseline } from '../../loadtest/bench/gate/baseline.ts'
import { counted, cpuRatio, spreadPercent } from '../../loadtest/bench/gate/counts.ts'
import { CPU_BOUND_PERCENT, decide, tableOf } from '../../loadtest/bench/gate/decision.ts'

const baseline = { node: '26.10.0', counts: { 'event.allocatedBytes': 1000, 'request.cpuRatio': 4 } }
const same = baseline.counts

t.test('what is as it was passes, and so does what is less', (t) => {
  t.match(decide(baseline, same, '26.10.0'), { passes: true, messages: [] })
  const less = decide(baseline, { ...same, 'event.allocatedBytes': 500 }, '26.10.0')
  t.match(less, { passes: true, messages: [], rows: [{ verdict: 'less', changePercent: -50 }, {}] })
  t.end()
})

t.test('a count that has grown past 15 % fails, and the message says which, and from what to what', (t) => {
  t.ok(decide(baseline, { ...same, 'event.allocatedBytes': 1149 }, '26.10.0').passes)
  const { passes, rows, messages } = decide(baseline, { ...same, 'event.allocatedBytes': 1200 }, '26.10.0')
  t.notOk(passes)
  t.match(rows, [{ count: 'event.allocatedBytes', verdict: 'GREW', boundPercent: 15 }, { verdict: 'ok' }])
  t.same(messages, [
    'event.allocatedBytes: grew by 20.0 % (1000 -> 1200), at most 15 % is allowed',
    'If that is meant: npm run bench:gate -- --update, and say why in the commit.',
  ])
  t.end()
})

t.test('CPU time has a wider bound, and a bound', (t) => {
  const at = (percent: number) => ({ ...same, 'request.cpuRatio': 4 * (1 + percent / 100) })
  t.ok(decide(baseline, at(CPU_BOUND_PERCENT - 1), '26.10.0').passes)
  t.notOk(decide(baseline, at(CPU_BOUND_PERCENT + 1), '26.10.0').passes)
  t.end()
})

t.test('a name that only one side knows fails', (t) => {
  const more = decide(baseline, { ...same, 'prompt.allocatedBytes': 5 }, '26.10.0')
  t.notOk(more.passes)
  t.equal(more.messages[0], 'prompt.allocatedBytes: is not in the baseline')
  const fewer = decide(baseline, { 'event.allocatedBytes': 1000 }, '26.10.0')
  t.notOk(fewer.passes)
  t.equal(fewer.messages[0], 'request.cpuRatio: is in the baseline and was not measured')
  t.end()
})

t.test('what is no number was not measured', (t) => {
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY])
    t.match(decide(baseline, { ...same, 'event.allocatedBytes': value }, '26.10.0'), {
      passes: false,
      messages: [/was not measured/, /--update/],
    })
  const zero = { node: '26.10.0', counts: { ...same, 'event.allocatedBytes': 0 } }
  t.notOk(decide(zero, { ...same, 'event.allocatedBytes': 0 }, '26.10.0').passes, 'nothing to compare with')
  t.end()
})

t.test('without a baseline it fails, and says how to get one', (t) => {
  const { passes, messages } = decide(undefined, same, '26.10.0')
  t.notOk(passes)
  t.match(messages, [/no baseline.*bench:gate -- --update/])
  t.end()
})

t.test('a failure under another Node.js says so', (t) => {
  const grown = { ...same, 'event.allocatedBytes': 2000 }
  t.match(decide(baseline, grown, '27.0.0').messages.at(-1), /with Node.js 26.10.0, this is 27.0.0/)
  t.equal(decide(baseline, same, '27.0.0').passes, true)
  t.end()
})

t.test('the table shows each count with its change, bound and spread', (t) => {
  const { rows } = decide(baseline, { ...same, 'event.allocatedBytes': 1200 }, '26.10.0')
  const table = tableOf(rows, { 'event.allocatedBytes': 2.5 })
  t.match(table, /^event.allocatedBytes +1000 +1200 +\+20.0 +15 +2.50 {2}GREW$/m)
  t.match(table, /^request.cpuRatio +4.00 +4.00 +\+0.0 +150 +- {2}ok$/m)
  t.end()
})

t.test('baselines are written, read and checked', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'gate-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'baseline.json')
  t.equal(readBaseline(file), undefined, 'none yet')
  writeBaseline(file, { 'event.allocatedBytes': 14_401.37 }, '26.10.0')
  t.same(readBaseline(file), { node: '26.10.0', counts: { 'event.allocatedBytes': 14_400 } })
  for (const broken of ['{}', '[]', '{"node":"1","counts":{"a":"2"}}', '{"node":"1","counts":{"a":0}}']) {
    writeFileSync(file, broken)
    t.throws(() => readBaseline(file), /is no baseline/, broken)
  }
  t.end()
})

t.test('the committed baseline has every count that is taken', (t) => {
  const committed = readBaseline(baselineFile)
  t.same(Object.keys(committed?.counts ?? {}), [
    'request.allocatedBytes',
    'request.readsAndWrites',
    'request.cpuRatio',
    'event.allocatedBytes',
    'event.readsAndWrites',
    'event.cpuRatio',
    'longPrompt.allocatedBytes',
  ])
  t.end()
})

t.test('rounds: the median counts, the spread is told', (t) => {
  t.same(counted([3, 1, 2]), { value: 2, rounds: [3, 1, 2] })
  t.equal(spreadPercent({ rounds: [90, 100, 110] }), 20)
  t.end()
})

t.test('CPU time: the rounds that were disturbed least, of each side', (t) => {
  t.same(cpuRatio([40, 20, 90], [30, 20, 10]), { value: 2, rounds: [40 / 30, 1, 9] })
  t.end()
})
