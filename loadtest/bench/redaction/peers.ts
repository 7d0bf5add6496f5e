// The peers: what they are, how they are installed (into .bench/, pinned), and how they are started. One that cannot be
// installed is named with its reason and left out.
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { LineWorker } from './line-worker.ts'

const run = promisify(execFile)
const INSTALL_MS_MAX = 300_000
const root = join(import.meta.dirname, '../../..')
const folder = join(root, '.bench')

interface PeerPackage {
  readonly name: string
  readonly version: string
  readonly registry: 'npm' | 'PyPI'
  /** Whether it says what it found, so that labels can be compared, or only what it made of the text. */
  readonly says: 'findings' | 'text'
  /** How it was set up, for the report. */
  readonly setup: string
}

export interface Peer extends PeerPackage {
  readonly worker: LineWorker
}

export interface MissingPeer extends PeerPackage {
  readonly reason: string
}

export const peerPackages: readonly PeerPackage[] = [
  { name: 'openredaction', version: '1.1.5', registry: 'npm', says: 'text', setup: 'defaults' },
  { name: '@redactpii/node', version: '1.0.17', registry: 'npm', says: 'text', setup: 'defaults' },
  { name: 'redact-pii', version: '3.4.0', registry: 'npm', says: 'text', setup: 'SyncRedactor, defaults' },
  {
    name: 'detect-secrets',
    version: '1.5.0',
    registry: 'PyPI',
    says: 'findings',
    setup: 'scan_file of a temporary file, default plugins',
  },
  {
    name: 'presidio-analyzer',
    version: '2.2.366',
    registry: 'PyPI',
    says: 'findings',
    setup: 'default English recognizers on a blank spaCy pipeline, score at least 0.4',
  },
]

export async function openPeer(wanted: PeerPackage): Promise<Peer | MissingPeer> {
  try {
    const worker = wanted.registry === 'npm' ? await npmWorker(wanted) : await pythonWorker(wanted)
    await worker.ask({ op: 'mask', texts: ['warm'] }, 60_000)
    return { ...wanted, worker }
  } catch (error) {
    return { ...wanted, reason: reasonOf(error as Error & { stderr?: string }) }
  }
}

const reasonOf = ({ stderr, message }: { stderr?: string; message: string }): string =>
  (stderr?.trim() || message).split('\n').at(-1)?.slice(0, 200) ?? ''

/** Installs once for each set of arguments; an install that was cut short is done again. */
async function install(place: string, steps: readonly (readonly [string, ...string[]])[]): Promise<void> {
  const done = join(place, '.installed')
  if (existsSync(done)) return
  mkdirSync(place, { recursive: true })
  for (const [command, ...args] of steps) {
    await run(command, args, { cwd: place, timeout: INSTALL_MS_MAX, maxBuffer: 2 ** 24 })
  }
  writeFileSync(done, '')
}

const placeOf = ({ name, version }: PeerPackage): string =>
  join(folder, `${name.replace('/', '-')}-${version}`)

async function npmWorker(wanted: PeerPackage): Promise<LineWorker> {
  const place = placeOf(wanted)
  const flags = ['--prefix', place, '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
  await install(place, [['npm', 'install', ...flags, `${wanted.name}@${wanted.version}`]])
  const script = join(import.meta.dirname, 'npm-peer.ts')
  return new LineWorker({ command: process.execPath, args: [script, place, wanted.name], cwd: place })
}

async function pythonWorker(wanted: PeerPackage): Promise<LineWorker> {
  const place = placeOf(wanted)
  const python = join(place, 'bin/python')
  await install(place, [
    ['python3', '-m', 'venv', place],
    [python, '-m', 'pip', 'install', '--quiet', '--only-binary=:all:', `${wanted.name}==${wanted.version}`],
  ])
  const script = join(import.meta.dirname, 'python-peer.py')
  return new LineWorker({ command: python, args: [script, wanted.name], cwd: place })
}
