// Certificate, client authority, token keys and configuration are replaced, one after the other, on two gateways behind
// HAProxy while streams are open and calls come in: none may be cut, none may fail. Needs haproxy.
//   npm run load:rotation            --runs N (5), --streams N (200), --calls N (20 a second), --json for machines
// Ends with 1 when a bar is missed.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { makeSecrets } from './deploy/certificates.ts'
import { missed } from './deploy/rolling-run.ts'
import { type RotationResult, rotationRun } from './deploy/rotation-run.ts'
import { repeated } from './deploy/runs.ts'
import { table } from './deploy/table.ts'

const text = (value: string) => ({ type: 'string', default: value }) as const
const { values } = parseArgs({
  options: {
    runs: text('5'),
    streams: text('200'),
    calls: text('20'),
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  process.stdout.write('npm run load:rotation -- [--runs N] [--streams N] [--calls N] [--json]\n')
  process.exit(0)
}

const folders = ['old', 'new'].map((name) => mkdtempSync(join(tmpdir(), `sallyport-${name}-`)))
const [secrets, next] = folders as [string, string]
try {
  await makeSecrets(secrets, 'old')
  await makeSecrets(next, 'new')
  const load = {
    streams: Number(values.streams),
    callsPerSecond: Number(values.calls),
    words: 20,
    delayMs: 1_000,
  }
  report(await repeated(Number(values.runs), () => rotationRun({ ...load, secrets }, next), missed))
} finally {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
}

function report(results: readonly RotationResult[]): void {
  const rows = results.map((result, index) => ({
    run: index + 1,
    streams: result.streams.made,
    cut: result.streams.faults.length,
    calls: result.calls.made,
    failed: result.calls.faults.length,
    'p50 ms': Math.round(result.calls.p50Ms),
    'p99 ms': Math.round(result.calls.p99Ms),
    ...Object.fromEntries(result.steps.map(({ name, seconds }) => [`${name} s`, seconds.toFixed(1)])),
    'audit gaps': result.evidence.reduce((sum, { unended }) => sum + unended, result.unrecorded),
    intact: result.evidence.every(({ intact }) => intact) ? 'yes' : 'NO',
  }))
  process.stdout.write(values.json ? `${JSON.stringify(rows, null, 2)}\n` : table(rows))
}
