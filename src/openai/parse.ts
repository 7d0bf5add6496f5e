import { Refusal } from '../refusal.ts'
import type { Call, Endpoint, Json, JsonObject } from './call.ts'
import { chatFields, chatRequired } from './chat.ts'
import { completionFields, completionRequired } from './completion.ts'
import { embeddingFields, embeddingRequired } from './embedding.ts'
import { type Fields, isObject, rebuild } from './field.ts'
import { type JsonBounds, parseStrictJson } from './strict-json.ts'
import { Walk } from './walk.ts'

type InferenceEndpoint = Exclude<Endpoint, 'models'>

export interface ParseOptions {
  /** What happens to a field that no table names. A field that a table refuses is refused either way. */
  readonly unknownFields: 'refuse' | 'drop'
  readonly bounds?: JsonBounds
  /** Whether control tokens of chat templates in chat text are made plain text (default), or pass. */
  readonly controlTokens?: 'escape' | 'pass'
}

interface RequestTable {
  readonly fields: Fields
  readonly required: readonly string[]
  /** A model server puts this text into a chat template. */
  readonly templated?: true
}

/** The request table of each endpoint. */
export const requestTables: Readonly<Record<InferenceEndpoint, RequestTable>> = {
  'chat.completions': { fields: chatFields, required: chatRequired, templated: true },
  completions: { fields: completionFields, required: completionRequired },
  embeddings: { fields: embeddingFields, required: embeddingRequired },
}

/**
 * From body bytes to a typed call that holds nothing but fields of the endpoint's table, or a Refusal whose `param` is
 * the path of the field at fault.
 */
export function parseCall(endpoint: InferenceEndpoint, bytes: Uint8Array, options: ParseOptions): Call {
  const body = parseStrictJson(bytes, options.bounds)
  if (!isObject(body)) throw new Refusal('invalid_value', 'the body is not a JSON object')
  const table = requestTables[endpoint]
  const controlTokens = table.templated ? (options.controlTokens ?? 'escape') : 'pass'
  const walk = new Walk({ unknownFields: options.unknownFields, controlTokens })
  const fields = rebuild(body, table.fields, walk, { required: table.required })
  return { endpoint, ...facts(fields), fields, texts: walk.texts, dropped: walk.dropped }
}

type Facts = Omit<Call, 'endpoint' | 'fields' | 'texts' | 'dropped'>

/** What the stages after this one ask of a call, read from its checked fields. */
function facts(fields: JsonObject): Facts {
  const input = fields['prompt'] ?? fields['input']
  return {
    model: String(fields['model']),
    stream: fields['stream'] === true,
    usageShown: memberOf(fields['stream_options'], 'include_usage') === true,
    obfuscation: booleanOf(memberOf(fields['stream_options'], 'include_obfuscation')),
    choices: numberOf(fields['n']) ?? 1,
    prompts: Array.isArray(input) ? input.length : 1,
    outputTokensMax: numberOf(fields['max_completion_tokens']) ?? numberOf(fields['max_tokens']),
    logprobs: logprobsOf(fields),
    tools: toolNames(fields),
    responseFormat: responseFormatOf(fields),
  }
}

const booleanOf = (value: Json | undefined): boolean | undefined =>
  typeof value === 'boolean' ? value : undefined

const numberOf = (value: Json | undefined): number | undefined =>
  typeof value === 'number' ? value : undefined

const stringOf = (value: Json | undefined): string | undefined =>
  typeof value === 'string' ? value : undefined

const memberOf = (value: Json | undefined, name: string): Json | undefined =>
  isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined

function logprobsOf(fields: JsonObject): number | undefined {
  const asked = fields['logprobs']
  const alternatives = numberOf(fields['top_logprobs']) ?? numberOf(asked)
  return asked === true ? (alternatives ?? 0) : alternatives
}

function toolNames(fields: JsonObject): string[] {
  const tools = listOf(fields['tools']).map((tool) => memberOf(tool, 'function') ?? memberOf(tool, 'custom'))
  return [...tools, ...listOf(fields['functions'])].flatMap((tool) => stringOf(memberOf(tool, 'name')) ?? [])
}

const listOf = (value: Json | undefined): Json[] => (Array.isArray(value) ? value : [])

const responseFormatOf = (fields: JsonObject): string | undefined =>
  fields['structured_outputs'] === undefined
    ? stringOf(memberOf(fields['response_format'], 'type'))
    : 'json_schema'
