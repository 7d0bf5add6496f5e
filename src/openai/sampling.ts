import type { JsonObject } from './call.ts'
import {
  array,
  boolean,
  byType,
  dropped,
  type Fields,
  identifier,
  integer,
  number,
  object,
  type Rule,
  rounded,
  text,
} from './field.ts'
import { refuse } from './walk.ts'

/** Choices for one prompt; policies cap it lower. vLLM's own bound is 16384, enough to exhaust its memory (CVE-2026-34756). */
const choicesMax = 128
const stopMax = 16
const stopLengthMax = 256
const biasMax = 128
/** More output than any model gives; policies cap it lower. */
const outputTokensMax = 1_048_576
/** All that model servers use of it (32 bits), and shorter than a card number, which no rule would find here. */
const seedMax = 2 ** 32 - 1

/** A model's name as policies match it. */
export const modelName = identifier(/^[A-Za-z0-9._:/@+-]{1,256}$/)

const stopText = text({ lengthMin: 1, lengthMax: stopLengthMax })

/** An output bound, in tokens. */
export const outputTokens = integer(1, outputTokensMax)

/** Token id to bias. The ids steer the output; they put no text into the prompt. */
const logitBias: Rule = (value, place) => {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return refuse('invalid_value', place, 'not an object')
  const entries = Object.entries(value)
  if (entries.length > biasMax) refuse('invalid_value', place, `more than ${biasMax} biases`)
  const biases: JsonObject = {}
  for (const [token, bias] of entries) {
    const valid = /^\d{1,6}$/.test(token) && typeof bias === 'number' && Math.abs(bias) <= 100
    if (!valid) refuse('invalid_value', place, 'not a token id with a bias in -100..100')
    else biases[token] = rounded(bias)
  }
  return biases
}

/** Members that say who the caller is or where OpenAI may keep things: not the model server's business. */
export const identityFields: Fields = {
  user: dropped,
  safety_identifier: dropped,
  metadata: dropped,
  prompt_cache_key: dropped,
  prompt_cache_retention: dropped,
  prompt_cache_options: dropped,
}

/** Sampling and streaming, the same for chat and completions. */
export const samplingFields: Fields = {
  model: modelName,
  stream: boolean,
  stream_options: object({
    include_usage: boolean,
    include_obfuscation: boolean,
    // Ours to set: see upstream-body.ts.
    continuous_usage_stats: dropped,
  }),
  n: integer(1, choicesMax),
  max_tokens: outputTokens,
  temperature: number(0, 2),
  top_p: number(0, 1),
  top_k: integer(-1, 1_000_000),
  min_p: number(0, 1),
  typical_p: number(0, 1),
  presence_penalty: number(-2, 2),
  frequency_penalty: number(-2, 2),
  repetition_penalty: number(0.01, 10),
  seed: integer(-seedMax, seedMax),
  stop: byType({ string: stopText, array: array(stopText, { lengthMax: stopMax }) }),
  logit_bias: logitBias,
}
