import fc from 'fast-check'
import t from 'tap'
import { configSchemas } from '../../src/config/consistency.ts'
import { withDefaults } from '../../src/config/defaults.ts'
import type { Part } from '../../src/config/problem.ts'
import { signatureAlgorithms } from '../../src/config/schema/identity.ts'
import { endpointNames } from '../../src/config/schema/policies.ts'
import { checkShape } from '../../src/config/shape.ts'
import { signatureAlgorithms as identityAlgorithms } from '../../src/identity/algorithm.ts'
import { endpoints } from '../../src/openai/call.ts'

const role = (fields: object) => ({
  roles: { app: { scopes: ['a'], limits: { requestsPerMinute: 1, inFlight: 1 }, redaction: 'r', ...fields } },
  scopes: {},
})
const mistakesOf = (part: Part, value: unknown): Record<string, string> =>
  Object.fromEntries(
    checkShape(configSchemas[part], value).mistakes.map(({ path, message }) => [path.join('/'), message]),
  )

t.test('each mistake says what is allowed', async (t) => {
  const parameters = {
    outputTokensMax: 0,
    choicesMax: 'many',
    tools: 3,
    responseFormats: ['xml'],
    logprobsMax: null,
    extra: 1,
  }
  t.same(
    mistakesOf('policies', { ...role({ parameters, scopes: [], binding: 'yes' }), unknownFields: 'keep' }),
    {
      unknownFields: 'must be one of: refuse, drop',
      'roles/app/scopes': 'must have 1 to 256 entries',
      'roles/app/binding': 'must be one of: none, required',
      'roles/app/parameters/outputTokensMax': 'must be a whole number from 1 to 10000000',
      'roles/app/parameters/choicesMax': 'must be a whole number from 1 to 128',
      'roles/app/parameters/tools': 'must be a list of tool names or globs, e.g. ["*"], or none',
      'roles/app/parameters/responseFormats/0': 'must be one of: text, json_object, json_schema',
      'roles/app/parameters/logprobsMax': 'is empty: give it a value or remove the key',
      'roles/app/parameters/extra':
        'is not a key that is known here; allowed are: choicesMax, inputsMax, logprobsMax, outputTokensMax, promptsMax, responseFormats, tools',
    },
  )
})

t.test('missing fields are explained, names are bounded', async (t) => {
  const mistakes = mistakesOf('policies', { scopes: { 'B b': {}, constructor: 1 }, roles: { app: {} } })
  t.match(mistakes['scopes/B b'], /"B b" cannot stand here; allowed are lower-case letters/)
  t.match(mistakes['scopes/constructor'], /must be a mapping/)
  t.match(mistakes['roles/app/limits'], /is missing\. Limits, each shared/)
  t.match(mistakes['roles/app/redaction'], /is missing\. Name of a profile/)
})

t.test('algorithms: closed list, no HS and no none', async (t) => {
  const issuer = (algorithms: unknown) => ({ identity: { issuers: [{ algorithms }] } })
  for (const algorithm of ['none', 'HS256', 'hs256', 'es256', '']) {
    t.match(
      mistakesOf('gateway', issuer([algorithm]))['identity/issuers/0/algorithms/0'],
      /one of: EdDSA, ES256/,
    )
  }
  t.same(signatureAlgorithms, identityAlgorithms, 'the same list as identity has')
  t.same(endpointNames, endpoints, 'the same list as openai has')
})

t.test('all mistakes, not the first few', async (t) => {
  const scopes = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`s${i}`, 3]))
  t.equal(checkShape(configSchemas.policies, { scopes, roles: {} }).mistakes.length, 100)
})

t.test('unions are explained as a whole', async (t) => {
  const keys = (value: unknown) =>
    mistakesOf('gateway', { identity: { issuers: [{ keys: value }] } })['identity/issuers/0/keys']
  t.match(keys({ url: 'http://example.com/jwks' }), /either \{file: .*https address/)
  t.match(keys({ file: 'a', url: 'https://example.com/' }), /either/)
  t.match(keys({ url: 'https://user@example.com/' }), /either/)
  t.equal(keys({ url: 'https://example.com/jwks', ca: 'ca.crt' }), undefined)
  t.equal(keys({ file: 'keys.jwks' }), undefined)
})

t.test('endpoints of a pool are origins', async (t) => {
  const pool = (endpoint: string) => ({ pools: { p: { server: 'vllm', endpoints: [endpoint] } }, models: {} })
  for (const bad of [
    'https://a/v1',
    'https://u:p@a',
    'ftp://a',
    'https://a?x',
    'https://a#x',
    'https://',
    'a:80',
  ]) {
    t.match(mistakesOf('models', pool(bad))['pools/p/endpoints/0'], /must be an origin/, bad)
  }
  for (const good of ['https://a', 'http://127.0.0.1:8000', 'https://[::1]:8000/']) {
    t.same(mistakesOf('models', pool(good)), {}, good)
  }
})

t.test('model names never look like a path', async (t) => {
  const names = (name: string) =>
    Object.keys(mistakesOf('models', { pools: {}, models: { [name]: { pool: 'p', outputTokensMax: 1 } } }))
  for (const good of ['gpt-4o', 'org/name', 'a.b:c@d+e', '.hidden', 'a..b']) t.same(names(good), [], good)
  for (const bad of ['../x', 'a/../b', 'a//b', '/a', 'a/', '.', '..', 'a*', 'a b', '', 'ä'])
    t.same(names(bad), [`models/${bad}`], bad)
})

t.test('defaults fill what is left out and nothing else', async (t) => {
  const { value } = checkShape(
    configSchemas.policies,
    role({ parameters: { outputTokensMax: 5, choicesMax: 2 } }),
  )
  t.match(value, {
    unknownFields: 'refuse',
    roles: {
      app: { binding: 'none', parameters: { choicesMax: 2, tools: 'none', responseFormats: ['text'] } },
    },
  })
  const schema = { properties: { a: { default: {}, properties: { b: { default: [1] } } } } }
  const first = withDefaults(schema, {}) as { a: { b: number[] } }
  first.a.b.push(2)
  t.same(withDefaults(schema, {}), { a: { b: [1] } }, 'each value has defaults of its own')
})

t.test('any value at all: mistakes, never an exception', async (t) => {
  fc.assert(
    fc.property(
      fc.constantFrom('gateway', 'models', 'policies', 'redaction' as const),
      fc.jsonValue(),
      (part, value) => {
        const wrapped = { [part === 'gateway' ? 'traffic' : 'unknown']: value }
        return checkShape(configSchemas[part as Part], wrapped).mistakes.length > 0
      },
    ),
    { numRuns: 100 },
  )
  t.pass()
})
