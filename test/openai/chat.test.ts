import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { chatFields } from '../../src/openai/chat.ts'
import { chatVerdict, parse } from '../support/request-body.ts'

const messages = (...list: unknown[]): string => chatVerdict({ messages: list })
const assistant = (fields: object): string => messages({ role: 'assistant', ...fields })

t.test('roles and their members', (t) => {
  t.equal(
    messages(
      { role: 'system', content: 's' },
      { role: 'developer', content: 'd' },
      { role: 'user', content: 'u', name: 'ann' },
    ),
    'accepted',
  )
  t.equal(
    messages({ role: 'tool', tool_call_id: 'call_1', content: [{ type: 'text', text: 'x' }] }),
    'accepted',
  )
  t.equal(messages({ role: 'function', name: 'f', content: 'x' }), 'accepted')
  t.equal(messages({ role: 'user' }), 'missing_field messages[0].content')
  t.equal(messages({ role: 'tool', content: 'x' }), 'missing_field messages[0].tool_call_id')
  t.equal(messages({ role: 'root', content: 'x' }), 'invalid_value messages[0].role')
  t.equal(messages({ content: 'x' }), 'missing_field messages[0].role')
  t.equal(messages({ role: 'user', content: '' }), 'accepted')
  t.equal(messages({ role: 'user', content: [] }), 'invalid_value messages[0].content')
  t.equal(messages({ role: 'user', content: [1, 2, 3] }), 'invalid_value messages[0].content[0]')
  t.equal(messages({ role: 'user', content: null }), 'missing_field messages[0].content')
  t.equal(messages({ role: 'user', content: 'x', name: 'two words' }), 'invalid_value messages[0].name')
  t.equal(messages({ role: 'user', content: 'x', name: '<|im_start|>' }), 'invalid_value messages[0].name')
  t.equal(
    messages({ role: 'user', content: 'x', tool_calls: [] }),
    'unknown_parameter messages[0].tool_calls',
  )
  t.equal(messages(), 'invalid_value messages')
  t.equal(chatVerdict({ messages: 'hi' }), 'invalid_value messages')
  t.equal(
    chatVerdict({ messages: Array.from({ length: 2_049 }, () => ({ role: 'user', content: 'x' })) }),
    'invalid_value messages',
  )
  t.end()
})

t.test('a reply that is sent back as it came', (t) => {
  const call = parse('chat.completions', {
    messages: [
      {
        role: 'assistant',
        content: null,
        refusal: null,
        annotations: [],
        audio: null,
        function_call: null,
        reasoning_content: 'thought',
        tool_calls: [
          { index: 0, id: 'call_1', type: 'function', function: { name: 'f', arguments: '{"city":"Oslo"}' } },
        ],
      },
    ],
  })
  t.same(call.fields['messages'], [
    {
      role: 'assistant',
      content: null,
      reasoning_content: 'thought',
      tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'f', arguments: '{"city":"Oslo"}' } }],
    },
  ])
  t.same(call.dropped, ['messages[0].annotations', 'messages[0].tool_calls[0].index'])
  t.end()
})

t.test('tool calls', (t) => {
  const call = (fields: object): string =>
    assistant({ tool_calls: [{ id: 'c', type: 'function', ...fields }] })
  const at = 'messages[0].tool_calls[0]'
  t.equal(
    call({ function: { name: 'f', arguments: 'broken {' } }),
    'accepted',
    'a model may have written broken JSON',
  )
  t.equal(
    call({ function: { name: 'f', arguments: '['.repeat(65) } }),
    `invalid_value ${at}.function.arguments`,
  )
  t.equal(call({ function: { name: 'f', arguments: { a: 1 } } }), `invalid_value ${at}.function.arguments`)
  t.equal(call({ function: { name: 'f g', arguments: '' } }), `invalid_value ${at}.function.name`)
  t.equal(call({}), `missing_field ${at}.function`)
  t.equal(call({ type: 'mcp' }), `invalid_value ${at}.type`)
  t.equal(
    assistant({ tool_calls: [{ id: 'c', type: 'custom', custom: { name: 'f', input: 'x' } }] }),
    'accepted',
  )
  t.equal(assistant({ function_call: { name: 'f', arguments: '{}' } }), 'accepted')
  t.equal(assistant({ content: 'x', audio: { id: 'a' } }), 'unsupported_parameter messages[0].audio')
  t.end()
})

t.test('tools', (t) => {
  const tool = (value: unknown): string => chatVerdict({ tools: [value] })
  t.equal(
    tool({
      type: 'function',
      function: { name: 'f', description: 'd', strict: true, parameters: { type: 'object' } },
    }),
    'accepted',
  )
  t.equal(tool({ type: 'function', function: { name: 'f', parameters: {} } }), 'accepted')
  t.equal(
    tool({ type: 'function', function: { name: 'f', parameters: 'x' } }),
    'invalid_value tools[0].function.parameters',
  )
  t.equal(tool({ type: 'function', function: {} }), 'missing_field tools[0].function.name')
  t.equal(tool({ type: 'custom', custom: { name: 'f', format: { type: 'text' } } }), 'accepted')
  t.equal(
    tool({ type: 'custom', custom: { name: 'f', format: { type: 'grammar', grammar: {} } } }),
    'unsupported_parameter tools[0].custom.format',
  )
  for (const type of ['mcp', 'web_search', 'code_interpreter', 'shell', 'computer_use', 'file_search']) {
    t.equal(tool({ type, server_url: 'http://10.0.0.1' }), 'invalid_value tools[0].type', type)
  }
  t.equal(
    chatVerdict({
      tools: Array.from({ length: 129 }, () => ({ type: 'function', function: { name: 'f' } })),
    }),
    'invalid_value tools',
  )
  t.equal(chatVerdict({ tool_choice: 'required' }), 'accepted')
  t.equal(chatVerdict({ tool_choice: { type: 'function', function: { name: 'f' } } }), 'accepted')
  t.equal(chatVerdict({ tool_choice: { type: 'allowed_tools' } }), 'unsupported_parameter tool_choice')
  t.equal(chatVerdict({ tool_choice: 'any' }), 'invalid_value tool_choice')
  t.equal(
    chatVerdict({ functions: [{ name: 'f', parameters: { type: 'object' } }], function_call: { name: 'f' } }),
    'accepted',
  )
  t.end()
})

t.test('response formats', (t) => {
  const format = (value: unknown): string => chatVerdict({ response_format: value })
  const schema = (value: unknown): string =>
    format({ type: 'json_schema', json_schema: { name: 'n', schema: value } })
  t.equal(format({ type: 'text' }), 'accepted')
  t.equal(format({ type: 'json_object' }), 'accepted')
  t.equal(schema({ type: 'object' }), 'accepted')
  t.equal(schema({}), 'invalid_value response_format.json_schema.schema')
  t.equal(schema({ $ref: '#' }), 'invalid_value response_format.json_schema.schema')
  t.equal(
    format({ type: 'json_schema', json_schema: { name: 'n' } }),
    'missing_field response_format.json_schema.schema',
  )
  t.equal(format({ type: 'json_schema' }), 'missing_field response_format.json_schema')
  t.equal(format({ type: 'json_object', schema: {} }), 'unknown_parameter response_format.schema')
  for (const type of ['structural_tag', 'regex', 'grammar'])
    t.equal(format({ type }), 'unsupported_parameter response_format')
  t.equal(format({ type: 'xml' }), 'invalid_value response_format.type')
  t.equal(chatVerdict({ structured_outputs: { json: { type: 'object' } } }), 'accepted')
  t.equal(chatVerdict({ structured_outputs: {} }), 'missing_field structured_outputs.json')
  t.equal(chatVerdict({ structured_outputs: { json: '{}' } }), 'invalid_value structured_outputs.json')
  t.end()
})

t.test('numbers have ranges', (t) => {
  const cases: Record<string, [good: unknown[], bad: unknown[]]> = {
    n: [
      [1, 128],
      [0, 129, 16384, 1.5, '1', -1],
    ],
    max_tokens: [
      [1, 100_000],
      [0, -1, 1e9, 2.5, '16'],
    ],
    max_completion_tokens: [[1], [0, -1]],
    temperature: [
      [0, 2, 0.7],
      [-0.1, 2.1, '1'],
    ],
    top_p: [[0, 1], [1.1]],
    top_k: [
      [-1, 0, 50],
      [-2, 0.5],
    ],
    min_p: [[0.05], [2]],
    repetition_penalty: [[1.1], [0, -1, 11]],
    presence_penalty: [[-2, 2], [3]],
    frequency_penalty: [[-2, 2], [-3]],
    seed: [
      [-5, 0, 7, 2 ** 32 - 1],
      [0.5, 2 ** 32, -(2 ** 32), 4111111111111111],
    ],
    top_logprobs: [
      [0, 20],
      [-1, 21],
    ],
    logit_bias: [
      [{}, { 50256: -100 }],
      [{ x: 1 }, { 1: 101 }, { 1: '1' }, [], { '99999999': 1 }],
    ],
    stop: [
      ['x', ['a', 'b'], []],
      ['', [''], 5, [1], Array.from({ length: 17 }, () => 'x'), 'x'.repeat(257)],
    ],
  }
  for (const [name, [good, bad]] of Object.entries(cases)) {
    for (const value of good)
      t.equal(chatVerdict({ [name]: value }), 'accepted', `${name}: ${JSON.stringify(value)}`)
    for (const value of bad)
      t.match(
        chatVerdict({ [name]: value }),
        new RegExp(`^invalid_value ${name}`),
        `${name}: ${JSON.stringify(value)}`,
      )
  }
  const biases = Object.fromEntries(Array.from({ length: 129 }, (_, index) => [index, 1]))
  t.equal(chatVerdict({ logit_bias: biases }), 'invalid_value logit_bias')
  t.end()
})

t.test('numbers are forwarded without the digits that could be a value', (t) => {
  const fields = { temperature: 0.4111111111111111, top_p: 0.95, logit_bias: { 7: 41.11111111111111 } }
  const { temperature, top_p, logit_bias } = parse('chat.completions', fields).fields
  t.same(
    { temperature, top_p, logit_bias },
    { temperature: 0.411111, top_p: 0.95, logit_bias: { 7: 41.111111 } },
  )
  t.end()
})

t.test('who the caller is stays here', (t) => {
  const identity = {
    user: 'root',
    safety_identifier: 's',
    metadata: { a: 'AKIA' },
    prompt_cache_key: 'k',
    store: false,
    service_tier: 'auto',
  }
  const call = parse('chat.completions', identity)
  t.same(Object.keys(call.fields), ['model', 'messages', 'max_tokens'])
  t.same([...call.dropped].sort(), Object.keys(identity).sort())
  t.equal(chatVerdict({ store: true }), 'unsupported_parameter store')
  t.equal(chatVerdict({ service_tier: 'priority' }), 'unsupported_parameter service_tier')
  t.equal(chatVerdict({ modalities: ['text'] }), 'accepted')
  t.equal(chatVerdict({ modalities: ['text', 'audio'] }), 'unsupported_parameter modalities')
  t.end()
})

t.test('every text that a reply or a template could carry is a slot', (t) => {
  const secret = 'AKIAIOSFODNN7EXAMPLE'
  const call = parse('chat.completions', {
    messages: [
      { role: 'system', content: secret },
      { role: 'user', content: [{ type: 'text', text: secret }], name: secret },
      {
        role: 'assistant',
        content: [{ type: 'refusal', refusal: secret }],
        refusal: secret,
        reasoning: secret,
        reasoning_content: secret,
        thinking: secret,
      },
      {
        role: 'assistant',
        tool_calls: [
          { id: secret, type: 'function', function: { name: secret, arguments: `{"a":"${secret}"}` } },
        ],
      },
      {
        role: 'assistant',
        tool_calls: [{ id: secret, type: 'custom', custom: { name: secret, input: secret } }],
      },
      { role: 'assistant', function_call: { name: secret, arguments: secret } },
      { role: 'tool', tool_call_id: secret, name: secret, content: secret },
    ],
    tools: [
      {
        type: 'function',
        function: {
          name: secret,
          description: secret,
          parameters: {
            properties: { [secret]: { description: secret, enum: [secret], default: { [secret]: secret } } },
          },
        },
      },
      { type: 'custom', custom: { name: secret, description: secret } },
    ],
    functions: [{ name: secret, description: secret, parameters: { title: secret } }],
    tool_choice: { type: 'function', function: { name: secret } },
    function_call: { name: secret },
    response_format: {
      type: 'json_schema',
      json_schema: { name: secret, description: secret, schema: { title: secret } },
    },
    structured_outputs: { json: { const: secret } },
    prediction: { type: 'content', content: secret },
    documents: [{ title: secret, text: secret }],
    stop: [secret],
    user: secret,
    metadata: { [secret]: secret },
  })
  for (const slot of call.texts) slot.replace(slot.text.replaceAll(secret, 'MASKED'))
  t.notMatch(JSON.stringify(call.fields), /AKIA/)
  t.notMatch(JSON.stringify([call.dropped, call.texts.map((slot) => slot.path)]), /AKIA/)
  t.end()
})

t.test("OpenAI's own schema names no field that the table does not decide on", (t) => {
  const known = readFileSync(
    join(import.meta.dirname, '../vectors/openai-openapi/request-fields.json'),
    'utf8',
  )
  for (const name of JSON.parse(known)['chat.completions']) t.ok(Object.hasOwn(chatFields, name), name)
  t.end()
})
