import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from './command.ts'
import { NotRun, say } from './progress.ts'

/** A virtual environment of the run's own. */
export interface Python {
  readonly command: string
  pip(args: readonly string[]): Promise<string>
}

const requirements = (name: string): string => join(import.meta.dirname, name)

/** Makes a virtual environment in the folder, or takes the one that is there. */
export async function openPython(folder: string): Promise<Python> {
  const command = join(folder, 'bin', 'python')
  if (!existsSync(command)) {
    say(`  making a Python environment ...`)
    await run('python3', ['-m', 'venv', folder]).catch((error: Error) => {
      throw new NotRun(`no Python with venv: ${error.message}`)
    })
  }
  const pip = ['-m', 'pip', '--disable-pip-version-check', '--no-input']
  return { command, pip: (args) => run(command, [...pip, ...args]) }
}

/** Installs a file of pinned packages, once for each of its contents. */
export async function installPinned(python: Python, folder: string, file: string): Promise<void> {
  const wanted = readFileSync(requirements(file), 'utf8')
  const marker = join(folder, `.${file}.installed`)
  if (existsSync(marker) && readFileSync(marker, 'utf8') === wanted) return
  say(`  installing scripts/real/${file} ...`)
  await python.pip(['install', '--quiet', '--no-deps', '--requirement', requirements(file)])
  writeFileSync(marker, wanted)
}
