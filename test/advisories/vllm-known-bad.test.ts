// Requests that crash, hang or open known versions of vLLM, each refused before a byte goes upstream.
// vLLM reads unknown keys silently, so every one is tried under both policies for unknown fields.
import t from 'tap'
import { chatVerdict, verdict } from '../support/request-body.ts'

const REFUSED =
  /^(json_too_complex|unsupported_parameter|unknown_parameter|invalid_value|missing_field|token_ids_refused|remote_content_refused)\b/

const chatCases: Record<string, object[]> = {
  'CVE-2026-115918, CVE-2026-115911, CVE-2025-62426, PYSEC-2026-2013: Jinja from the caller': [
    { chat_template: '{% for a in range(10**9) %}{% endfor %}' },
    { chat_template_kwargs: { chat_template: '{{ 1 }}' } },
    { chat_template_kwargs: { tokenize: false } },
    { chat_template: '' },
  ],
  'CVE-2026-34756: huge n': [
    { n: 16_384 },
    { n: 1e9 },
    { n: 129 },
    { best_of: 10_000 },
    { use_beam_search: true, n: 100 },
  ],
  'CVE-2026-55574, PYSEC-2026-3933: a regex that hangs a worker': [
    { structured_outputs: { regex: '(a+)+b' } },
    { structured_outputs: { json: { type: 'object' }, regex: '(a+)+b' } },
    { guided_regex: '(a+)+b' },
    { guided_grammar: 'root ::= root' },
    { guided_whitespace_pattern: '(\\s+)+' },
    { structured_outputs: { json: { type: 'string', pattern: '(a+)+b' } } },
    {
      response_format: {
        type: 'json_schema',
        json_schema: { name: 'n', schema: { type: 'string', pattern: '(a+)+b' } },
      },
    },
  ],
  'CVE-2026-105757: empty or bad structured outputs end the engine': [
    { structured_outputs: {} },
    { structured_outputs: { json: {} } },
    { structured_outputs: { json: '' } },
    { structured_outputs: { json: null } },
    { structured_outputs: { choice: [] } },
    { structured_outputs: { regex: '' } },
    { structured_outputs: { grammar: '' } },
    { structured_outputs: { structural_tag: '' } },
    { structured_outputs: [] },
    { structured_outputs: 'x' },
    { guided_choice: [] },
    { guided_json: '' },
    { response_format: { type: 'json_schema', json_schema: { name: 'n', schema: {} } } },
    { response_format: { type: 'json_schema', json_schema: { name: 'n' } } },
    { response_format: { type: 'structural_tag', structures: [], triggers: [] } },
  ],
  'schemas too large, too deep or without an end': [
    { response_format: { type: 'json_schema', json_schema: { name: 'n', schema: nest(40) } } },
    { response_format: { type: 'json_schema', json_schema: { name: 'n', schema: nest(200) } } },
    {
      response_format: {
        type: 'json_schema',
        json_schema: { name: 'n', schema: { description: 'x'.repeat(2 << 20) } },
      },
    },
    { response_format: { type: 'json_schema', json_schema: { name: 'n', schema: { $ref: '#' } } } },
    {
      response_format: { type: 'json_schema', json_schema: { name: 'n', schema: { items: { $ref: '#' } } } },
    },
  ],
  'CVE-2026-116173: more than 128 logprob token ids': [
    { logprob_token_ids: Array.from({ length: 129 }, (_, id) => id) },
    { logprob_token_ids: [1] },
    { top_logprobs: -1, logprobs: true },
    { prompt_logprobs: -1 },
  ],
  'CVE-2026-24779, GHSA-3f6c-7fw2-ppm4: the server fetches what it is told': [
    image('http://169.254.169.254/latest/meta-data'),
    image('https://allowed.example\\@10.0.0.1/'),
    image('file:///etc/passwd'),
    {
      messages: [{ role: 'user', content: [{ type: 'video_url', video_url: { url: 'http://10.0.0.1/' } }] }],
    },
    {
      messages: [{ role: 'user', content: [{ type: 'audio_url', audio_url: { url: 'http://10.0.0.1/' } }] }],
    },
  ],
  'tensors for a deserializer': [
    { prompt_embeds: 'gASV' },
    { messages: [{ role: 'user', content: [{ type: 'image_embeds', image_embeds: 'gASV' }] }] },
    { messages: [{ role: 'user', content: [{ type: 'prompt_embeds', data: 'gASV' }] }] },
  ],
  'code, scheduler, other tenants': [
    { logits_processors: ['os.system'] },
    { vllm_xargs: { a: 1 } },
    { priority: -1 },
    { cache_salt: 'x' },
    { request_id: 'chatcmpl-1' },
    { session_id: 'x' },
    { kv_transfer_params: { remote_host: '10.0.0.1', remote_port: 1 } },
    { ec_transfer_params: {} },
    { mm_processor_kwargs: { size: 1e9 } },
    { media_io_kwargs: { video: { num_frames: -1 } } },
    { allowed_token_ids: [999_999_999] },
    { stop_token_ids: [-1] },
    { bad_words: [''] },
    { truncate_prompt_tokens: -1 },
    { repetition_detection: {} },
  ],
  'prompts and raw text in the reply': [
    { echo: true },
    { return_token_ids: true },
    { return_tokens_as_token_ids: true },
    { return_prompt_text: true },
    { add_generation_prompt: false },
    { continue_final_message: true },
    { skip_special_tokens: false },
    { include_stop_str_in_output: true },
    { ignore_eos: true },
    { min_tokens: 100_000 },
  ],
}

function nest(depth: number): object {
  return depth === 0 ? { type: 'string' } : { type: 'array', items: nest(depth - 1) }
}

function image(url: string): object {
  return { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url } }] }] }
}

for (const [name, bodies] of Object.entries(chatCases)) {
  t.test(name, (t) => {
    for (const body of bodies) {
      const shown = JSON.stringify(body).slice(0, 90)
      t.match(chatVerdict(body), REFUSED, shown)
      t.match(chatVerdict(body, 'drop'), REFUSED, `${shown} (unknown fields dropped)`)
    }
    t.end()
  })
}

t.test('completions and embeddings', (t) => {
  for (const fields of [
    { prompt: [1, 2] },
    { prompt: [[1]] },
    { prompt_embeds: 'gASV' },
    { echo: true },
    { prompt_logprobs: 1 },
    { n: 16_384 },
  ]) {
    t.match(verdict('completions', fields, 'drop'), REFUSED, JSON.stringify(fields))
  }
  for (const fields of [
    { input: [1] },
    { input: [[1]] },
    { truncate_prompt_tokens: -1 },
    { chat_template: 'x' },
    { messages: [] },
  ]) {
    t.match(verdict('embeddings', fields, 'drop'), REFUSED, JSON.stringify(fields))
  }
  t.end()
})
