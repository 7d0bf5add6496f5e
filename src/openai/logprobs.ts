import type { Json, JsonObject } from './call.ts'
import { isObject, listOf, objectOf, protocol } from './reply-field.ts'

/**
 * `logprobs` of a choice. They repeat the raw text token by token, with alternatives, and cannot be masked together
 * with it; so a dialect copies them only if it was opened with `logprobs: true`, which the path does for a caller
 * who asked for them and whose redaction profile masks nothing. `text_offset` is never copied.
 */
const tokensMax = 65_536
const alternativesMax = 128
const tokenBytesMax = 1_024

const numberOrNull = (value: unknown): number | null => {
  if (value === null || (typeof value === 'number' && Number.isFinite(value))) return value
  throw protocol('logprob is not a number')
}

const tokenText = (value: unknown): string => {
  if (typeof value === 'string') return value
  throw protocol('logprobs token is not a string')
}

const byteOf = (value: unknown): number => {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 255) return value
  throw protocol('logprobs byte is not a byte')
}

const bytesOf = (value: unknown): Json =>
  value === null || value === undefined ? null : listOf(value, 'logprobs bytes', tokenBytesMax).map(byteOf)

function tokenOf(value: unknown): JsonObject {
  const source = objectOf(value, 'logprobs token')
  return {
    token: tokenText(source['token']),
    logprob: numberOrNull(source['logprob']),
    bytes: bytesOf(source['bytes']),
  }
}

function tokenWithAlternatives(value: unknown): JsonObject {
  const token = tokenOf(value)
  const alternatives = objectOf(value, 'logprobs token')['top_logprobs'] ?? []
  token['top_logprobs'] = listOf(alternatives, 'top_logprobs', alternativesMax).map(tokenOf)
  return token
}

/** The legacy form: `{ token: logprob }` for each position. A null prototype, because the keys are model text. */
function alternativesOf(value: unknown): Json {
  if (value === null) return null
  const entries = Object.entries(objectOf(value, 'top_logprobs'))
  if (entries.length > alternativesMax) throw protocol('top_logprobs has too many items')
  const copy: JsonObject = Object.create(null)
  for (const [token, logprob] of entries) copy[token] = numberOrNull(logprob)
  return copy
}

const copied: ReadonlyArray<readonly [string, (item: unknown) => Json]> = [
  ['content', tokenWithAlternatives],
  ['refusal', tokenWithAlternatives],
  ['tokens', tokenText],
  ['token_logprobs', numberOrNull],
  ['top_logprobs', alternativesOf],
]

/** Copies both forms, because llama.cpp sends the one of chat on /v1/completions too. */
export function copyLogprobs(value: unknown): Json {
  if (!isObject(value)) {
    if (value === null || value === undefined) return null
    throw protocol('logprobs is not an object')
  }
  const copy: JsonObject = {}
  for (const [name, item] of copied) {
    const list = value[name]
    if (list === null) copy[name] = null
    else if (list !== undefined) copy[name] = listOf(list, 'logprobs', tokensMax).map(item)
  }
  return copy
}
