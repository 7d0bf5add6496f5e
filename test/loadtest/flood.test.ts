// The flood: its options, and what it makes of the calls. The run itself takes minutes: `npm run bench:flood`.
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { type Seen, stagesOf } from '../../loadtest/flood/call.ts'
import { barsOf, figuresOf, type Measured, summary } from '../../loadtest/flood/figures.ts'
import { parseFloodOptions } from '../../loadtest/flood/options.ts'
import { table } from '../../loadtest/flood/table.ts'
import { sumOf } from '../../loadtest/flood/watch.ts'

const seen = (fields: Partial<Seen> = {}): Seen => ({
  ...{ priority: 'interactive', status: 200, code: 'completed' },
  ...{ atMs: 0, endMs: 1_500, firstTokenMs: 400, totalMs: 1_000, beforeMs: 100, recordMs: 5, lateMs: 1 },
  ...fields,
})

t.test('options have bounds', async (t) => {
  t.same(parseFloodOptions([]), { seconds: 20, factor: 10, connectionsMax: 8, json: false })
  t.match(parseFloodOptions(['--seconds', '1', '--factor', '1000']), { seconds: 4, factor: 100 })
  t.equal(parseFloodOptions(['--help']), 'help')
  t.throws(() => parseFloodOptions(['--nope']), /--nope/)
  const flood = join(import.meta.dirname, '../../loadtest/flood.ts')
  const { stdout } = await promisify(execFile)(process.execPath, [flood, '--help'])
  t.match(stdout, /^npm run bench:flood -- /, 'and nothing is started')
})

t.test('what counts as done is complete, and ended when the pace had settled', (t) => {
  const calls = [
    seen(),
    seen({ endMs: 999, totalMs: 900 }),
    seen({ endMs: 5_000, totalMs: 1_100 }),
    seen({ code: 'broken stream' }),
    seen({ status: 429, code: 'rate_limited', firstTokenMs: Number.NaN }),
  ]
  t.match(summary(calls, 5), { goodput: 1 / 4, heldMs: 900, firstP50: 400, totalP50: 1_000, totalP99: 1_100 })
  t.ok(Number.isNaN(summary([], 5).firstP99))
  t.end()
})

const calm = { goodput: 10, heldMs: 900, firstP50: 400, firstP99: 500, totalP50: 1_000, totalP99: 1_200 }
const flooded = Array.from({ length: 30 }, (_, n) =>
  seen({ endMs: 1_000 + n * 100, totalMs: 3_000, beforeMs: 2_100 }),
)
const refused = seen({
  status: 503,
  code: 'upstream_busy',
  priority: 'batch',
  totalMs: 7,
  firstTokenMs: Number.NaN,
})
const measured: Measured = {
  sweep: [{ concurrency: 8, ...calm }],
  peak: 10,
  flood: { seen: [...flooded, refused], rssBefore: 2 ** 27, rssMax: 2 ** 28, cpuShare: 0.5 },
  quietMs: 100,
  after: calm,
}
const options = { seconds: 4, factor: 10, connectionsMax: 8 }
const missedOf = (changed: Measured): string[] =>
  Object.entries(barsOf(figuresOf(changed, options), changed.flood.seen))
    .filter(([, isMet]) => !isMet)
    .map(([name]) => name)

t.test('each bar is missed by what it is there for', (t) => {
  t.same(missedOf(measured), [])
  const { flood } = measured
  const last = (fields: Partial<Seen>): Measured => ({
    ...measured,
    flood: {
      ...flood,
      seen: [...flood.seen, seen({ endMs: 3_950, totalMs: 3_000, beforeMs: 2_100, ...fields })],
    },
  })
  t.same(missedOf({ ...measured, peak: 12 }), ['goodput / peak'])
  t.same(missedOf(last({ totalMs: 4_000, beforeMs: 3_100 })), ['p99 of admitted bounded'])
  for (const fields of [
    { status: 0, code: 'no answer' },
    { code: 'broken stream' },
    { status: 504, code: 'x' },
  ])
    t.same(missedOf(last(fields)), ['every call answered'])
  t.same(missedOf({ ...measured, flood: { ...flood, rssMax: 2 ** 31 } }), ['memory bounded'])
  t.same(missedOf({ ...measured, quietMs: Number.NaN }), ['nothing left behind'])
  t.same(missedOf({ ...measured, after: { ...calm, firstP50: 481 } }), ['latency back'])
  const slow = flood.seen.map((each) => ({ ...each, beforeMs: 1_900 }))
  t.match(missedOf({ ...measured, flood: { ...flood, seen: slow } }), [/places held as long as before/])
  t.match(missedOf(last({ lateMs: 251 })), [/arrivals in time/])
  t.end()
})

t.test('the table has the classes, the refusals and each bar', (t) => {
  const figures = figuresOf(measured, options)
  const text = table(figures, barsOf(figures, measured.flood.seen))
  t.match(text, /^closed loop, 8 at a time +10\.0 +900 ms/m)
  t.match(text, /^flood, 8 calls\/s offered +10\.0 /m)
  t.match(text, /^ {2}batch: of 1 +1 upstream_busy$/m)
  t.match(text, /^refused within \(p99\) +7 ms$/m)
  t.match(text, /^memory of the gateway +128 MiB +256 MiB$/m)
  t.equal(text.match(/^met: /gm)?.length, 8)
  t.end()
})

t.test('what the gateway says of itself is read', (t) => {
  t.same(stagesOf('auth;dur=1.5, record;dur=2, queue;dur=10, upstream;dur=400'), {
    beforeMs: 13.5,
    recordMs: 2,
  })
  t.same(stagesOf('undefined'), { beforeMs: 0, recordMs: 0 })
  const metrics = 'a_total 9\na{pool="x"} 2\na{pool="y"} 3\n# HELP a b\nab 7\n'
  t.equal(sumOf(metrics, 'a'), 5)
  t.equal(sumOf(metrics, 'ab'), 7)
  t.ok(Number.isNaN(sumOf(metrics, 'b')), 'what is not there is no 0')
  t.end()
})
