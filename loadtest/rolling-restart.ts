// A deploy under load: two gateways behind HAProxy, restarted one after the other while streams are open and calls come
// in. None may be cut, none may fail, and the audit logs must hold all of them. Needs haproxy; see
// docs/operations/rolling-restart.md.
//   npm run load:rolling-restart            --runs N (5), --streams N (200), --calls N (20 a second), --json for machines
// Ends with 1 when a bar is missed.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { makeSecrets } from './deploy/certificates.ts'
import { type LoadOptions, missed, type RunResult, rollingRun } from './deploy/rolling-run.ts'
import { repeated } from './deploy/runs.ts'
import { table } from './deploy/table.ts'

const text = (value: string) => ({ type: 'string', default: value }) as const
const { values } = parseArgs({
  options: {
    runs: text('5'),
    streams: text('200'),
    calls: text('20'),
    'delay-ms': text('3000'),
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  process.stdout.write(
    'npm run load:rolling-restart -- [--runs N] [--streams N] [--calls N] [--delay-ms N] [--json]\n',
  )
  process.exit(0)
}

const secrets = mkdtempSync(join(tmpdir(), 'sallyport-secrets-'))
try {
  await makeSecrets(secrets, 'load')
  const options: LoadOptions = {
    secrets,
    streams: Number(values.streams),
    callsPerSecond: Number(values.calls),
    words: 20,
    delayMs: Number(values['delay-ms']),
  }
  report(await repeated(Number(values.runs), () => rollingRun(options), missed))
} finally {
  rmSync(secrets, { recursive: true, force: true })
}

function report(results: readonly RunResult[]): void {
  const rows = results.map((result, index) => ({
    run: index + 1,
    streams: result.streams.made,
    cut: result.streams.faults.length,
    calls: result.calls.made,
    failed: result.calls.faults.length,
    'p50 ms': Math.round(result.calls.p50Ms),
    'p99 ms': Math.round(result.calls.p99Ms),
    'at SIGTERM a+b': result.drains.map(({ streams }) => streams).join('+'),
    'drain s a+b': result.drains.map(({ seconds }) => seconds.toFixed(1)).join('+'),
    exit: result.drains.map(({ exitCode }) => exitCode).join('+'),
    'audit records': result.evidence.reduce((sum, { records }) => sum + records, 0),
    'audit gaps': result.evidence.reduce((sum, { unended }) => sum + unended, result.unrecorded),
    intact: result.evidence.every(({ intact }) => intact) ? 'yes' : 'NO',
  }))
  process.stdout.write(values.json ? `${JSON.stringify(rows, null, 2)}\n` : table(rows))
}
