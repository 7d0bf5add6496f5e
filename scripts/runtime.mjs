// Prints the path of the Node.js that runs Sallyport, after installing what package-lock.json names when it is not
// there. Plain JavaScript for Node.js 18 and later: it runs before anything is installed. Progress goes to stderr.
//   node scripts/runtime.mjs         what `npm start` needs (production packages)
//   node scripts/runtime.mjs --dev   what `npm test` needs (all packages)
//
// 1. What is installed is judged by what npm itself wrote down when it had finished, so that an `npm ci` by hand, by
//    an editor or by CI counts, an interrupted one does not, and a lockfile that changed since leads to a new one.
// 2. An install never makes less of what is there: where development packages are, they stay.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const MAJOR_MIN = 26
const root = fileURLToPath(new URL('..', import.meta.url))
const modules = join(root, 'node_modules')

/** The packages of a lockfile by their paths, without the project itself; none when it cannot be read. */
function packagesOf(file) {
  try {
    return Object.entries(JSON.parse(readFileSync(file, 'utf8')).packages).filter(([path]) => path !== '')
  } catch {
    return []
  }
}

const wanted = packagesOf(join(root, 'package-lock.json'))
// npm writes this file as the last step of an install.
const found = new Map(packagesOf(join(modules, '.package-lock.json')))
const withDev = process.argv.includes('--dev') || [...found.values()].some(({ dev }) => dev)

/** Packages for other platforms are marked optional, and npm leaves them out: their absence says nothing. */
const isInPlace = ([path, { version, integrity, dev, optional }]) => {
  const there = found.get(path)
  if (there === undefined) return optional === true || (dev === true && !withDev)
  return there.version === version && there.integrity === integrity
}

function install() {
  const startedAt = Date.now()
  process.stderr.write(
    `Installing ${withDev ? 'all' : 'production'} packages from package-lock.json (once) ...\n`,
  )
  const args = ['ci', '--no-audit', '--no-fund', '--loglevel=error', ...(withDev ? [] : ['--omit=dev'])]
  const npm = process.env.npm_execpath
  const [command, argv] = npm ? [process.execPath, [npm, ...args]] : ['npm', args]
  const { status, error } = spawnSync(command, argv, { cwd: root, stdio: ['ignore', 2, 2] })
  if (error || status !== 0)
    fail(
      'npm ci failed (its reason stands above). Check that the npm registry can be reached, then try again.',
    )
  process.stderr.write(`Installed in ${((Date.now() - startedAt) / 1000).toFixed(1)} s.\n`)
}

/** The pinned Node.js, when there is one for this machine and it runs here (it needs glibc). */
function runtime() {
  const pinned = join(modules, `node-${process.platform}-${process.arch}`, 'bin', 'node')
  if (existsSync(pinned) && spawnSync(pinned, ['--version']).status === 0) return pinned
  if (Number(process.versions.node.split('.')[0]) >= MAJOR_MIN) return process.execPath
  return fail(
    `Sallyport runs on Node.js ${MAJOR_MIN} or later; this is ${process.versions.node}, and the one that npm brings\n` +
      `along is not there or does not run on ${process.platform}-${process.arch} (it needs Linux with glibc).\n` +
      `Install Node.js ${MAJOR_MIN} or later, then try again.`,
  )
}

function fail(message) {
  process.stderr.write(`${message}\n`)
  process.exit(1)
}

if (found.size === 0 || !wanted.every(isInPlace)) install()
process.stdout.write(runtime())
