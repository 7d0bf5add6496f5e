/** scripts/runtime.mjs in a small tree of its own, with a npm that only writes down what it was asked for. */
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { type Ended, freshEnvironment, runChild } from '../support/child.ts'

// The Node.js that runs npm: on a developer's machine an older one than ours, and the script must run there.
const olderNode = process.env['npm_node_execpath'] ?? process.execPath
const pinnedName = `node-${process.platform}-${process.arch}`

interface Entry {
  readonly version: string
  readonly integrity?: string
  readonly dev?: boolean
  readonly optional?: boolean
  readonly os?: readonly string[]
}
type Packages = Record<string, Entry>

const packages: Packages = {
  'node_modules/one': { version: '1.0.0', integrity: 'sha512-a' },
  'node_modules/tool': { version: '2.0.0', integrity: 'sha512-b', dev: true },
  'node_modules/for-elsewhere': { version: '3.0.0', optional: true, os: ['plan9'] },
}

/** Leaves out what npm would, and writes its own lockfile last. */
const simulatedNpm = `
import { appendFileSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
const args = process.argv.slice(2).join(' ')
appendFileSync('npm.log', args + '\\n')
if (process.env.SIMULATED_NPM === 'fails') process.exit(1)
const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8'))
const kept = Object.entries(packages).filter(([path, { dev, os }]) =>
  path !== '' && !(dev && args.includes('--omit=dev')) && !os)
rmSync('node_modules', { recursive: true, force: true })
mkdirSync('node_modules/${pinnedName}/bin', { recursive: true })
symlinkSync(${JSON.stringify(process.execPath)}, 'node_modules/${pinnedName}/bin/node')
writeFileSync('node_modules/.package-lock.json', JSON.stringify({ packages: Object.fromEntries(kept) }))
`

class Tree {
  readonly folder = mkdtempSync(join(tmpdir(), 'sallyport-runtime-'))

  constructor(t: Test) {
    t.teardown(() => rmSync(this.folder, { recursive: true }))
    mkdirSync(join(this.folder, 'scripts'))
    cpSync(join(import.meta.dirname, '../../scripts/runtime.mjs'), join(this.folder, 'scripts/runtime.mjs'))
    writeFileSync(join(this.folder, 'simulated-npm.mjs'), simulatedNpm)
    this.lock(packages)
  }

  lock(locked: Packages): void {
    const text = JSON.stringify({ lockfileVersion: 3, packages: { '': { version: '0.0.0' }, ...locked } })
    writeFileSync(join(this.folder, 'package-lock.json'), text)
  }

  /** What npm notes down when it has finished. */
  installedByHand(found: Packages): void {
    mkdirSync(join(this.folder, 'node_modules', pinnedName, 'bin'), { recursive: true })
    symlinkSync(process.execPath, this.pinned)
    writeFileSync(join(this.folder, 'node_modules/.package-lock.json'), JSON.stringify({ packages: found }))
  }

  get pinned(): string {
    return join(this.folder, 'node_modules', pinnedName, 'bin', 'node')
  }

  async run(args: readonly string[] = [], env: NodeJS.ProcessEnv = {}, node = olderNode): Promise<Ended> {
    const npm = { npm_execpath: join(this.folder, 'simulated-npm.mjs') }
    return await runChild(node, [join(this.folder, 'scripts/runtime.mjs'), ...args], {
      cwd: this.folder,
      env: freshEnvironment({ ...npm, ...env }),
    })
  }

  /** The installs so far. */
  get installs(): string[] {
    const log = join(this.folder, 'npm.log')
    return existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : []
  }
}

const production = 'ci --no-audit --no-fund --loglevel=error --omit=dev'
const everything = 'ci --no-audit --no-fund --loglevel=error'

t.test('nothing is installed: production packages, said on stderr; the path alone on stdout', async (t) => {
  const tree = new Tree(t)
  const { code, out, err } = await tree.run()
  t.same({ code, out }, { code: 0, out: tree.pinned })
  t.match(err, /^Installing production packages .+\nInstalled in [\d.]+ s\.\n$/)
  t.same(tree.installs, [production])
  const again = await tree.run()
  t.same({ out: again.out, err: again.err }, { out: tree.pinned, err: '' })
  t.same(tree.installs, [production], 'once')
})

t.test('development packages are added when they are asked for, and then stay', async (t) => {
  const tree = new Tree(t)
  await tree.run()
  await tree.run(['--dev'])
  t.same(tree.installs, [production, everything])
  await tree.run()
  await tree.run(['--dev'])
  t.equal(tree.installs.length, 2)
  tree.lock({ ...packages, 'node_modules/two': { version: '1.0.0' } })
  await tree.run()
  t.same(tree.installs, [production, everything, everything])
})

t.test('an `npm ci` by hand counts', async (t) => {
  const tree = new Tree(t)
  const { 'node_modules/for-elsewhere': _, ...here } = packages
  tree.installedByHand(here)
  t.equal((await tree.run()).out, tree.pinned)
  t.equal((await tree.run(['--dev'])).out, tree.pinned)
  t.same(tree.installs, [])
})

t.test('what is not what the lockfile says is installed anew', async (t) => {
  const one = { version: '1.0.0', integrity: 'sha512-a' }
  const others: Record<string, Packages> = {
    'another version': { 'node_modules/one': { ...one, version: '1.0.1' } },
    'another content': { 'node_modules/one': { ...one, integrity: 'sha512-z' } },
    'one is missing': { 'node_modules/three': one },
    'an install that did not finish': {},
  }
  for (const [what, found] of Object.entries(others)) {
    const tree = new Tree(t)
    tree.installedByHand(found)
    t.equal((await tree.run()).out, tree.pinned, what)
    t.same(tree.installs, [production])
  }
  const tree = new Tree(t)
  tree.installedByHand({})
  writeFileSync(join(tree.folder, 'node_modules/.package-lock.json'), '{"packages":')
  await tree.run()
  t.same(tree.installs, [production], 'a file that is cut off')
})

t.test('npm fails: what to do, 1, and nothing on stdout that a shell could run', async (t) => {
  const tree = new Tree(t)
  const { code, out, err } = await tree.run([], { SIMULATED_NPM: 'fails' })
  t.same({ code, out }, { code: 1, out: '' })
  t.match(err, /npm ci failed .+ Check that the npm registry can be reached, then try again\.\n$/)
})

t.test('a pinned Node.js that does not run here: this one, if it is new enough', async (t) => {
  const tree = new Tree(t)
  tree.installedByHand(packages)
  rmSync(tree.pinned)
  symlinkSync('/bin/false', tree.pinned)
  t.equal((await tree.run([], {}, process.execPath)).out, process.execPath)
  const old = join(tree.folder, 'old.cjs')
  const value = "{ value: { ...process.versions, node: '20.0.0' } }"
  writeFileSync(old, `Object.defineProperty(process, 'versions', ${value})`)
  const { code, out, err } = await tree.run([], { NODE_OPTIONS: `--require=${old}` }, process.execPath)
  t.same({ code, out }, { code: 1, out: '' })
  t.match(err, /^Sallyport runs on Node\.js 26 or later; this is 20\.0\.0, [\s\S]+then try again\.\n$/)
})
