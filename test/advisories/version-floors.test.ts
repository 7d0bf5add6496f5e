/**
 * The lowest versions without known holes, since a registry's audit endpoint cannot be relied on in CI. Every copy that
 * serves production is looked at, nested ones too; copies that only development tools use are not.
 */
import { existsSync, readFileSync } from 'node:fs'
import t from 'tap'

const root = new URL('../../', import.meta.url)

const floors: Readonly<Record<string, readonly [version: string, reason: string]>> = {
  'fast-jwt': [
    '6.3.6',
    'CVE-2026-107719: a cached token was accepted after its exp; and 14 advisories before it',
  ],
  '@fastify/jwt': ['10.2.8', 'CVE-2026-110024, CVE-2026-107275: options per call dropped the global checks'],
  undici: ['8.12.2', 'CVE-2026-109924, CVE-2026-12151 and those before: desync, memory'],
  fastify: ['5.12.1', 'CVE-2026-33806 and those before: content types that skip validation'],
  'find-my-way': ['9.7.0', 'CVE-2026-47219: one bad request ended the process'],
}

/** Packages whose holes have no fixed version that we would trust: they must not come in through another one. */
const forbidden = [
  'get-jwks',
  '@fastify/reply-from',
  '@fastify/http-proxy',
  '@fastify/middie',
  '@fastify/express',
]

for (const [name, [floor, reason]] of Object.entries(floors)) {
  t.test(`${name} is ${floor} or later (${reason})`, async (t) => {
    const versions = copiesOf(name).map(versionAt)
    t.ok(versions.length > 0, 'is installed')
    for (const version of versions) t.ok(isAtLeast(version, floor), version)
  })
}

t.test('packages that are known to be unsafe here are not installed', async (t) => {
  for (const name of forbidden) t.same(copiesOf(name), [], name)
})

t.test('versions are compared as numbers', async (t) => {
  t.ok(isAtLeast('10.0.0', '9.9.9'))
  t.ok(isAtLeast('6.3.6', '6.3.6'))
  t.notOk(isAtLeast('6.3.5', '6.3.6'))
  t.notOk(isAtLeast('6.3.6-rc.1', '6.3.6'))
})

function copiesOf(name: string): readonly string[] {
  const lock: { packages: Record<string, { dev?: boolean }> } = JSON.parse(
    readFileSync(new URL('package-lock.json', root), 'utf8'),
  )
  return Object.entries(lock.packages)
    .filter(([path, { dev }]) => path.endsWith(`node_modules/${name}`) && dev !== true)
    .map(([path]) => path)
    .filter((path) => existsSync(new URL(`${path}/package.json`, root)))
}

function versionAt(path: string): string {
  return JSON.parse(readFileSync(new URL(`${path}/package.json`, root), 'utf8')).version
}

function isAtLeast(version: string, floor: string): boolean {
  if (version.includes('-')) return false
  const [a, b] = [version, floor].map((text) => text.split('.').map(Number)) as [number[], number[]]
  const at = a.findIndex((part, index) => part !== b[index])
  return at === -1 || (a[at] ?? 0) > (b[at] ?? 0)
}
