/** A copy of the tree as a fresh clone has it, with packages in place: for tests that run `npm start` for real. */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..', '..')

const parts = [
  'package.json',
  'package-lock.json',
  '.npmrc',
  'config',
  'loadtest',
  'plugins',
  'scripts',
  'src',
]

export interface TreeCopy {
  readonly folder: string
  remove(): void
}

/** Each package is a link of its own: an install in the copy would take links away, never packages. */
export function copyTree(): TreeCopy {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-clone-'))
  for (const part of parts) cpSync(join(root, part), join(folder, part), { recursive: true })
  mkdirSync(join(folder, 'node_modules'))
  for (const name of readdirSync(join(root, 'node_modules'))) {
    symlinkSync(join(root, 'node_modules', name), join(folder, 'node_modules', name))
  }
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) }
}
