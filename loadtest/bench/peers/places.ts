// Where peers are: what is installed on the system, and a cache that git ignores for the rest.
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Found } from './row.ts'

export const root = join(import.meta.dirname, '../../..')
export const cache = join(root, '.bench/peers')
export const places = {
  envoy: join(cache, 'envoy/bin/envoy'),
  portkey: join(cache, 'portkey/node_modules/@portkey-ai/gateway'),
  litellm: join(cache, 'python/bin/litellm'),
  litellmPython: join(cache, 'python/bin/python'),
  gomodel: join(cache, 'gomodel/gomodel'),
}

const VERSION_MS_MAX = 30_000

/** Runs `command ...args` and finds the version in what it prints. */
export async function versionOf(
  command: string,
  args: readonly string[],
  pattern: RegExp,
  absent: string,
): Promise<Found> {
  try {
    const { stdout, stderr } = await promisify(execFile)(command, args, { timeout: VERSION_MS_MAX })
    const version = pattern.exec(stdout + stderr)?.[1]
    return version === undefined ? { missing: `no version in what ${command} prints` } : { version }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return { missing: code === 'ENOENT' ? absent : `does not run: ${(error as Error).message}`.slice(0, 300) }
  }
}
