// The comparison of gateways: its arithmetic, its options, its pages, and how it reads what a program costs.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import fc from 'fast-check'
import t from 'tap'
import { perEvent, ratio } from '../../loadtest/bench/peers/figures.ts'
import { parseOptions } from '../../loadtest/bench/peers/options.ts'
import { plot } from '../../loadtest/bench/peers/plot.ts'
import { startProgram, usageOf } from '../../loadtest/bench/peers/program.ts'
import type { Latency, Results, Sample } from '../../loadtest/bench/peers/results.ts'
import { rows } from '../../loadtest/bench/peers/rows.ts'
import { placed, tables } from '../../loadtest/bench/peers/tables.ts'
import { readDocument } from '../support/markdown.ts'

const names = rows.map(({ name }) => name)
const number = fc.double({ noNaN: true, min: 0.001, max: 1_000_000 })

t.test('a ratio is of one round, so that a slow round of the machine falls out', (t) => {
  const other = new Map([
    [1, 10],
    [2, 20],
    [3, 1_000],
  ])
  t.equal(ratio(new Map([...other].map(([round, value]) => [round, value * 3])), other), 3)
  t.equal(ratio(new Map([[2, 10]]), other), 0.5, 'rounds that one side lacks do not count')
  t.ok(Number.isNaN(ratio(new Map([[1, 1]]), new Map())))
  t.end()
})

t.test('what a stream costs once is not in what an event costs', (t) => {
  fc.assert(
    fc.property(number, number, (once, each) => {
      const of = (events: number) => ({ events, perStream: once + events * each })
      return Math.abs(perEvent(of(1_000), of(128)) - each) <= 1e-6 * (once + 1_000 * each)
    }),
  )
  t.pass()
  t.end()
})

t.test('options', (t) => {
  const options = (...args: string[]) => parseOptions(args, names)
  t.match(options(), { act: 'run', rows: undefined, rounds: 3, rates: ['100', 'half'], quick: false })
  t.match(options('--quick'), { rounds: 1, quick: true })
  t.match(options('--rows', 'bare,nginx', '--loads', 'chat', '--rates', 'none'), {
    rows: ['bare', 'nginx'],
    loads: ['chat'],
    rates: [],
  })
  t.match(options('--list').act, 'list')
  for (const wrong of ['0', '21', '1.5', 'x', '', '-1', '1e1']) {
    t.throws(
      () => options(`--rounds=${wrong}`),
      { message: /--rounds needs a whole number from 1 to 20/ },
      wrong,
    )
  }
  t.throws(() => options('--rows', 'bare,nobody'), { message: /--rows: "nobody" is none of nginx,/ })
  t.throws(() => options('--loads', 'all'), { message: /--loads: "all" is none of chat,/ })
  t.throws(() => options('--rates', '0,half'), { message: /--rates/ })
  t.throws(() => options('--rates', '9999'), { message: /--rates/ })
  t.throws(() => options('--speed', 'much'))
  t.end()
})

const sample = (
  row: string,
  round: number,
  load: string,
  cpuMs: number,
  more: Partial<Sample> = {},
): Sample => ({
  ...{ row, round, load, cpuMs, completed: 10, failures: 0, seconds: 0.1 },
  ...{ modelCpuMs: 10, generatorCpuMs: 20, rssMiB: 50 },
  ...more,
})
const latency = (row: string, p50Ms: number): Latency => ({
  ...{ row, round: 1, rate: '100', perSecond: 100, dropped: 1, failures: 2 },
  gateway: { count: 10, p50Ms, p99Ms: p50Ms * 2 },
  direct: { count: 10, p50Ms: 1, p99Ms: 1 },
})
const described = (name: string) => ({
  ...{ name, title: name.toUpperCase(), version: '1', on: 'on', off: 'off', command: name, files: {} },
  idleRssMiB: 40,
})
const results: Results = {
  taken: '2026-01-02T03:04:05.000Z',
  machine: { cpu: 'a processor', cores: 2, kernel: 'Linux 1', node: '26.0.0', loadAverage: 0 },
  options: { rounds: 2, quick: false, loads: 'chat', rates: '100' },
  rows: ['nginx', 'bare', 'sallyport'].map(described),
  absent: [{ name: 'other', title: 'Other', reason: 'not installed: try again\nand a second line' }],
  samples: [
    ...[1, 2].flatMap((round) => [
      sample('nginx', round, 'chat', 1 * round),
      sample('bare', round, 'chat', 2 * round),
      sample('sallyport', round, 'chat', 6 * round),
      sample('bare', round, 'stream-128', 10),
      sample('bare', round, 'stream-1000', 97.2),
      sample('sallyport', round, 'knee', 90, { rssMiB: 70 }),
    ]),
    sample('nginx', 1, 'prompt-500k', 5, { failures: 1, failure: '500: a | in\nit' }),
  ],
  latencies: [latency('bare', 1.5)],
}

/** Cells of the row with this title in the table below this heading. */
function cellsOf(text: string, heading: string, title: string): string[] {
  const part = text.slice(text.indexOf(heading))
  const line = part.split('\n').find((each) => each.startsWith(`| ${title} |`)) ?? ''
  return line
    .split('|')
    .slice(2, -1)
    .map((cell) => cell.trim())
}

t.test('the tables say what was measured', (t) => {
  const text = tables(results)
  t.same(cellsOf(text, '### Gateway CPU', 'SALLYPORT').slice(0, 3), ['0.900', '3.00', '6.00'])
  t.same(cellsOf(text, '### Gateway CPU', 'BARE').slice(3, 6), ['10.0', '1.00', '-'], 'us of one event')
  t.equal(cellsOf(text, 'divided by each row', 'NGINX')[0], '6.00')
  t.same(cellsOf(text, '### At the knee', 'SALLYPORT'), ['111', '100', 'gateway (90 %)', '40', '70'])
  t.same(cellsOf(text, '### At the knee', 'BARE'), ['-', '-', '-', '40', '50'])
  t.same(cellsOf(text, '### Latency added', 'BARE'), ['100', '0.50', '2.00', '3'])
  t.match(text, '* Other: not installed: try again\n')
  t.match(text, '* nginx, prompt-500k, round 1: 1 calls failed (500: a in it)')
  t.equal(cellsOf(text, '### Gateway CPU', 'NGINX')[8], '-', 'a round with failures does not count')
  t.equal(tables(results), text)
  t.end()
})

t.test('latency is of the rounds in which calls were answered; what was lost is of all', (t) => {
  const nothing = { count: 0, p50Ms: Number.NaN, p99Ms: Number.NaN }
  const lost = { ...latency('bare', 1), round: 2, dropped: 0, failures: 7, gateway: nothing }
  const both = { ...results, latencies: [...results.latencies, lost] }
  t.same(cellsOf(tables(both), '### Latency added', 'BARE'), ['100', '0.50', '2.00', '10'])
  // NaN is null in the results that are read again.
  const again = JSON.parse(JSON.stringify(both)) as Results
  t.same(cellsOf(tables(again), '### Latency added', 'BARE'), ['100', '0.50', '2.00', '10'])
  t.end()
})

t.test('tables go between the marks of a page, and nothing else of it changes', (t) => {
  const page = 'before\n<!-- peers: begin -->\nold\n<!-- peers: end -->\nafter\n'
  const next = placed(page, 'new\n')
  t.equal(next, 'before\n<!-- peers: begin -->\nnew\n<!-- peers: end -->\nafter\n')
  t.equal(placed(next, 'new\n'), next)
  t.equal(placed('no marks', 'new\n'), 'new\n')
  t.end()
})

t.test('the plot has a dot for each value, inside the picture, and colors for both themes', (t) => {
  const picture = plot(results)
  const places = [...picture.matchAll(/cx="(\d+)" cy="(\d+)"/g)].map(([, x]) => Number(x))
  t.equal(places.length, 4, 'three requests and one event')
  t.ok(places.every((x) => x >= 250 && x <= 880))
  t.equal(picture.match(/not measured/g)?.length, 2)
  t.match(picture, /prefers-color-scheme: dark/)
  t.notMatch(picture, /NaN|undefined|Infinity/)
  const hostile = { ...results, rows: [{ ...described('x'), title: '<a> & b' }], samples: [] }
  t.match(plot(hostile), '&lt;a> &amp; b')
  t.end()
})

t.test('the page and the plot are as the committed results make them', (t) => {
  const committed = JSON.parse(readDocument('docs/benchmarks/peers.json')) as Results
  const page = readDocument('docs/benchmarks/peers.md')
  const run =
    'run: npm run bench:peers -- --from docs/benchmarks/peers.json --markdown docs/benchmarks/peers.md'
  t.equal(page, placed(page, tables(committed)), run)
  t.match(page, '<!-- peers: begin -->')
  t.equal(readDocument('docs/benchmarks/peers.svg'), plot(committed), 'the same with --plot')
  t.end()
})

t.test('a program costs what its children cost, and takes them along', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'peers-test-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const output = join(folder, 'output')
  // The shell waits while its child computes.
  const busy =
    'for (const end = Date.now() + 300; Date.now() < end;); console.log("pid", process.pid); setInterval(() => {}, 1000)'
  const args = ['-c', '"$0" -e "$1"; true', process.execPath, busy]
  const program = await startProgram({ command: 'sh', args, cwd: folder }, output)
  let child = 0
  while (child === 0) {
    await delay(20)
    child = Number(/pid (\d+)/.exec(program.tail())?.[1] ?? 0)
  }
  t.not(child, program.pid)
  const { cpuMs, rssBytes } = program.usage()
  t.ok(cpuMs >= 50, `${cpuMs} ms`)
  t.ok(rssBytes > usageOf(child).rssBytes, 'the shell has memory too')
  t.equal(usageOf(2 ** 22 + 1).cpuMs, 0, 'a process that is not there costs nothing')
  await program.stop()
  // It may stay in the table of processes until somebody asks how it ended; its memory is gone.
  while (usageOf(child).rssBytes > 0) await delay(20)
  t.equal(await program.ended, 'SIGTERM')
  t.match(readFileSync(output, 'utf8'), /pid/)
})

t.test('a program that is not there is an error', async (t) => {
  const start = startProgram({ command: '/no/such/program', args: [], cwd: '/' }, '/dev/null')
  await t.rejects(start, { code: 'ENOENT' })
})
