import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'

import { classifyUpstreamError } from '../../src/openai/error-body.ts'
import type { Reply } from '../../src/openai/reply.ts'
import { openReplies } from '../../src/openai/reply-dialect.ts'
import { type Recording, rawTexts, refusedByLlamaServer, wholes } from './recording.ts'

const rebuild = (recording: Recording): Reply =>
  openReplies(recording.endpoint, { logprobs: false }).whole(recording.events[0], 'public-model')

const sorted = (map: Map<string, string>): [string, string][] => [...map].sort(([a], [b]) => (a < b ? -1 : 1))

t.equal(wholes.length, 27, 'there are recordings')

for (const recording of wholes) {
  t.test(recording.name, (t) => {
    const reply = rebuild(recording)
    const texts = reply.texts.filter((slot) => slot.text !== '')
    const found = new Map(texts.map((slot) => [`${slot.choice} ${slot.channel}`, slot.text]))
    t.same(sorted(found), sorted(rawTexts(recording.events)), 'the text of each channel')
    const raw = recording.events[0]?.['usage'] as { prompt_tokens: number } | undefined
    t.equal(reply.usage?.inputTokens, raw?.prompt_tokens, 'usage')
    t.equal(reply.body['model'], 'public-model')
    t.end()
  })
}

const rebuilt: Readonly<Record<string, string>> = {
  'vercel-ai-sdk-fixtures/deepseek-chat-deepseek-tool-call.json': 'deepseek-tool-call.json',
  'vercel-ai-sdk-fixtures/groq-__fixtures__-groq-tool-call.json': 'groq-tool-call.json',
  'vercel-ai-sdk-fixtures/mistral-__fixtures__-mistral-reasoning.json': 'mistral-reasoning.json',
  'vercel-ai-sdk-fixtures/openai-completion-openai-completion-text.json': 'openai-completion.json',
  'vercel-ai-sdk-fixtures/openai-embedding-openai-embedding.json': 'openai-embedding.json',
}

t.test('rebuilt replies', (t) => {
  for (const [name, golden] of Object.entries(rebuilt)) {
    const recording = wholes.find((whole) => whole.name === name)
    if (recording === undefined) throw new Error(`no recording ${name}`)
    const expected = readFileSync(join(import.meta.dirname, 'rebuilt', golden), 'utf8')
    t.equal(JSON.stringify(rebuild(recording).body), JSON.stringify(JSON.parse(expected)), name)
  }
  t.end()
})

t.test('what llama-server answers to a bad request', (t) => {
  const codes: Readonly<Record<string, string>> = {
    badkey: 'upstream_error',
    badjson: 'upstream_refused',
    nomessages: 'upstream_refused',
    ctx: 'context_length_exceeded',
    ctxstream: 'context_length_exceeded',
    '404': 'model_not_found',
    method: 'model_not_found',
    embeddings: 'upstream_refused',
  }
  for (const { name, body, status } of refusedByLlamaServer) {
    t.equal(classifyUpstreamError(status, body).code, codes[name], name)
  }
  t.end()
})
