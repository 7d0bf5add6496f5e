import { Refusal } from '../refusal.ts'
import type { JsonObject, ReplySlot } from './call.ts'
import type { ReplyOptions } from './reply.ts'
import type { ToolCallNaming } from './tool-call-naming.ts'

/**
 * What the reply dialects share: each function takes a value that a model server sent and returns one that is fit to
 * go on, or refuses. Nothing is copied by default.
 */

/** Choices of one chat reply, and tool calls of one choice. OpenAI's own bound of both is 128. */
export const choicesMax = 128
export const toolCallsMax = 128

export const protocol = (detail: string): Refusal => new Refusal('upstream_protocol', detail)

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export function objectOf(value: unknown, what: string): JsonObject {
  if (isObject(value)) return value
  throw protocol(`${what} is not an object`)
}

export function listOf(value: unknown, what: string, lengthMax: number): readonly unknown[] {
  if (!Array.isArray(value)) throw protocol(`${what} is not a list`)
  if (value.length > lengthMax) throw protocol(`${what} has too many items`)
  return value
}

/** An index below `max`; state is kept by it, so it must be one. */
export function indexOf(value: unknown, what: string, max: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < max) return value
  throw protocol(`${what} is not an index below ${max}`)
}

/** The same choice twice in one reply would mix two texts in one window. */
export function distinct(choices: readonly JsonObject[]): void {
  if (choices.length < 2) return
  if (new Set(choices.map((choice) => choice['index'])).size < choices.length)
    throw protocol('a choice comes twice')
}

/** The tiers that servers are known to name. */
const tiers: ReadonlySet<unknown> = new Set([
  'auto',
  'default',
  'flex',
  'on_demand',
  'priority',
  'scale',
  'standard',
])

/** Id and time of a reply: ours, since no rule screens them and a card number fits into both. */
export interface ReplyIdentity {
  readonly id: string
  readonly created: number
}

const exchangeIdInstead = 'sallyport'

/** One identity for every event of an exchange: the exchange's id behind the prefix that clients know. */
export const identityOf = (
  prefix: string,
  { exchangeId, createdAtSeconds }: ReplyOptions,
): ReplyIdentity => ({
  id: `${prefix}-${exchangeId ?? exchangeIdInstead}`,
  created: createdAtSeconds ?? 0,
})

/** The fields that every reply of an endpoint begins with. All but the tier are ours; `system_fingerprint` is gone. */
export function headOf(
  source: JsonObject,
  object: string,
  { id, created }: ReplyIdentity,
  publicModel: string,
): JsonObject {
  const body: JsonObject = { id, object, created, model: publicModel }
  const tier = source['service_tier']
  if (typeof tier === 'string' && tiers.has(tier)) body['service_tier'] = tier
  return body
}

/** Finish reasons that we let through, and the words that other servers have for them. */
const finishReasons: ReadonlyMap<string, string> = new Map([
  ['stop', 'stop'],
  ['eos_token', 'stop'],
  ['stop_sequence', 'stop'],
  ['end_turn', 'stop'],
  ['length', 'length'],
  ['max_tokens', 'length'],
  ['model_length', 'length'],
  ['tool_calls', 'tool_calls'],
  ['tool_use', 'tool_calls'],
  ['function_call', 'function_call'],
  ['content_filter', 'content_filter'],
])

/** What vLLM, SGLang and Mistral say when the server gave up: a cut-off text must not look like a finished one. */
const abortReasons: ReadonlySet<string> = new Set(['abort', 'aborted', 'cancelled', 'error'])

/** `null` while the choice goes on (TGI sends an empty string then); an unknown word is a plain end. */
export function finishOf(value: unknown): string | null {
  if (value === null || value === undefined || value === '') return null
  if (typeof value !== 'string') throw protocol('finish_reason is not a string')
  if (abortReasons.has(value)) throw new Refusal('upstream_truncated', 'the model server aborted a choice')
  return finishReasons.get(value) ?? 'stop'
}

/** The choice that is being copied. */
export interface Place {
  readonly choice: number
  readonly whole: boolean
  readonly texts: ReplySlot[]
  readonly contentKind: ReplySlot['kind']
  readonly tools: ToolCallNaming
}

/** A string field of the new body that holds text. Its path is only built when a finding asks for it. */
class FieldSlot implements ReplySlot {
  readonly choice: number
  readonly channel: string
  readonly kind: 'text' | 'json'
  readonly text: string
  readonly #where: string
  readonly #holder: JsonObject
  readonly #name: string

  constructor(at: {
    choice: number
    channel: string
    kind: 'text' | 'json'
    text: string
    where: string
    holder: JsonObject
    name: string
  }) {
    this.choice = at.choice
    this.channel = at.channel
    this.kind = at.kind
    this.text = at.text
    this.#where = at.where
    this.#holder = at.holder
    this.#name = at.name
  }

  get path(): string {
    return `choices[${this.choice}].${this.#where}${this.#name}`
  }

  replace(text: string): void {
    this.#holder[this.#name] = text
  }
}

/** Where a text goes: `holder[name]`, in the stream of `channel`. `where` leads to the holder, for the path. */
export interface TextTarget {
  readonly holder: JsonObject
  readonly name: string
  readonly channel: string
  readonly where: string
  readonly kind: 'text' | 'json'
}

/** Puts `text` into the new body and opens it to screening. */
export function putText(place: Pick<Place, 'choice' | 'texts'>, target: TextTarget, text: string): void {
  const { holder, name, channel, where, kind } = target
  holder[name] = text
  place.texts.push(new FieldSlot({ choice: place.choice, channel, kind, text, where, holder, name }))
}
