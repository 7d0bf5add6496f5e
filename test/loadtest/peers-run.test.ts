// A short run of the comparison with real processes: the bare relay, Sallyport, and one that does not come up.
import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { compare } from '../../loadtest/bench/peers/comparison.ts'
import { parseOptions } from '../../loadtest/bench/peers/options.ts'
import type { Row } from '../../loadtest/bench/peers/row.ts'
import { rows } from '../../loadtest/bench/peers/rows.ts'
import { tables } from '../../loadtest/bench/peers/tables.ts'

const root = join(import.meta.dirname, '../..')
const broken: Row = {
  ...{ name: 'broken', title: 'Broken', on: 'nothing', off: 'everything' },
  find: async () => ({ version: '0' }),
  plan: () => ({
    command: process.execPath,
    args: ['-e', 'console.log("no luck today"); process.exit(7)'],
    files: { 'broken.conf': 'x' },
    origin: 'http://127.0.0.1:9',
    headers: {},
  }),
}
const gone: Row = { ...broken, name: 'gone', title: 'Gone', find: async () => ({ missing: 'not installed' }) }
/** The bare relay, said to mask, which is found out. */
const bare = rows.find(({ name }) => name === 'bare') as Row
const pretender: Row = { ...bare, name: 'pretender', redacts: true }

t.test('rows are measured side by side, and one that fails is named with what it printed', async (t) => {
  const chosen = rows.filter(({ name }) => ['bare', 'sallyport'].includes(name))
  const args = ['--quick', '--loads', 'chat,stream-128', '--rates', '20']
  const names = [...rows, broken].map(({ name }) => name)
  const said: string[] = []
  const results = await compare([broken, gone, pretender, ...chosen], parseOptions(args, names), {
    signal: new AbortController().signal,
    say: (line) => said.push(line),
  })
  t.same(
    results.rows.map(({ name }) => name),
    ['bare', 'sallyport'],
  )
  t.match(
    results.absent.find(({ name }) => name === 'broken')?.reason,
    /ended with exit code 7\nno luck today/,
  )
  t.match(results.absent.find(({ name }) => name === 'gone')?.reason, 'not installed')
  t.match(results.absent.find(({ name }) => name === 'pretender')?.reason, /does not mask/)
  const kinds = results.samples.map(({ row, load, failures }) => [row, load, failures])
  t.same(kinds, [
    ['bare', 'chat', 0],
    ['bare', 'stream-128', 0],
    ['sallyport', 'chat', 0],
    ['sallyport', 'stream-128', 0],
  ])
  for (const { cpuMs, completed, rssMiB } of results.samples) t.ok(cpuMs > 0 && completed >= 8 && rssMiB > 10)
  for (const { gateway, direct, failures } of results.latencies)
    t.ok(gateway.count + direct.count + failures > 0)
  t.equal(results.latencies.length, 2)
  const sallyport = results.rows.find(({ name }) => name === 'sallyport')
  t.match(sallyport?.files['config/redaction.yaml'], /"mask"/)
  t.notMatch(
    JSON.stringify(results.rows),
    /Bearer|PRIVATE KEY-|\/tmp\//,
    'no secret and no place of this machine',
  )
  t.match(tables(results), /\| Sallyport, everything on \|/)
  t.ok(said.some((line) => line.includes('round 1 of 1: sallyport')))
})

t.test('Ctrl-C ends all that was started', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'peers-test-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const args = ['loadtest/bench/peers.ts', '--rows', 'bare', '--rates', 'none']
  const child = spawn(process.execPath, args, {
    cwd: root,
    env: { ...process.env, TMPDIR: folder },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => {
    const before = said
    said += chunk.toString()
    if (!before.includes('warming up') && said.includes('warming up')) child.kill('SIGINT')
  })
  const code = await new Promise((resolve) => child.once('exit', resolve))
  t.equal(code, 1)
  t.match(said, 'ended by SIGINT')
  t.same(readdirSync(folder), [], 'no temporary folder is left')
  t.same(
    commandLines().filter((line) => line.includes(folder)),
    [],
  )
})

const commandLines = (): string[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
      } catch {
        return ''
      }
    })
