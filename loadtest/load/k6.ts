// k6 as a process: built when need be, given its settings, ended with the runner.
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../deploy/places.ts'

/** There is no k6, and it cannot be built here. */
export class NoK6 extends Error {}

const script = join(root, 'loadtest/k6/build.sh')

/** Where the binary is; built first (minutes) unless `how` only looks. Throws NoK6 with what to do. */
export async function findK6(how: 'build' | 'look', signal?: AbortSignal): Promise<string> {
  const child = spawn('bash', how === 'look' ? [script, '--look'] : [script], {
    stdio: ['ignore', 'pipe', how === 'look' ? 'pipe' : 'inherit'],
    ...(signal === undefined ? {} : { signal }),
  })
  let said = ''
  let complaint = ''
  child.stdout?.on('data', (chunk: Buffer) => {
    said += chunk.toString()
  })
  child.stderr?.on('data', (chunk: Buffer) => {
    complaint += chunk.toString()
  })
  const code = await ended(child)
  if (code === 0) return said.trim()
  throw new NoK6(complaint.trim() || `k6 was not built: ${script} ended with ${code}`)
}

export interface K6Run {
  readonly binary: string
  readonly scenario: string
  readonly settingsFile: string
  /** PEM of the authorities that callers believe. */
  readonly authoritiesFile: string
  readonly reportFolder: string
  readonly signal: AbortSignal
}

export const samplesFileOf = (reportFolder: string): string => join(reportFolder, 'samples.csv')

/** Runs a scenario to its end; the exit code of k6: 0, or 99 when a bar was missed. Its own log goes to `k6.log`. */
export async function runK6(run: K6Run): Promise<number | null> {
  const log = openSync(join(run.reportFolder, 'k6.log'), 'w')
  const file = join(root, 'loadtest/k6/scenarios', `${run.scenario}.ts`)
  const samples = `csv=${samplesFileOf(run.reportFolder)}`
  // No address: nobody steers this k6, and a port of its own would be one of another's.
  const child = spawn(run.binary, ['run', '--address', '', '--quiet', '--no-color', '--out', samples, file], {
    stdio: ['ignore', log, log],
    env: {
      ...process.env,
      SETTINGS: run.settingsFile,
      SSL_CERT_FILE: run.authoritiesFile,
      // Nothing is asked of, or told to, anybody outside.
      K6_NO_USAGE_REPORT: 'true',
      K6_AUTO_EXTENSION_RESOLUTION: 'false',
      K6_WEB_DASHBOARD: 'true',
      K6_WEB_DASHBOARD_PORT: '-1',
      K6_WEB_DASHBOARD_OPEN: 'false',
      K6_WEB_DASHBOARD_PERIOD: '1s',
      K6_WEB_DASHBOARD_EXPORT: join(run.reportFolder, 'k6.html'),
      K6_CSV_TIME_FORMAT: 'unix_milli',
    },
  })
  const stop = (): void => {
    child.kill('SIGINT')
    setTimeout(() => child.kill('SIGKILL'), 3_000).unref()
  }
  run.signal.addEventListener('abort', stop)
  try {
    return await ended(child)
  } finally {
    run.signal.removeEventListener('abort', stop)
    closeSync(log)
  }
}

const ended = (child: ChildProcess): Promise<number | null> =>
  new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
