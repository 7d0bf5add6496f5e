// The gate for real, in its shortest form: it counts, compares and fails.
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { baselineFile } from '../../loadtest/bench/gate/baseline.ts'

interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

const gate = (...args: string[]): Promise<Ran> =>
  new Promise((resolve) => {
    execFile(process.execPath, ['loadtest/bench/gate.ts', ...args], (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    )
  })

const shortest = ['--rounds', '1', '--warm-up', '0', '--requests', '10']

t.test('a count above its baseline ends the run with 1 and is named', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'gate-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'baseline.json')
  const { counts: committed } = JSON.parse(readFileSync(baselineFile, 'utf8'))
  // All others may be what they are on a first, cold round; this one can only have grown.
  const generous = Object.entries(committed).map(([name, value]) => [name, Number(value) * 100])
  const counts = { ...Object.fromEntries(generous), 'event.readsAndWrites': 1 }
  writeFileSync(file, JSON.stringify({ node: process.versions.node, counts }))
  const { code, stdout, stderr } = await gate(...shortest, '--baseline', file, '--json')
  t.equal(code, 1, stderr)
  t.match(stderr, /^event\.readsAndWrites: grew by \d+\.\d % \(1\.00 -> \d+\.\d\d\)/m)
  const { rows } = JSON.parse(stdout) as { rows: { count: string; measured: number; verdict: string }[] }
  t.same(
    rows.filter(({ verdict }) => verdict === 'GREW').map(({ count }) => count),
    ['event.readsAndWrites'],
  )
  // Two in lockstep; in the one short round that this is, what the process reads by the clock may come on top.
  const events = rows.find(({ count }) => count === 'event.readsAndWrites')
  t.ok(Number(events?.measured) > 1.5, 'a read and a write each')
  t.ok(rows.every(({ measured }) => measured > 0))
})

t.test('what it cannot do is said before anything is started, with exit code 2', async (t) => {
  const cases = [
    { args: ['--rounds', '0'], says: /--rounds needs a whole number from 1 to 50/ },
    { args: ['--warm-up', 'x'], says: /--warm-up needs/ },
    { args: ['--nope'], says: /--nope/ },
    { args: ['--baseline', 'package.json'], says: /package\.json is no baseline/ },
  ]
  for (const { args, says } of cases) {
    const { code, stderr } = await gate(...args)
    t.equal(code, 2, args.join(' '))
    t.match(stderr, says)
    t.notMatch(stderr, /starting/)
  }
  t.match(await gate('--help'), { code: 0, stdout: /npm run bench:gate -- --update/ })
})
