// The runner of the k6 scenarios: what it refuses, what it says where there is no k6, and the smoke scenario for real where
// k6 has been built (loadtest/k6/build.sh: minutes, so no test builds it).
import { execFile, spawn } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { svgOf } from '../../loadtest/load/chart.ts'
import { findK6, NoK6 } from '../../loadtest/load/k6.ts'
import { readSeries } from '../../loadtest/load/series.ts'
import { printed, verdictOf } from '../../loadtest/load/verdict.ts'
import { levelsOf } from '../../loadtest/load/watch.ts'

const root = join(import.meta.dirname, '../..')

interface Said {
  readonly code: number
  readonly out: string
  readonly err: string
}

const ran = (file: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<Said> =>
  new Promise((resolve) => {
    execFile(file, args, { cwd: root, env }, (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code), out, err }),
    )
  })
const load = (...args: string[]): Promise<Said> => ran(process.execPath, ['loadtest/load.ts', ...args])

const built = await findK6('look').catch((error: unknown) => error)

t.test('wrong options are refused with what is right', async (t) => {
  const cases: readonly (readonly [args: readonly string[], said: RegExp])[] = [
    [[], /name a scenario: smoke, /],
    [['no-such'], /name a scenario: smoke, /],
    [['toString'], /name a scenario: smoke, /],
    [['smoke', '--rate', '0'], /--rate is a number from 1 to 2000, not "0"/],
    [['smoke', '--rate', 'many'], /--rate is a number/],
    [['smoke', '--duration', '1h'], /--duration is a number from 3 to 3400/],
    [['rolling-restart', '--duration', '5s'], /--duration is a number from 30 to/],
    [['smoke', '--latency-factor=-1'], /--latency-factor is a number/],
    [['smoke', '--no-such'], /no-such/],
  ]
  const results = await Promise.all(cases.map(([args]) => load(...args)))
  for (const [index, { code, out, err }] of results.entries()) {
    t.equal(code, 2)
    t.equal(out, '')
    t.match(err, cases[index]?.[1])
    t.match(err, /--help/)
  }
  t.match((await load('--help')).out, /npm run load -- smoke/)
})

t.test('without k6 and without Go it says what to do', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-no-go-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  mkdirSync(join(folder, 'path'))
  cpSync(join(root, 'loadtest/k6/build.sh'), join(folder, 'loadtest/k6/build.sh'), { recursive: true })
  cpSync(join(root, 'loadtest/k6/extension'), join(folder, 'loadtest/k6/extension'), { recursive: true })
  for (const tool of ['bash', 'dirname', 'cat', 'ls', 'grep', 'sha256sum', 'cut', 'mkdir']) {
    const at = ['/usr/bin', '/bin'].map((each) => join(each, tool)).find(existsSync)
    if (at !== undefined) symlinkSync(at, join(folder, 'path', tool))
  }
  const script = join(folder, 'loadtest/k6/build.sh')
  const withoutGo = await ran('/bin/bash', [script], { PATH: join(folder, 'path') })
  t.match(withoutGo, { code: 3, out: '' })
  t.match(withoutGo.err, /needs the Go toolchain/)
})

t.test('a bar on what was never measured is missed', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-verdict-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const bar = { 'p(95)<250': { ok: true } }
  const metrics = {
    measured: { type: 'trend', values: { count: 3 }, thresholds: bar },
    empty: { type: 'trend', values: { count: 0 }, thresholds: bar },
    shown: { type: 'trend', values: { count: 0 }, thresholds: { 'p(95)>=0': { ok: true } } },
    nobody: { type: 'rate', values: { passes: 0, fails: 0 }, thresholds: { 'rate==0': { ok: true } } },
    none: { type: 'counter', values: { count: 0 }, thresholds: { 'count==0': { ok: true } } },
    some: { type: 'counter', values: { count: 2 }, thresholds: { 'count==0': { ok: false } } },
  }
  writeFileSync(join(folder, 'summary.json'), JSON.stringify({ findings: ['a finding'], metrics }))
  const found = [{ said: ['seen'], faults: ['something was left'] }]
  const verdict = verdictOf('test', 99, found, folder)
  t.same(verdict.kept, ['measured p(95)<250', 'none count==0'])
  t.same(verdict.missed, [
    'empty p(95)<250: nothing was measured',
    'nobody rate==0: nothing was measured',
    'some count==0',
  ])
  t.match(printed(verdict), /^test: FAILED, 2 of 5 bars kept\n/)
  t.match(printed(verdict), /MISSED something was left/)
  t.match(verdictOf('test', 107, [], join(folder, 'empty-yet-there', '..')).faults, [
    'k6 ended with 107: see k6.log',
  ])
  t.end()
})

t.test('samples become seconds, and seconds a chart', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-series-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'samples.csv')
  const rows = [
    'metric_name,timestamp,metric_value',
    'ttft,1000,5',
    'other,1000,9',
    'ttft,1500,7',
    'ttft,3200,0',
  ]
  writeFileSync(file, `${rows.join('\n')}\n`)
  const series = await readSeries(file, ['ttft', 'absent'])
  t.same(series.quantile('ttft', 0.5), [
    [0, 5],
    [2, 0],
  ])
  t.same(series.count('ttft'), [
    [0, 2],
    [2, 0],
  ])
  t.same(series.count('absent'), [])
  const chart = {
    title: 'a <b>',
    unit: 'ms',
    lines: [{ label: 'p50', points: series.quantile('ttft', 0.5) }],
  }
  t.match(svgOf(chart, 2), /a &lt;b&gt;, ms/)
  t.match(svgOf(chart, 2), /<polyline class="line0" points="52\.0,[\d.]+ 548\.0,174\.0"\/>/)
  t.match(svgOf({ ...chart, lines: [] }, 2), /nothing was measured/)
})

t.test('the smoke scenario, where k6 is built', async (t) => {
  if (typeof built !== 'string') {
    t.ok(built instanceof NoK6)
    t.match((built as Error).message, /loadtest\/k6\/build\.sh builds it|needs the Go toolchain/)
    t.comment(`smoke was not run: ${(built as Error).message}`)
    return
  }
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-smoke-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  // The machine of a test may be busy: latency is not what is tested.
  const options = ['--duration', '5', '--rate', '4', '--latency-factor', '100', '--out', folder, '--json']
  const { code, out, err } = await load('smoke', ...options)
  t.equal(code, 0, err)
  const verdict = JSON.parse(out)
  t.match(verdict, { scenario: 'smoke', passed: true, missed: [], faults: [] })
  t.ok(verdict.kept.includes('truncated_streams rate==0'))
  t.match(readFileSync(join(folder, 'index.html'), 'utf8'), /<svg/)
  t.match(readFileSync(join(folder, 'summary.md'), 'utf8'), /\| checks \| rate==1 \| 100 % \| kept \|/)
})

t.test('Ctrl-C ends it, and everything it started', async (t) => {
  if (typeof built !== 'string') {
    t.ok(built instanceof NoK6)
    return
  }
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-stopped-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const env = { ...process.env, TMPDIR: folder }
  const out = join(folder, 'report')
  const child = spawn(process.execPath, ['loadtest/load.ts', 'steady', '--rate', '2', '--out', out], {
    cwd: root,
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  let err = ''
  child.stderr.on('data', (chunk: Buffer) => {
    err += chunk.toString()
    if (err.includes('calls a second')) child.kill('SIGINT')
  })
  t.equal(await ended, 130, err)
  const { out: processes } = await ran('ps', ['-eo', 'args'])
  t.notOk(processes.includes(folder), 'no process of it runs')
  t.same((await ran('find', [folder, '-name', 'sallyport-k6-*'])).out, '', 'its folder is gone')
})

t.test('what climbs for minutes is a fault, what goes up and down is none', (t) => {
  const samples = (rssMiB: (minute: number) => number, handles: (minute: number) => number) =>
    Array.from({ length: 601 }, (_, seconds) => ({
      seconds,
      rssMiB: rssMiB(seconds / 60),
      handles: Math.round(handles(seconds / 60)),
      cpuMs: seconds * 100,
    }))
  const wave = (minute: number): number => 200 + 20 * Math.sin(minute * 3)
  const level = (minute: number): number => 50 + 5 * Math.sin(minute * 7)
  t.same(levelsOf(samples(wave, level), true).faults, [])
  t.same(
    levelsOf(
      samples(wave, (minute) => level(minute) + 10 * minute),
      true,
    ).faults,
    ['handles climb'],
  )
  const growing = samples((minute) => wave(minute) + 15 * minute, level)
  t.same(levelsOf(growing, true).faults, ['the floor of RSS climbs'])
  t.same(levelsOf(growing, false).faults, [], 'no scenario but the soak is about that')
  t.match(levelsOf(growing.slice(0, 100), true).said[1], /too short for slopes/)
  t.end()
})
