// Every scenario that the runner lists is a script with thresholds that can fail. The scripts are read as k6 reads them,
// with a simulated k6 in place of its modules: no Go toolchain is needed.
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { plans } from '../../loadtest/load/plan.ts'

const root = join(import.meta.dirname, '../..')
const folder = join(root, 'loadtest/k6/scenarios')
const names = readdirSync(folder).map((file) => file.replace(/\.ts$/, ''))

const simulatedK6 = `
export class Trend { add() {} }
export class Counter { add() {} }
export class Rate { add() {} }
export class SharedArray extends Array { constructor(name, make) { super(); this.push(...make()) } }
export const check = () => true
export const open = () => ({})
export const readFile = () => ''
export default {}
`
registerHooks({
  resolve: (specifier, context, next) =>
    /^k6(\/|$)/.test(specifier)
      ? { url: `data:text/javascript,${encodeURIComponent(simulatedK6)}`, shortCircuit: true }
      : next(specifier, context),
})

const facts = { calls: 1, tokens: 1, reservedTokens: 1, perMinute: 60, burst: 1, outputTokensMax: 1 }
const settings = {
  scenario: 'test',
  urls: ['https://localhost:1'],
  certificates: [{ cert: 'client.crt', key: 'client.key' }],
  callers: [{ tenant: 'a', role: 'app', token: 't', tokenFile: 'f', weight: 1 }],
  rate: 4,
  seconds: 30,
  latencyFactor: 1,
  reportFolder: '/nowhere',
  facts,
  files: { planted: 'planted', lengths: 'lengths' },
}
const opened: Readonly<Record<string, string>> = { 'settings.json': JSON.stringify(settings) }
Object.assign(globalThis, {
  __ENV: {},
  open: (file: string) => opened[file] ?? '[]',
})

interface Script {
  readonly options: {
    readonly scenarios: Readonly<Record<string, { readonly exec: string; readonly executor: string }>>
    readonly thresholds: Readonly<Record<string, readonly (string | { readonly threshold: string })[]>>
    readonly tlsAuth: readonly unknown[]
  }
  readonly handleSummary: (data: object) => Record<string, string>
}

const load = async (name: string): Promise<Script & Readonly<Record<string, unknown>>> =>
  await import(pathToFileURL(join(folder, `${name}.ts`)).href)

/** Bars that a run can miss: what is always kept only makes k6 show the values. */
const barsOf = ({ options }: Script): string[] =>
  Object.entries(options.thresholds).flatMap(([metric, bars]) =>
    bars
      .map((bar) => (typeof bar === 'string' ? bar : bar.threshold))
      .filter((bar) => !bar.endsWith('>=0'))
      .map((bar) => `${metric} ${bar}`),
  )

t.test('there is a script for each scenario of the runner, and no other', (t) => {
  t.same(names.toSorted(), Object.keys(plans).toSorted())
  const listed = execFileSync(process.execPath, ['loadtest/load.ts', '--list'], {
    cwd: root,
    encoding: 'utf8',
  })
  t.same(listed.trim().split('\n').toSorted(), names.toSorted())
  t.end()
})

for (const name of names) {
  t.test(name, async (t) => {
    const script = await load(name)
    const { scenarios, tlsAuth } = script.options
    t.ok(Object.keys(scenarios).length > 0)
    for (const { exec, executor } of Object.values(scenarios)) {
      t.match(executor, /arrival-rate$/, 'an open model')
      t.type(script[exec], 'function', `${exec} is there to be called`)
    }
    t.equal(tlsAuth.length, 1, 'callers show a certificate')
    const bars = barsOf(script)
    t.ok(
      bars.some((bar) => /^dropped_iterations(\{.*\})? count==0$/.test(bar)),
      'all calls are made',
    )
    t.ok(bars.includes('truncated_streams rate==0'), 'no stream is cut')
    t.ok(bars.includes('failed_calls rate==0'), 'no call fails')
    const own = bars.filter(
      (bar) => !/^(dropped_iterations|truncated_streams|failed_calls|checks)\b/.test(bar),
    )
    t.ok(own.length > 0, 'a bar on what this scenario is about')
    t.type(script.handleSummary, 'function')
  })
}

t.test('a bar says so when it is missed', async (t) => {
  const { bars } = await import('../../loadtest/k6/report.ts')
  const metrics = {
    redaction_leaks: {
      type: 'counter',
      contains: 'default',
      values: { count: 1 },
      thresholds: { 'count==0': { ok: false } },
    },
  } as const
  t.same(bars({ metrics, state: { testRunDurationMs: 1 } }), [['redaction_leaks', 'count==0', '1', 'MISSED']])
})

t.test('lengths of prompts come from the traces', async (t) => {
  const { lengthsOf } = await import('../../loadtest/load/prompts.ts')
  const code = lengthsOf('code', 500)
  t.ok(code.length >= 500 && code.length < 600)
  t.same(code[0], { trace: 'code', promptTokens: 4808, replyTokens: 10 })
  t.ok(code.every(({ promptTokens, replyTokens }) => promptTokens > 0 && replyTokens > 0))
})

t.test('planted secrets are new each time, and none stands in the repository', async (t) => {
  const { plantedValues } = await import('../../loadtest/load/planted.ts')
  const [once, again] = [plantedValues(2), plantedValues(2)]
  t.equal(once.length, 16)
  t.equal(new Set([...once, ...again].map(({ value }) => value)).size, 32)
  const source = readFileSync(join(root, 'loadtest/load/planted.ts'), 'utf8')
  t.notOk(once.some(({ value }) => source.includes(value)))
})
