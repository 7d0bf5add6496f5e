import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { completionFields } from '../../src/openai/completion.ts'
import { parse, verdict } from '../support/request-body.ts'

const completion = (fields: object): string => verdict('completions', fields)

t.test('prompts are text', (t) => {
  t.equal(completion({ prompt: ['a', 'b'] }), 'accepted')
  t.equal(completion({ prompt: '' }), 'accepted')
  t.equal(completion({ prompt: [1, 2, 3] }), 'token_ids_refused prompt[0]')
  t.equal(completion({ prompt: [[1, 2], [3]] }), 'token_ids_refused prompt[0]')
  t.equal(completion({ prompt: ['a', 5] }), 'token_ids_refused prompt[1]')
  t.equal(completion({ prompt: 5 }), 'token_ids_refused prompt')
  t.equal(completion({ prompt: [] }), 'invalid_value prompt')
  t.equal(completion({ prompt: [null] }), 'invalid_value prompt[0]')
  t.equal(completion({ prompt: null }), 'missing_field prompt')
  t.equal(completion({ prompt: { prompt_token_ids: [1] } }), 'unsupported_parameter prompt')
  t.equal(completion({ prompt: Array.from({ length: 257 }, () => 'x') }), 'invalid_value prompt')
  t.end()
})

t.test('what would show the prompt again or multiply the cost', (t) => {
  t.equal(completion({ echo: true }), 'unsupported_parameter echo')
  t.equal(completion({ echo: false, best_of: 1 }), 'accepted')
  t.equal(completion({ best_of: 20 }), 'unsupported_parameter best_of')
  t.equal(completion({ prompt_logprobs: 1 }), 'unsupported_parameter prompt_logprobs')
  t.equal(completion({ prompt_embeds: 'AAAA' }), 'token_ids_refused prompt_embeds')
  t.equal(completion({ max_tokens: 0 }), 'invalid_value max_tokens')
  t.equal(completion({ messages: [] }), 'unsupported_parameter messages')
  t.equal(completion({ max_completion_tokens: 5 }), 'unknown_parameter max_completion_tokens')
  t.end()
})

t.test('facts and slots', (t) => {
  const call = parse('completions', { prompt: ['a', 'b'], suffix: 's', n: 3, logprobs: 2, stop: 'x' })
  t.match(call, { prompts: 2, choices: 3, logprobs: 2, outputTokensMax: 16 })
  t.same(
    call.texts.map((slot) => slot.path),
    ['prompt[0]', 'prompt[1]', 'suffix', 'stop'],
  )
  t.end()
})

t.test("OpenAI's own schema names no field that the table does not decide on", (t) => {
  const known = readFileSync(
    join(import.meta.dirname, '../vectors/openai-openapi/request-fields.json'),
    'utf8',
  )
  for (const name of JSON.parse(known)['completions']) t.ok(Object.hasOwn(completionFields, name), name)
  t.end()
})
