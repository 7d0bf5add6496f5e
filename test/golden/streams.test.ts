import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'

import type { Json, JsonObject } from '../../src/openai/call.ts'
import type { Reply } from '../../src/openai/reply.ts'
import { openReplies } from '../../src/openai/reply-dialect.ts'
import {
  DONE_EVENT,
  encodeEvent,
  eventJson,
  isDone,
  SseDecoder,
  type SseEvent,
} from '../../src/openai/sse.ts'
import { UsageMeter } from '../../src/openai/usage.ts'
import { type Recording, rawTexts, refusedByLlamaServer, streams } from './recording.ts'

const bounds = { eventBytesMax: 65_536, lineBytesMax: 65_536 }

function decode(parts: readonly Uint8Array[]): SseEvent[] {
  const decoder = new SseDecoder(bounds)
  const events = parts.flatMap((part) => [...decoder.push(part)])
  if (decoder.end() === 'truncated') throw new Error('truncated')
  return events
}

function rebuild(recording: Recording): { replies: Reply[]; meter: UsageMeter } {
  const dialect = openReplies(recording.endpoint, { logprobs: false })
  const choices = new Set(recording.events.flatMap((event) => indexes(event))).size
  const severalPrompts = recording.name.includes('many_prompts')
  const meter = new UsageMeter(severalPrompts ? { choices: 1, prompts: choices } : { choices, prompts: 1 })
  const replies: Reply[] = []
  for (const event of decode([recording.bytes])) {
    if (isDone(event)) break
    const reply = dialect.event(eventJson(event), 'public-model')
    meter.event(reply)
    replies.push(reply)
  }
  return { replies, meter }
}

const indexes = (event: JsonObject): Json[] =>
  (event['choices'] as JsonObject[]).map((choice) => choice['index'] as Json)

function textsOf(replies: readonly Reply[]): Map<string, string> {
  const texts = new Map<string, string>()
  for (const slot of replies.flatMap((reply) => reply.texts)) {
    if (slot.text === '') continue
    const key = `${slot.choice} ${slot.channel}`
    texts.set(key, (texts.get(key) ?? '') + slot.text)
  }
  return texts
}

const sorted = (map: Map<string, string>): [string, string][] => [...map].sort(([a], [b]) => (a < b ? -1 : 1))

/** Each key that may be in an event. */
const keys = new Set(
  `id object created model service_tier choices usage index delta text logprobs finish_reason role content reasoning
  reasoning_content refusal tool_calls type function name arguments prompt_tokens completion_tokens total_tokens
  prompt_tokens_details cached_tokens completion_tokens_details reasoning_tokens`.split(/\s+/),
)

function* keysIn(json: Json): Generator<string> {
  if (typeof json !== 'object' || json === null) return
  for (const [key, value] of Object.entries(json)) {
    if (!Array.isArray(json)) yield key
    yield* keysIn(value)
  }
}

t.test('there are recordings', (t) => {
  t.equal(streams.length, 34)
  t.equal(refusedByLlamaServer.length, 8)
  t.end()
})

for (const recording of streams) {
  t.test(recording.name, (t) => {
    const { replies } = rebuild(recording)
    t.equal(replies.length, recording.events.length, 'one event for one event')
    t.same(sorted(textsOf(replies)), sorted(rawTexts(recording.events)), 'the text of each channel')
    const strange = replies.flatMap((reply) => [...keysIn(reply.body)]).filter((key) => !keys.has(key))
    t.same(strange, [], 'nothing outside the allow-list')
    t.ok(replies.every((reply) => reply.body['model'] === 'public-model'))
    t.end()
  })
}

t.test('a choice ends once, unless the recording was cut', (t) => {
  for (const recording of streams) {
    const { replies } = rebuild(recording)
    const ended = replies.flatMap((reply) => reply.finished)
    t.equal(new Set(ended).size, ended.length, recording.name)
  }
  t.end()
})

/** Worked out by hand from the recordings: input, output, and what of it was cached and spent on reasoning. */
const usages: Readonly<Record<string, readonly (number | undefined)[]>> = {
  'vercel-ai-sdk-fixtures/openai-chat-azure-model-router.1.chunks.txt': [15, 78, 0, 64],
  'vercel-ai-sdk-fixtures/openai-completion-openai-completion-text.chunks.txt': [
    14,
    16,
    undefined,
    undefined,
  ],
  // completion_tokens is 26 and leaves out 227 of reasoning; the total of 560 has them.
  'vercel-ai-sdk-fixtures/openai-compatible-chat-xai-tool-call.chunks.txt': [307, 253, 306, 227],
  'vercel-ai-sdk-fixtures/deepseek-chat-deepseek-tool-call.chunks.txt': [339, 83, 320, 39],
  'vercel-ai-sdk-fixtures/groq-__fixtures__-groq-tool-call.chunks.txt': [210, 15, undefined, undefined],
  'vercel-ai-sdk-fixtures/mistral-__fixtures__-mistral-reasoning.chunks.txt': [10, 46, undefined, undefined],
  // Three closing reports of 5, one for each choice.
  'llama-server-captures/chat_stream_n3.sse': [15, 15, 14, undefined],
  // Four prompts, each closed by its own report: 6 + 5 + 8 + 3 in, 10 out for each.
  'tgi-snapshots/test_flash_llama_completion_many_prompts_stream.json': [22, 40, undefined, undefined],
  'llama-server-captures/completions_stream_verbose.sse': [11, 3, 0, undefined],
}

t.test('usage', (t) => {
  for (const [name, [inputTokens, outputTokens, cached, reasoning]] of Object.entries(usages)) {
    const recording = streams.find((stream) => stream.name === name)
    if (recording === undefined) throw new Error(`no recording ${name}`)
    const { reported } = rebuild(recording).meter
    const found = [
      reported?.inputTokens,
      reported?.outputTokens,
      reported?.cachedInputTokens,
      reported?.reasoningTokens,
    ]
    t.same(found, [inputTokens, outputTokens, cached, reasoning], name)
  }
  t.end()
})

t.test('what is counted is never above what a truthful server reports', (t) => {
  for (const recording of streams) {
    const { reported, counted } = rebuild(recording).meter
    if (reported !== undefined) t.ok(counted.outputTokensMin <= reported.outputTokens, recording.name)
  }
  t.end()
})

t.test('each cut of a small stream in two gives the same events', (t) => {
  for (const { name, bytes } of streams.filter((stream) => stream.bytes.length <= 4_096)) {
    const whole = JSON.stringify(decode([bytes]))
    let wrong = 0
    for (let at = 0; at <= bytes.length; at++) {
      if (JSON.stringify(decode([bytes.subarray(0, at), bytes.subarray(at)])) !== whole) wrong++
    }
    t.equal(wrong, 0, name)
  }
  t.end()
})

t.test('random cuts of a large stream give the same events', (t) => {
  for (const { name, bytes } of streams.filter((stream) => stream.bytes.length > 4_096)) {
    const whole = JSON.stringify(decode([bytes]))
    const cuts = fc.array(fc.nat(bytes.length), { minLength: 1, maxLength: 200 })
    fc.assert(
      fc.property(cuts, (places) => {
        const edges = [0, ...places.sort((a, b) => a - b), bytes.length]
        const parts = edges.slice(1).map((edge, i) => bytes.subarray(edges[i], edge))
        return JSON.stringify(decode(parts)) === whole
      }),
      { numRuns: 5 },
    )
    t.pass(name)
  }
  t.end()
})

/** The full text of what a caller gets, read by eye once and kept. */
const rebuilt: Readonly<Record<string, string>> = {
  'llama-server-captures/chat_stream_n3.sse': 'llama-server-n3.sse',
  'llama-server-captures/completions_stream_verbose.sse': 'llama-server-completion.sse',
  'vercel-ai-sdk-fixtures/openai-chat-azure-model-router.1.chunks.txt': 'azure-router.sse',
  'vercel-ai-sdk-fixtures/openai-compatible-chat-anthropic-fallback-tool-call.sse': 'tool-call.sse',
  'vercel-ai-sdk-fixtures/mistral-__fixtures__-mistral-reasoning.chunks.txt': 'mistral-reasoning.sse',
  'vercel-ai-sdk-fixtures/mistral-__fixtures__-mistral-incremental-tool-call.chunks.txt':
    'mistral-tool-call.sse',
  'tgi-snapshots/test_chat_openai_usage.json': 'tgi-usage.sse',
}

t.test('rebuilt streams', (t) => {
  for (const [name, golden] of Object.entries(rebuilt)) {
    const recording = streams.find((stream) => stream.name === name)
    if (recording === undefined) throw new Error(`no recording ${name}`)
    const events = rebuild(recording).replies.map((reply) => encodeEvent(reply.body))
    const expected = readFileSync(join(import.meta.dirname, 'rebuilt', golden), 'utf8')
    t.equal(events.join('') + DONE_EVENT, expected, name)
  }
  t.end()
})
