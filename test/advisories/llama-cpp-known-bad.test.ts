// Request fields of llama.cpp's server that reach other callers' slots, load adapters, write the output grammar or take
// the output bound by another name, each refused before a byte goes upstream.
import t from 'tap'
import { chatVerdict, verdict } from '../support/request-body.ts'

const REFUSED = /^(unsupported_parameter|invalid_value|unknown_parameter)\b/

const cases: Record<string, object[]> = {
  'a grammar makes the model say any text, and may never end': [
    { grammar: 'root ::= "My card is 4111 1111 1111 1111"' },
    { grammar: 'root ::= root' },
    { grammar_lazy: true, grammar_triggers: [] },
    { json_schema: { $ref: '#' } },
    { response_format: { type: 'json_object', schema: { $ref: '#' } } },
  ],
  'repetitions that a grammar unrolls': [
    {
      response_format: {
        type: 'json_schema',
        json_schema: { name: 'n', schema: { type: 'string', maxLength: 2_000_000_000 } },
      },
    },
    {
      response_format: {
        type: 'json_schema',
        json_schema: { name: 'n', schema: { type: 'array', minItems: 1_000_000 } },
      },
    },
    {
      response_format: {
        type: 'json_schema',
        json_schema: { name: 'n', schema: { type: 'string', pattern: '^(((a{1,999}){1,999}){1,999})$' } },
      },
    },
  ],
  'the output bound by another name': [
    { n_predict: -1 },
    { n_predict: 100_000 },
    { t_max_predict_ms: 1e9 },
    { n_cmpl: 64 },
    { max_tokens: -1 },
  ],
  "other callers' slots and caches": [
    { id_slot: 0 },
    { cache_prompt: false },
    { n_keep: -1 },
    { n_discard: 1 },
  ],
  adapters: [{ lora: [{ id: 0, scale: 100 }] }],
  samplers: [
    { samplers: [] },
    { mirostat: 2 },
    { n_probs: 100_000 },
    { logit_bias: [[1, false]] },
    { logit_bias: { 1: false } },
  ],
  'the prompt, the raw text and its timing in the reply': [
    { verbose: true },
    { return_tokens: true },
    { return_progress: true },
    { response_fields: ['generation_settings', 'prompt'] },
    { timings_per_token: true },
    { post_sampling_probs: true },
  ],
  'the frame of the prompt': [
    { chat_template: '{{ messages }}' },
    { chat_template_kwargs: {} },
    { generation_prompt: 'x' },
    { input_prefix: 'x' },
    { input_suffix: 'x' },
    { preserved_tokens: ['<|im_end|>'] },
    { reasoning_format: 'none' },
    { reasoning_budget_message: 'x' },
    { add_generation_prompt: false },
  ],
  'keep-alives and resumable streams': [{ sse_ping_interval: 0 }, { conv_id: 'x' }],
}

for (const [name, bodies] of Object.entries(cases)) {
  t.test(name, (t) => {
    for (const body of bodies) {
      const { response_format } = body as { response_format?: { type: string } }
      t.match(chatVerdict(body), REFUSED, JSON.stringify(body))
      // The schema beside `json_object` is an unknown field: a policy that drops those drops it.
      if (response_format?.type !== 'json_object')
        t.match(chatVerdict(body, 'drop'), REFUSED, `${JSON.stringify(body)} (unknown fields dropped)`)
    }
    t.end()
  })
}

t.test('completions', (t) => {
  for (const name of [
    'grammar',
    'json_schema',
    'n_predict',
    'id_slot',
    'lora',
    'samplers',
    'input_prefix',
    'response_fields',
  ]) {
    t.match(verdict('completions', { [name]: 1 }, 'drop'), REFUSED, name)
  }
  t.match(verdict('completions', { prompt: { prompt_string: 'x', multimodal_data: ['AAAA'] } }), REFUSED)
  t.end()
})
