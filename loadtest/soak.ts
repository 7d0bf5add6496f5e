// What stays behind. (a) Thousands of idle streams: what each costs, and whether it comes back. (b) The same load for
// minutes: slope of memory and of handles. (c) A hundred thousand callers who hang up, in every phase of a request.
// Real gateway, real sockets, a simulated model.
//   npm run load:soak            --only streams,steady,aborts  --streams N (5000)  --minutes N (10)  --aborts N (100000)
//                                --calls N (20 a second, with half as many streams open)  --json for machines
// Ends with 1 when something stays behind. 5000 streams take 10 000 open files of the gateway: `ulimit -n 20000`.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { aborts } from './deploy/aborts.ts'
import { makeSecrets } from './deploy/certificates.ts'
import { idleStreams } from './deploy/idle-streams.ts'
import { abortsReport, idleReport, type Report, steadyReport } from './deploy/soak-report.ts'
import { steady } from './deploy/steady.ts'

const text = (value: string) => ({ type: 'string', default: value }) as const
const { values } = parseArgs({
  options: {
    only: text('streams,steady,aborts'),
    streams: text('5000'),
    minutes: text('10'),
    calls: text('20'),
    aborts: text('100000'),
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  process.stdout.write(
    'npm run load:soak -- [--only streams,steady,aborts] [--streams N] [--minutes N] [--calls N] [--aborts N] [--json]\n',
  )
  process.exit(0)
}

const progress = (line: string): void => void process.stderr.write(`${line}\n`)
const number = (key: 'streams' | 'minutes' | 'calls' | 'aborts'): number => Number(values[key])

const parts: Readonly<Record<string, (secrets: string) => Promise<Report>>> = {
  streams: async (secrets) => {
    demandOpenFiles(number('streams') * 2 + 200)
    return idleReport(await idleStreams(secrets, number('streams')))
  },
  steady: async (secrets) => {
    const callsPerSecond = number('calls')
    const load = { minutes: number('minutes'), callsPerSecond, streams: Math.ceil(callsPerSecond / 2) }
    return steadyReport(await steady(secrets, load, progress))
  },
  aborts: async (secrets) => abortsReport(await aborts(secrets, number('aborts'), progress)),
}

const secrets = mkdtempSync(join(tmpdir(), 'sallyport-secrets-'))
try {
  await makeSecrets(secrets, 'load')
  const reports: Report[] = []
  for (const name of values.only.split(',')) {
    const part = parts[name]
    if (part === undefined) throw new Error(`--only names ${Object.keys(parts).join(', ')}`)
    progress(`${name} ...`)
    const report = await part(secrets)
    reports.push(report)
    if (!values.json) process.stdout.write(report.text)
  }
  if (values.json)
    process.stdout.write(
      `${JSON.stringify(
        reports.map(({ data }) => data),
        null,
        2,
      )}\n`,
    )
  const faults = reports.flatMap((report) => report.faults)
  for (const fault of faults) process.stderr.write(`MISSED: ${fault}\n`)
  if (faults.length > 0) process.exitCode = 1
} finally {
  rmSync(secrets, { recursive: true, force: true })
}

/** A child process inherits the bound of this shell; Node cannot raise it. */
function demandOpenFiles(count: number): void {
  const bound = execFileSync('sh', ['-c', 'ulimit -n'], { encoding: 'utf8' }).trim()
  if (bound !== 'unlimited' && Number(bound) < count)
    throw new Error(`at most ${bound} files may be open, ${count} are needed: ulimit -n ${count}`)
}
