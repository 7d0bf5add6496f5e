// Requests that run code in, or break the walls of, known versions of SGLang, each refused before a byte goes upstream.
// Its worst holes are paths of their own (weights, adapters): those have no route; see the tests of the router.
import t from 'tap'
import { chatVerdict, verdict } from '../support/request-body.ts'

const REFUSED = /^(unsupported_parameter|token_ids_refused|remote_content_refused|invalid_value)\b/

const cases: Record<string, object[]> = {
  'CVE-2026-86793, CVE-2026-15969, CVE-2026-15976, CVE-2026-7304: a pickle as a logit processor': [
    { custom_logit_processor: '{"callable": "8004952d..."}' },
    { custom_logit_processor: '' },
    { custom_params: { a: 1 } },
  ],
  'adapters by path': [{ lora_path: '/models/other' }, { lora_path: ['a', 'b'] }],
  'token ids and tensors go around the chat template and the screening': [
    { input_ids: [1, 2, 3] },
    { input_ids: [[1]] },
    { input_embeds: [[0.1]] },
    { embed_overrides: [] },
  ],
  'the server fetches what it is told': [
    { image_data: 'http://10.0.0.1/' },
    { video_data: 'file:///etc/passwd' },
    {
      messages: [
        { role: 'user', content: [{ type: 'image_url', image_url: { url: 'http://10.0.0.1/x.png' } }] },
      ],
    },
  ],
  'prefill and decode workers by address': [
    { bootstrap_host: '10.0.0.1' },
    { bootstrap_port: 8998 },
    { bootstrap_room: 1 },
    { data_parallel_rank: 0 },
    { routed_dp_rank: 0 },
    { disagg_prefill_dp_rank: 0 },
  ],
  'sessions, ids and labels of others': [
    { session_params: { id: 'x' } },
    { rid: 'x' },
    { extra_key: 'x' },
    { cache_salt: 'x' },
    { priority: 100 },
    { custom_labels: { tenant: 'other' } },
  ],
  'grammars that the caller writes': [
    { regex: '(a+)+b' },
    { ebnf: 'root ::= root' },
    { stop_regex: '(a+)+b' },
    { structural_tag: '{}' },
  ],
  'state of the model in the reply': [
    { return_hidden_states: true },
    { return_routed_experts: true },
    { return_meta_info: true },
    { logprob_start_len: 0 },
  ],
  templates: [
    { chat_template_kwargs: { enable_thinking: false, chat_template: 'x' } },
    { messages: [{ role: 'user', content: 'x', tools: [] }] },
  ],
}

for (const [name, bodies] of Object.entries(cases)) {
  t.test(name, (t) => {
    for (const body of bodies) {
      t.match(chatVerdict(body), REFUSED, JSON.stringify(body))
      t.match(chatVerdict(body, 'drop'), REFUSED, `${JSON.stringify(body)} (unknown fields dropped)`)
    }
    t.end()
  })
}

t.test('completions and embeddings', (t) => {
  for (const name of [
    'custom_logit_processor',
    'lora_path',
    'input_ids',
    'session_params',
    'bootstrap_host',
  ]) {
    t.match(verdict('completions', { [name]: 'x' }, 'drop'), REFUSED, name)
    t.match(verdict('embeddings', { [name]: 'x' }, 'drop'), REFUSED, name)
  }
  t.match(verdict('embeddings', { input: { text: 'x', image: 'http://10.0.0.1/' } }, 'drop'), REFUSED)
  t.match(verdict('embeddings', { input: [{ text: 'x', video: 'http://10.0.0.1/' }] }, 'drop'), REFUSED)
  t.end()
})
