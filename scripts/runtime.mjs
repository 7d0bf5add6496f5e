// Prints the path of the Node.js that runs Sallyport, after installing what the lockfile names when it is not there.
// Plain JavaScript for Node.js 18 and later: it runs before anything is installed. Progress goes to stderr.
//   node scripts/runtime.mjs         what `npm start` needs (production packages)
//   node scripts/runtime.mjs --dev   what `npm test` needs (all packages)
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const MAJOR_MIN = 26
const root = fileURLToPath(new URL('..', import.meta.url))
const modules = join(root, 'node_modules')
const marker = join(modules, '.sallyport-installed')
const scope = process.argv.includes('--dev') ? 'all' : 'production'

const lockHash = () =>
  createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex')

function installed() {
  if (!existsSync(marker)) return false
  const [hash, have] = readFileSync(marker, 'utf8').split(' ')
  return hash === lockHash() && (have === 'all' || have === scope)
}

function install() {
  process.stderr.write(
    `Installing ${scope === 'all' ? 'all' : 'production'} packages from package-lock.json ...\n`,
  )
  const omit = scope === 'all' ? [] : ['--omit=dev']
  const args = ['ci', '--no-audit', '--no-fund', '--loglevel=error', ...omit]
  const npm = process.env.npm_execpath
  const [command, argv] = npm ? [process.execPath, [npm, ...args]] : ['npm', args]
  const { status, error } = spawnSync(command, argv, { cwd: root, stdio: ['ignore', 2, 2] })
  if (error || status !== 0)
    fail('npm ci failed. Check that the npm registry can be reached, then run the command again.')
  writeFileSync(marker, `${lockHash()} ${scope}`)
}

function runtime() {
  const pinned = join(modules, `node-${process.platform}-${process.arch}`, 'bin', 'node')
  if (existsSync(pinned)) return pinned
  if (Number(process.versions.node.split('.')[0]) >= MAJOR_MIN) return process.execPath
  return fail(
    `Sallyport runs on Node.js ${MAJOR_MIN} or later. npm has no binary for ${process.platform}-${process.arch}: install it yourself (this is ${process.version}).`,
  )
}

function fail(message) {
  process.stderr.write(`${message}\n`)
  process.exit(1)
}

if (!installed()) install()
process.stdout.write(runtime())
