import t from 'tap'
import { type Config, type Loaded, loadConfig } from '../../src/config/load.ts'
import type { FileSource } from '../../src/config/source.ts'
import { createPolicy } from '../../src/policy/engine.ts'
import { simulatedKnowledge } from './simulated-knowledge.ts'
import { type SimulatedFiles, simulatedSource, validTexts } from './simulated-source.ts'

const options = {
  ...simulatedKnowledge({ EMAIL_ADDRESS: 'contact', CREDIT_CARD: 'payment' }),
  now: 0,
  material: 'skip',
} as const

const load = (files: SimulatedFiles = {}): Promise<Loaded> =>
  loadConfig(simulatedSource({ ...validTexts, ...files }), options)
const lines = (loaded: Loaded): string[] =>
  'problems' in loaded
    ? loaded.problems.map(({ file, line, column, path }) => `${file}:${line}:${column} ${path}`)
    : []
const configOf = (loaded: Loaded): Config => {
  if ('problems' in loaded) throw new Error(JSON.stringify(loaded.problems))
  return loaded.config
}

t.test('a valid configuration', async (t) => {
  const loaded = await load()
  const config = configOf(loaded)
  t.same(loaded.warnings, [])
  t.equal(config.gateway.traffic.port, 8443)
  t.equal(config.gateway.traffic.bounds.json.depthMax, 64)
  t.match(config.policies.roles['app']?.parameters, { choicesMax: 1, promptsMax: 16, inputsMax: 256 })
  t.match(config.hash, /^[0-9a-f]{16}$/)
  t.equal(createPolicy(config).hash, config.hash, 'the types of the policy fit')
})

t.test('paths are absolute, and every file is there to be watched', async (t) => {
  const config = configOf(await load())
  t.equal(config.gateway.traffic.tls.key, '/simulated/tls/server.key')
  t.equal(config.models.pools['gpu']?.tls?.ca, '/simulated/tls/upstream.crt')
  t.match(config.gateway.identity.issuers[0]?.keys, { file: '/simulated/keys.jwks' })
  t.same([...config.files].sort(), [
    '/simulated/gateway.yaml',
    '/simulated/keys.jwks',
    '/simulated/models.yaml',
    '/simulated/policies.yaml',
    '/simulated/redaction.yaml',
    '/simulated/tls/ca.crt',
    '/simulated/tls/server.crt',
    '/simulated/tls/server.key',
    '/simulated/tls/upstream.crt',
  ])
})

t.test('what is wrong says which files to watch for the cure', async (t) => {
  const broken = await load({ 'redaction.yaml': 'profiles: 3\n' })
  t.ok('problems' in broken && broken.files.includes('/simulated/redaction.yaml'))
  t.ok('problems' in broken && broken.files.includes('/simulated/tls/server.key'))
})

t.test('the value is frozen to the ground, and the schemas are not', async (t) => {
  const config = configOf(await load())
  const formats = config.policies.roles['app']?.parameters.responseFormats ?? []
  t.throws(() => formats.push('json_object'), TypeError)
  t.throws(() => Object.assign(config.gateway.drain, { delayMs: 0 }), TypeError)
  t.same(configOf(await load()), config, 'and loads again')
})

t.test('all problems of all files at once, in order, with their places', async (t) => {
  const loaded = await load({
    'gateway.yaml': validTexts['gateway.yaml'].replace(
      'algorithms: [ES256]',
      'algorithms: [ES256, none]\n      color: red',
    ),
    'models.yaml': validTexts['models.yaml'].replace('server: vllm', 'server: vlm'),
    'policies.yaml': validTexts['policies.yaml'].replace('inFlight: 4', 'inFlight: 0'),
    'redaction.yaml': validTexts['redaction.yaml'].replace('EMAIL_ADDRESS', 'EMAIL'),
  })
  t.same(lines(loaded), [
    'gateway.yaml:11:27 identity.issuers[0].algorithms[1]',
    'gateway.yaml:12:7 identity.issuers[0].color',
    'models.yaml:3:5 pools.gpu.server',
    'policies.yaml:8:37 roles.app.limits.inFlight',
    'redaction.yaml:4:39 profiles.standard.reply.entities.EMAIL',
  ])
})

t.test('files that cannot be read', async (t) => {
  const without: SimulatedFiles = {
    ...validTexts,
    'policies.yaml': 'folder',
    'models.yaml': `${' '.repeat(1024 * 1024)}\n`,
  }
  delete without['redaction.yaml']
  const loaded = await loadConfig(simulatedSource(without), options)
  t.match('problems' in loaded && loaded.problems, [
    { file: 'models.yaml', line: 0, message: 'is larger than 1048576 bytes' },
    { file: 'policies.yaml', line: 0, message: /folder/ },
    { file: 'redaction.yaml', line: 0, message: /missing/ },
  ])
})

t.test('a file that is no UTF-8 or empty, and duplicate keys', async (t) => {
  const source = simulatedSource({
    ...validTexts,
    'policies.yaml': '# nothing\n',
    'redaction.yaml': 'profiles: {}\nprofiles: {}\n',
  })
  const latin: FileSource = {
    ...source,
    read: async (path, bounds) =>
      path === 'models.yaml'
        ? { kind: 'file', bytes: Buffer.from([0xe4]), mode: 0o600 }
        : source.read(path, bounds),
  }
  const loaded = await loadConfig(latin, options)
  t.match('problems' in loaded && loaded.problems, [
    { file: 'models.yaml', message: 'must be UTF-8' },
    { file: 'policies.yaml', message: 'is empty' },
    { file: 'redaction.yaml', line: 2, column: 1, message: /unique/ },
  ])
})

t.test('the hash follows the policy, not its form or its folder', async (t) => {
  const hash = async (files: SimulatedFiles): Promise<string> => configOf(await load(files)).hash
  const policies = validTexts['policies.yaml']
  const usual = await hash({})
  t.equal(await hash({ 'policies.yaml': `# a remark\nunknownFields: refuse\n${policies}` }), usual, 'form')
  t.equal(
    await hash({ 'gateway.yaml': `${validTexts['gateway.yaml']}log: {level: debug}\n` }),
    usual,
    'gateway',
  )
  t.not(await hash({ 'policies.yaml': policies.replace('1000', '1001') }), usual, 'policies')
  t.not(await hash({ 'models.yaml': validTexts['models.yaml'].replace('4096', '4097') }), usual, 'models')
  t.not(
    await hash({ 'redaction.yaml': validTexts['redaction.yaml'].replace('allow', 'block') }),
    usual,
    'redaction',
  )
  const elsewhere = { ...simulatedSource(validTexts), resolve: (path: string) => `/elsewhere/${path}` }
  t.equal(configOf(await loadConfig(elsewhere, options)).hash, usual, 'folder')
})

t.test('a folder that is swapped while it is read is read again', async (t) => {
  const other = validTexts['policies.yaml']
    .replace('[chat, embed]', '[talk]')
    .replaceAll('chat:', 'talk:')
    .replace('  embed: ', '  # ')
  const versions = [validTexts, { ...validTexts, 'policies.yaml': other }].map(simulatedSource)
  let reads = 0
  const swapping: FileSource = {
    ...simulatedSource({}),
    read: (path, bounds) => {
      reads += 1
      return (versions[reads > 2 ? 1 : 0] as FileSource).read(path, bounds)
    },
  }
  t.same(configOf(await loadConfig(swapping, options)).policies.roles['app']?.scopes, ['talk'])
  t.equal(reads, 8, 'two passes that agree')
})

t.test('a file that everybody can change is worth a warning', async (t) => {
  const loaded = await load({ 'policies.yaml': { text: validTexts['policies.yaml'], mode: 0o666 } })
  t.match(loaded.warnings, [{ file: 'policies.yaml', message: /every user of the machine/ }])
})
