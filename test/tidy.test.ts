// The rules of the house that a machine can check. A rule that is not a test decays.
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import t from 'tap'

const root = join(import.meta.dirname, '..')
const read = (file: string): string => readFileSync(join(root, file), 'utf8')
const list = (pattern: string): string[] => globSync(pattern, { cwd: root }).sort()

const source = [...list('src/**/*.ts'), ...list('plugins/**/*.ts')]
const code = [
  ...source,
  ...list('test/**/*.ts'),
  ...list('loadtest/**/*.ts'),
  ...list('scripts/**/*.{ts,mjs}'),
]

interface Import {
  readonly from: string
  readonly to: string
  readonly typeOnly: boolean
}

const importStatement = /^(?:import|export)\s+(type\s)?(?:[^'"`;]*?\sfrom\s+)?'([^']+)'/gm

function importsOf(file: string): Import[] {
  return [...read(file).matchAll(importStatement)].map((match) => {
    const target = match[2] as string
    const to = target.startsWith('.') ? relative(root, join(root, dirname(file), target)) : target
    return { from: file, to, typeOnly: match[1] !== undefined }
  })
}

/** `src/openai/sse.ts` -> `openai`; `src/gateway.ts` -> `gateway`; `plugins/drain.ts` -> `plugins`. */
function roomOf(file: string): string {
  const [top, second] = file.split('/') as [string, string?]
  if (top !== 'src' || second === undefined) return top
  return second.replace(/\.ts$/, '')
}

const base = ['refusal', 'clock', 'stream-chunks']
const everything = ['*']
/** Who may import whom (docs/architecture.md). `type:` allows types only. Every room may import itself. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  refusal: [],
  clock: [],
  'stream-chunks': [],
  identity: base,
  openai: base,
  audit: base,
  policy: [...base, 'identity', 'type:openai', 'type:redaction'],
  quota: [...base, 'policy', 'type:openai'],
  redaction: [...base, 'type:policy', 'type:openai'],
  upstream: [...base, 'type:policy', 'type:openai', 'type:identity'],
  telemetry: [
    ...base,
    'type:identity',
    'type:openai',
    'type:redaction',
    'type:audit',
    'type:policy',
    'type:ops',
  ],
  workers: base,
  ops: [...base, 'policy', 'type:quota', 'type:identity', 'type:openai', 'type:audit', 'type:config'],
  exchange: [...base, 'identity', 'openai', 'audit', 'policy', 'quota', 'redaction', 'upstream', 'telemetry'],
  config: ['type:policy', 'type:redaction', 'type:openai', 'type:identity', 'type:upstream'],
  plugins: ['refusal', 'stream-chunks', 'exchange', 'type:identity', 'type:openai', 'type:quota'],
  gateway: everything,
  commands: everything,
  main: ['commands'],
}

const ownersOf: Readonly<Record<string, readonly string[]>> = {
  fastify: ['plugins', 'gateway'],
  'fastify-plugin': ['plugins'],
  '@fastify/jwt': ['plugins'],
  undici: ['upstream'],
  ioredis: ['quota'],
  'prom-client': ['telemetry'],
  pino: ['telemetry'],
  yaml: ['config'],
  typebox: ['config'],
  commander: ['main', 'commands'],
  'close-with-grace': ['main', 'commands'],
  '@peculiar/x509': ['commands'],
  'reflect-metadata': ['commands'],
}

const packageOf = (specifier: string): string =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')

const shown = ({ from, to }: Import): string => `${from} imports ${to}`
const matching = (files: readonly string[], pattern: RegExp): string[] =>
  files.filter((file) => pattern.test(read(file)))

t.test('each file imports only what its room may', (t) => {
  const wrong = source.flatMap(importsOf).filter(({ from, to, typeOnly }) => {
    const [room, other] = [roomOf(from), roomOf(to)]
    if (!/^(src|plugins)\//.test(to) || room === other) return false
    const allowed = mayImport[room] ?? []
    return !(
      allowed.includes('*') ||
      allowed.includes(other) ||
      (typeOnly && allowed.includes(`type:${other}`))
    )
  })
  t.same(wrong.map(shown), [])
  t.end()
})

t.test('a plugin never imports another plugin, a stage never another stage', (t) => {
  const stage = /^src\/exchange\/(inbound|outbound|relay|settle)\//
  // The way out, the relay and the accounting are each one stage in several files; inbound has one stage a file.
  const sameStage = (from: string, to: string): boolean =>
    /\/(outbound|relay|settle)\//.test(from) && stage.exec(from)?.[1] === stage.exec(to)?.[1]
  const wrong = source
    .flatMap(importsOf)
    .filter(
      ({ from, to, typeOnly }) =>
        (from.startsWith('plugins/') && to.startsWith('plugins/')) ||
        (stage.test(from) && stage.test(to) && !typeOnly && !sameStage(from, to)),
    )
  t.same(wrong.map(shown), [])
  t.end()
})

t.test('each package is used by its owner alone', (t) => {
  const wrong = source.flatMap(importsOf).filter(({ from, to }) => {
    const owners = ownersOf[packageOf(to)]
    return owners !== undefined && !owners.includes(roomOf(from))
  })
  t.same(wrong.map(shown), [])
  t.end()
})

t.test('load tests and scripts are black boxes', (t) => {
  const wrong = list('loadtest/**/*.ts')
    .flatMap(importsOf)
    .filter(({ to }) => /^(src|plugins|test)\//.test(to))
  t.same(wrong.map(shown), [])
  t.end()
})

t.test('only the process entry reads the environment and the arguments', (t) => {
  const reading = matching(source, /process\.(env|argv)\b/)
  t.same(reading, ['src/main.ts'])
  t.end()
})

t.test('files are small, named after what they hold, and free of leftovers', (t) => {
  const long = source.filter((file) => read(file).split('\n').length > 301)
  const nameless = source.filter((file) => /\b(utils?|helpers?|common|manager|service|handler)\b/i.test(file))
  const leftovers = new RegExp(['\\bTO', 'DO\\b|\\bFIX', 'ME\\b|\\bX', 'XX\\b'].join(''))
  t.same({ long, nameless, leftovers: matching(code, leftovers) }, { long: [], nameless: [], leftovers: [] })
  t.end()
})

t.test('no any, no ignored type errors, no default exports', (t) => {
  t.same(
    matching(source, /:\s*any\b[^ ]|<any>|\bas any\b|@ts-(ignore|nocheck|expect-error)|^export default/m),
    [],
  )
  t.end()
})

t.test('tests are not skipped', (t) => {
  const skipping = /\.(skip|only|todo)\(|\{ *(skip|todo|only): *(true|')/
  const tests = list('test/**/*.test.ts').filter((file) => file !== 'test/tidy.test.ts')
  t.same(matching(tests, skipping), [])
  t.end()
})

t.test('every source file is reached from the process entry or a script', (t) => {
  const reached = new Set<string>()
  const visit = (file: string): void => {
    if (reached.has(file) || !/^(src|plugins|test|scripts)\//.test(file)) return
    reached.add(file)
    for (const { to } of importsOf(file)) if (to.endsWith('.ts')) visit(to)
    for (const [, path] of read(file).matchAll(/import\('(\.[^']+\.ts)'\)/g)) {
      visit(relative(root, join(root, dirname(file), path as string)))
    }
  }
  for (const entry of ['src/main.ts', ...list('scripts/**/*.ts')]) visit(entry)
  const dead = source.filter((file) => !reached.has(file))
  t.same(dead, [])
  t.end()
})

t.test('every test file mirrors a source file or says what behavior it is about', (t) => {
  const behaviors = /^test\/(e2e|golden|advisories|loadtest|docs|scripts|corpora|support|tidy)/
  const homeless = list('test/**/*.test.ts').filter((file) => {
    const [, room] = file.split('/') as [string, string]
    const mirrored = room.endsWith('.test.ts')
      ? `src/${room.replace('.test.ts', '.ts')}`
      : `src/${room}/**/*.ts`
    return !behaviors.test(file) && room !== 'plugins' && list(mirrored).length === 0
  })
  t.same(homeless, [])
  t.end()
})

t.test('the lockfile names no registry and pins every package', (t) => {
  const lock = read('package-lock.json')
  t.notMatch(lock, /"resolved":/, 'no download addresses')
  const manifest = JSON.parse(read('package.json'))
  const all = { ...manifest.dependencies, ...manifest.devDependencies, ...manifest.optionalDependencies }
  const loose = Object.entries(all).filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(String(version)))
  t.same(loose, [])
  t.end()
})

t.test('each refusal has a row in the reference', (t) => {
  const page = read('docs/reference/errors.md')
  const rows = [...page.matchAll(/^\| `([a-z_]+)` \| (\d{3}) \|/gm)].map((match) => `${match[1]} ${match[2]}`)
  return import('../src/refusal.ts').then(({ refusals }) => {
    const table = Object.entries(refusals).map(([code, row]) => `${code} ${row.status}`)
    t.same(rows.sort(), table.sort())
  })
})
