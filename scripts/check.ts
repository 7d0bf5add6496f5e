// `npm test`: lint, types, then every test against real parts. Stops at the first step that fails.
//   npm test -- test/quota test/e2e/drain.test.ts     only the tests there
import { spawnSync } from 'node:child_process'
import { globSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { run } from 'node:test'
import { spec as SpecReporter, type TestEvent } from 'node:test/reporters'

/** Most time for one file; tap's own bound (30 s) is for a machine that does nothing else. */
const FILE_TIMEOUT_MS = 120_000
const SLOWEST_SHOWN = 10

const root = join(import.meta.dirname, '..')
const bin = (name: string): string => join(root, 'node_modules', '.bin', name)

function step(title: string, command: string, args: readonly string[]): void {
  process.stdout.write(`\n${title}\n`)
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit' })
  if (error) process.stderr.write(`${title}: ${error.message}\n`)
  if (error || status !== 0) process.exit(status ?? 1)
}

/** Runs the files, one process each, and prints what `node --test` prints, with the slowest files before its counts. */
function runTests(files: readonly string[]): void {
  // Node.js would take one core less than there are; tests wait more than they work (measured on 2 cores: 3 is best).
  const concurrency = availableParallelism() + 1
  process.stdout.write(`\nTests (${files.length} files, ${concurrency} at once)\n`)
  const printed = new PassThrough({ objectMode: true })
  printed.pipe(new SpecReporter()).pipe(process.stdout)
  const durations = new Map<string, number>()
  process.env['TAP_TIMEOUT'] = String(FILE_TIMEOUT_MS / 1000 - 10)
  // Each file is a process that loads the same modules: a third of all the work, measured.
  process.env['NODE_COMPILE_CACHE'] = join(root, 'node_modules', '.cache', 'compiled')
  const events = run({ files: [...files], cwd: root, concurrency, timeout: FILE_TIMEOUT_MS })
  events.on('test:fail', () => {
    process.exitCode = 1
  })
  events.on('test:complete', ({ name, details }) => {
    // A file is a test of its own, named by its path.
    if (files.includes(name)) durations.set(name, details.duration_ms)
  })
  events.on('data', (event) => {
    if (isCount(event)) for (const message of slowest(durations)) printed.write(diagnostic(message))
    printed.write(event)
  })
  events.on('end', () => printed.end())
}

/** The first line of the closing counts. */
const isCount = ({ type, data }: TestEvent): boolean =>
  type === 'test:diagnostic' && data.nesting === 0 && /^tests \d+$/.test(data.message)

const diagnostic = (message: string) => ({ type: 'test:diagnostic', data: { nesting: 0, message } })

const slowest = (durations: ReadonlyMap<string, number>): string[] =>
  [...durations]
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, SLOWEST_SHOWN)
    .map(([file, durationMs]) => `${(durationMs / 1000).toFixed(1)} s ${file}`)

/** These start whole gateways: what began last of them would end alone, while a core has nothing to do. */
const longest = ['e2e', 'golden', 'loadtest', 'corpora', 'advisories']
function rank(file: string): number {
  const place = longest.indexOf(file.split('/')[1] ?? '')
  return place === -1 ? longest.length : place
}

const wanted = process.argv.slice(2)
const files = globSync('test/**/*.test.ts', { cwd: root })
  .filter((file) => wanted.length === 0 || wanted.some((path) => file.startsWith(path)))
  .sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1))
if (files.length === 0) {
  process.stderr.write(`No test file is at ${wanted.join(' ')}\n`)
  process.exit(2)
}
const programs = {
  curl: 'The tests of npm start call curl',
  'redis-server': 'The tests of shared limits start Redis',
  haproxy: 'The tests of rolling restarts start HAProxy',
}
for (const [program, why] of Object.entries(programs)) {
  if (spawnSync(program, ['-v']).error === undefined) continue
  process.stderr.write(`${why}: install ${program}, then run this again.\n`)
  process.exit(1)
}
step('Lint and format (Biome)', bin('biome'), ['check', '--error-on-warnings'])
step('Types (TypeScript)', bin('tsc'), ['--noEmit'])
runTests(files)
