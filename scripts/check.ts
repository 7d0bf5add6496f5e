// `npm test`: lint, types, then every test against real parts. Stops at the first step that fails.
import { spawnSync } from 'node:child_process'
import { globSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const bin = (name: string): string => join(root, 'node_modules', '.bin', name)

function step(title: string, command: string, args: readonly string[]): void {
  process.stdout.write(`\n${title}\n`)
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit' })
  if (error) process.stderr.write(`${title}: ${error.message}\n`)
  if (error || status !== 0) process.exit(status ?? 1)
}

const files = globSync('test/**/*.test.ts', { cwd: root }).sort()
step('Lint and format (Biome)', bin('biome'), ['check', '--error-on-warnings'])
step('Types (TypeScript)', bin('tsc'), ['--noEmit'])
step(`Tests (${files.length} files)`, process.execPath, ['--test', '--test-timeout=120000', ...files])
