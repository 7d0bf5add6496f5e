import fc from 'fast-check'
import t from 'tap'

import type { Json, JsonObject } from '../../src/openai/call.ts'
import { openReplies } from '../../src/openai/reply-dialect.ts'
import { Refusal } from '../../src/refusal.ts'

/**
 * Whatever a model server puts wherever: once each text slot is masked, nothing of it is left in what the caller
 * gets. The secret is not shaped like an id; ids and tool names are restricted to that shape instead of screened.
 */
const secret = 'jane.doe@example.org'

const names = fc.constantFrom(
  ...[
    'id',
    'object',
    'created',
    'model',
    'choices',
    'index',
    'delta',
    'message',
    'text',
    'content',
    'reasoning',
  ],
  ...[
    'reasoning_content',
    'refusal',
    'tool_calls',
    'function_call',
    'function',
    'name',
    'arguments',
    'custom',
  ],
  ...['input', 'type', 'audio', 'transcript', 'data', 'annotations', 'url_citation', 'title', 'url', 'usage'],
  ...[
    'finish_reason',
    'logprobs',
    'tokens',
    'service_tier',
    'system_fingerprint',
    'token_ids',
    'stop_reason',
  ],
  ...['prompt_text', 'prompt_logprobs', 'hidden_states', 'meta_info', '__verbose', 'timings', 'obfuscation'],
  ...[
    'kv_transfer_params',
    'embedding',
    'prompt_tokens',
    'role',
    'citations',
    'metadata',
    '__proto__',
    secret,
  ],
)
const leaf = fc.constantFrom<Json>(secret, `call ${secret}`, 0, 1, null, true, 'f', 'stop')
const { tree } = fc.letrec<{ tree: Json }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    leaf,
    fc.dictionary(names, tie('tree'), { maxKeys: 6 }) as fc.Arbitrary<Json>,
    fc.array(tie('tree'), { maxLength: 2 }) as fc.Arbitrary<Json>,
  ),
}))

const optional = { requiredKeys: [] as [] }
const functionCall = fc.record({ name: fc.constantFrom('f', ''), arguments: leaf, extra: tree }, optional)
const toolCall = fc.record(
  { index: fc.nat(2), id: leaf, type: fc.constant('function'), function: functionCall, extra: tree },
  optional,
)
const text = fc.constantFrom<Json>(secret, '', null)
const message = fc.record(
  {
    role: leaf,
    content: fc.oneof(text, fc.constant<Json>([{ type: 'text', text: secret, extra: secret }])),
    reasoning: text,
    refusal: text,
    tool_calls: fc.array(toolCall, { maxLength: 2 }),
    function_call: functionCall,
    audio: fc.record({ transcript: text, id: leaf }),
    annotations: fc.array(fc.record({ url_citation: fc.record({ title: text, url: text, extra: leaf }) })),
    extra: tree,
    token_ids: tree,
  },
  optional,
)
/** Replies in the right shape, so that they are not all refused at the door. */
const shaped = fc.record(
  {
    id: leaf,
    object: leaf,
    created: leaf,
    model: leaf,
    service_tier: leaf,
    usage: tree,
    extra: tree,
    choices: fc
      .array(
        fc.record({ delta: message, message, text: leaf, logprobs: tree, extra: tree, stop_reason: leaf }),
        {
          maxLength: 2,
        },
      )
      .map((list) => list.map((choice, index) => ({ index, ...choice }))),
    data: fc.array(fc.record({ index: fc.nat(3), embedding: leaf, text: leaf })),
  },
  { requiredKeys: ['choices', 'data'] },
)

const reading = fc.constantFrom('chat.completions', 'completions', 'embeddings')

t.test('nothing but text slots and fixed shapes', (t) => {
  let read = 0
  fc.assert(
    fc.property(
      fc.oneof({ weight: 4, arbitrary: shaped }, tree),
      reading,
      fc.boolean(),
      (json, endpoint, whole) => {
        const dialect = openReplies(endpoint, { logprobs: false })
        const plain: JsonObject = JSON.parse(JSON.stringify(json))
        try {
          const reply = whole ? dialect.whole(plain, 'public') : dialect.event(plain, 'public')
          for (const slot of reply.texts) slot.replace('*')
          read++
          return !JSON.stringify(reply.body).includes(secret)
        } catch (error) {
          if (!(error instanceof Refusal)) throw error
          return !`${error.message} ${error.detail}`.includes(secret)
        }
      },
    ),
    { numRuns: 400, seed: 7 },
  )
  t.ok(read > 50, `${read} replies were not refused`)
  t.end()
})
