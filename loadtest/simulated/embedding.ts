import { seededRandom, seedOf } from './random.ts'
import type { Ask } from './request.ts'

const dimensionsMax = 4096

/** Vectors of length one that depend on the text alone. */
export function embed(text: string, dimensions: number): Float32Array {
  const random = seededRandom(seedOf(0, text))
  const vector = Float32Array.from({ length: dimensions }, () => random.next() - 0.5)
  const length = Math.hypot(...vector) || 1
  return vector.map((value) => value / length)
}

export function embeddingReply(ask: Ask, id: string, model: string): Record<string, unknown> {
  const asked = Number(ask.fields['dimensions'] ?? 16)
  const dimensions = Number.isInteger(asked) && asked > 0 ? Math.min(asked, dimensionsMax) : 16
  const base64 = ask.fields['encoding_format'] === 'base64'
  return {
    id,
    object: 'list',
    created: 1_767_225_600,
    model,
    data: ask.prompts.map((text, index) => {
      const vector = embed(text, dimensions)
      const embedding = base64 ? Buffer.from(vector.buffer).toString('base64') : [...vector]
      return { index, object: 'embedding', embedding }
    }),
    usage: { prompt_tokens: ask.promptTokens, total_tokens: ask.promptTokens, completion_tokens: 0 },
  }
}
