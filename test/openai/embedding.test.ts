import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { embeddingFields } from '../../src/openai/embedding.ts'
import { parse, verdict } from '../support/request-body.ts'

const embedding = (fields: object): string => verdict('embeddings', fields)

t.test('inputs are text', (t) => {
  t.equal(embedding({ input: ['a', 'b'], encoding_format: 'base64', dimensions: 256 }), 'accepted')
  t.equal(embedding({ input: '' }), 'invalid_value input')
  t.equal(embedding({ input: [''] }), 'invalid_value input[0]')
  t.equal(embedding({ input: [1, 2] }), 'token_ids_refused input[0]')
  t.equal(embedding({ input: [[1, 2]] }), 'token_ids_refused input[0]')
  t.equal(embedding({ input: [{ text: 'x', image: 'http://h/' }] }), 'unsupported_parameter input[0]')
  t.equal(embedding({ input: Array.from({ length: 2_049 }, () => 'x') }), 'invalid_value input')
  t.equal(embedding({ input: Array.from({ length: 2_048 }, () => 'x') }), 'accepted')
  t.end()
})

t.test('other fields', (t) => {
  t.equal(embedding({ encoding_format: 'bytes' }), 'invalid_value encoding_format')
  t.equal(embedding({ dimensions: 0 }), 'invalid_value dimensions')
  for (const name of ['messages', 'truncate_prompt_tokens', 'priority', 'embed_dtype']) {
    t.equal(embedding({ [name]: 1 }), `unsupported_parameter ${name}`)
  }
  for (const name of ['stream', 'max_tokens', 'temperature'])
    t.equal(embedding({ [name]: 1 }), `unknown_parameter ${name}`)
  const call = parse('embeddings', { input: ['a', 'b'], user: 'x' })
  t.match(call, { prompts: 2, choices: 1, stream: false, outputTokensMax: undefined, dropped: ['user'] })
  t.end()
})

t.test("OpenAI's own schema names no field that the table does not decide on", (t) => {
  const known = readFileSync(
    join(import.meta.dirname, '../vectors/openai-openapi/request-fields.json'),
    'utf8',
  )
  for (const name of JSON.parse(known)['embeddings']) t.ok(Object.hasOwn(embeddingFields, name), name)
  t.end()
})
