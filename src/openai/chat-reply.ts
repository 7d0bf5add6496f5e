import type { Json, JsonObject, ReplySlot } from './call.ts'
import { errorInEvent } from './error-body.ts'
import { copyLogprobs } from './logprobs.ts'
import type { Reply, ReplyDialect, ReplyOptions } from './reply.ts'
import {
  choicesMax,
  distinct,
  finishOf,
  headOf,
  identityOf,
  indexOf,
  isObject,
  listOf,
  objectOf,
  type Place,
  protocol,
  putText,
  type ReplyIdentity,
} from './reply-field.ts'
import { ToolCallNaming } from './tool-call-naming.ts'
import { copyFunction, copyToolCalls, toolCallDelta } from './tool-call-reply.ts'
import { readUsage, usageBody } from './usage.ts'

/**
 * Replies of /v1/chat/completions: `chat.completion` and `chat.completion.chunk`. Channels of a choice: `content`,
 * `reasoning`, `refusal`, `tool_calls[i].arguments`, `tool_calls[i].input`, `function_call.arguments`,
 * `audio.transcript`; of a whole reply also `annotations[i].title` and `annotations[i].url`.
 *
 * A reply is an object of its own; only what is named here is in it. Dropped among others: `system_fingerprint`,
 * `obfuscation`, `token_ids`, `stop_reason`, `prompt_logprobs`, `__verbose`, `timings`, `content_filter_results`.
 * `id`, `created` and the ids of tool calls are ours: no rule screens them, and each is room for a secret.
 * Refused: audio data (nobody can screen it), content parts other than text and thinking, an unknown tool type.
 */
type ReasoningField = 'reasoning' | 'reasoning_content'

const partsMax = 1_024
const annotationsMax = 256

/** Copies a text field; `null` stays, because clients tell a role event by it. */
function copyText(source: JsonObject, target: JsonObject, name: 'content' | 'refusal', place: Place): void {
  const value = source[name]
  if (value === undefined) return
  if (value === null) target[name] = null
  else if (typeof value === 'string') {
    const where = place.whole ? 'message.' : 'delta.'
    const kind = name === 'content' ? place.contentKind : 'text'
    putText(place, { holder: target, name, channel: name, where, kind }, value)
  } else throw protocol(`${name} is not a string`)
}

const textOfPart = (part: JsonObject): string => {
  if (part['type'] === 'text' && typeof part['text'] === 'string') return part['text']
  throw protocol('content part is not text')
}

const partsOf = (value: unknown): readonly JsonObject[] =>
  listOf(value, 'content', partsMax).map((part) => objectOf(part, 'content part'))

const thoughtOf = (thinking: unknown): string =>
  typeof thinking === 'string' ? thinking : partsOf(thinking).map(textOfPart).join('')

/** Mistral's form of content: its parts become the plain fields that every client reads. */
function plainContent(source: JsonObject): JsonObject {
  let content = ''
  let thinking = ''
  for (const part of partsOf(source['content'])) {
    if (part['type'] === 'thinking') thinking += thoughtOf(part['thinking'])
    else content += textOfPart(part)
  }
  const plain: JsonObject = { ...source, content }
  if (thinking !== '') plain['reasoning_content'] = thinking
  return plain
}

function copyAudio(value: unknown, target: JsonObject, place: Place): void {
  const source = objectOf(value, 'audio')
  if (source['data'] !== undefined && source['data'] !== null && source['data'] !== '') {
    throw protocol('audio data cannot be screened')
  }
  const transcript = source['transcript']
  if (typeof transcript !== 'string') return
  const audio: JsonObject = {}
  const where = place.whole ? 'message.audio.' : 'delta.audio.'
  putText(
    place,
    { holder: audio, name: 'transcript', channel: 'audio.transcript', where, kind: 'text' },
    transcript,
  )
  target['audio'] = audio
}

/** No reply is longer; too short for a number that would have to be screened. */
const offsetMax = 9_999_999

const offsetOf = (value: unknown): number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= offsetMax ? value : 0

/** Citations of web pages. Only in whole replies: a window cannot hold back a part of a list item. */
function copyAnnotations(value: unknown, place: Place): JsonObject[] {
  return listOf(value, 'annotations', annotationsMax).flatMap((item, index) => {
    const citation = isObject(item) ? item['url_citation'] : undefined
    if (!isObject(citation)) return []
    const copy: JsonObject = {
      start_index: offsetOf(citation['start_index']),
      end_index: offsetOf(citation['end_index']),
    }
    const where = `message.annotations[${index}].url_citation.`
    for (const name of ['title', 'url']) {
      const text = citation[name]
      const channel = `annotations[${index}].${name}`
      const target = { holder: copy, name, channel, where, kind: 'text' } as const
      putText(place, target, typeof text === 'string' ? text : '')
    }
    return [{ type: 'url_citation', url_citation: copy }]
  })
}

class ChatReplies implements ReplyDialect {
  readonly #logprobs: boolean
  readonly #identity: ReplyIdentity
  readonly #choicesMax: number
  readonly #contentKind: ReplySlot['kind']
  readonly #tools: ToolCallNaming
  /** The name under which this server sends reasoning, so that held text goes on under the same one. */
  #reasoning: ReasoningField = 'reasoning_content'

  constructor(options: ReplyOptions) {
    this.#logprobs = options.logprobs
    this.#identity = identityOf('chatcmpl', options)
    this.#choicesMax = Math.min(options.choicesMax ?? choicesMax, choicesMax)
    this.#contentKind = options.jsonContent ? 'json' : 'text'
    this.#tools = new ToolCallNaming(options.exchangeId)
  }

  whole(json: unknown, publicModel: string): Reply {
    return this.#reply(json, publicModel, 'message')
  }

  event(json: unknown, publicModel: string): Reply {
    return this.#reply(json, publicModel, 'delta')
  }

  carrier(last: Reply, choice: number, channel: string, text: string): JsonObject {
    const { id, created } = this.#identity
    const { object, model } = last.body
    const delta = this.#delta(channel, text)
    const choices: Json = [{ index: choice, delta, finish_reason: null }]
    return { id, object: object ?? '', created, model: model ?? '', choices }
  }

  cutting(last: Reply, choices: readonly number[]): JsonObject {
    const { id, created } = this.#identity
    const { object, model } = last.body
    const ended = choices.map((index): Json => ({ index, delta: {}, finish_reason: 'length' }))
    return { id, object: object ?? '', created, model: model ?? '', choices: ended }
  }

  #delta(channel: string, text: string): JsonObject {
    if (channel === 'content' || channel === 'refusal') return { [channel]: text }
    if (channel === 'reasoning') return { [this.#reasoning]: text }
    if (channel === 'function_call.arguments') return { function_call: { arguments: text } }
    if (channel === 'audio.transcript') return { audio: { transcript: text } }
    if (channel.startsWith('tool_calls[')) return toolCallDelta(channel, text)
    throw new TypeError('no event carries this channel')
  }

  #reply(json: unknown, publicModel: string, holder: 'message' | 'delta'): Reply {
    const source = objectOf(json, 'reply')
    const error = errorInEvent(source)
    if (error !== undefined) throw error
    const object = holder === 'message' ? 'chat.completion' : 'chat.completion.chunk'
    const body = headOf(source, object, this.#identity, publicModel)
    const texts: ReplySlot[] = []
    const finished: number[] = []
    const choices: JsonObject[] = []
    for (const item of listOf(source['choices'], 'choices', this.#choicesMax)) {
      const choice = this.#choice(objectOf(item, 'choice'), holder, texts)
      if (choice['finish_reason'] !== null) finished.push(Number(choice['index']))
      choices.push(choice)
    }
    distinct(choices)
    body['choices'] = choices
    const usage = readUsage(source['usage'])
    if (usage !== undefined) body['usage'] = usageBody(usage)
    return { body, texts, finished, usage, usageOnly: choices.length === 0 }
  }

  #choice(source: JsonObject, holder: 'message' | 'delta', texts: ReplySlot[]): JsonObject {
    const whole = holder === 'message'
    const index = indexOf(source['index'], 'choice index', this.#choicesMax)
    const message = this.#message(objectOf(source[holder], holder), {
      choice: index,
      whole,
      texts,
      contentKind: this.#contentKind,
      tools: this.#tools,
    })
    const choice: JsonObject = { index, [holder]: message }
    if (this.#logprobs) choice['logprobs'] = copyLogprobs(source['logprobs'])
    else if (whole) choice['logprobs'] = null
    choice['finish_reason'] = finishOf(source['finish_reason'])
    return choice
  }

  #message(given: JsonObject, place: Place): JsonObject {
    const source = Array.isArray(given['content']) ? plainContent(given) : given
    const target: JsonObject = place.whole ? { role: 'assistant', content: null } : {}
    if (typeof source['role'] === 'string') target['role'] = 'assistant'
    copyText(source, target, 'content', place)
    this.#copyReasoning(source, target, place)
    copyText(source, target, 'refusal', place)
    this.#copyCalls(source, target, place)
    const { audio, annotations } = source
    if (audio !== undefined && audio !== null) copyAudio(audio, target, place)
    if (place.whole && Array.isArray(annotations) && annotations.length > 0) {
      target['annotations'] = copyAnnotations(annotations, place)
    }
    return target
  }

  /** Both names are one channel; a server that sends both at once says the same thing twice. */
  #copyReasoning(source: JsonObject, target: JsonObject, place: Place): void {
    const older = source['reasoning_content']
    const newer = source['reasoning']
    const both = typeof older === 'string' && typeof newer === 'string' && older !== '' && newer !== ''
    if (both && older !== newer) throw protocol('reasoning and reasoning_content differ')
    const name: ReasoningField =
      typeof older === 'string' && (older !== '' || !newer) ? 'reasoning_content' : 'reasoning'
    const text = source[name]
    if (typeof text === 'string') {
      this.#reasoning = name
      const where = place.whole ? 'message.' : 'delta.'
      putText(place, { holder: target, name, channel: 'reasoning', where, kind: 'text' }, text)
    } else if ((older ?? newer ?? null) !== null) throw protocol('reasoning is not a string')
  }

  #copyCalls(source: JsonObject, target: JsonObject, place: Place): void {
    const calls = source['tool_calls']
    if (calls !== undefined && calls !== null) {
      const copies = copyToolCalls(calls, place)
      if (copies.length > 0) target['tool_calls'] = copies
    }
    const call = source['function_call']
    if (call !== undefined && call !== null) {
      const where = `${place.whole ? 'message' : 'delta'}.function_call.`
      target['function_call'] = copyFunction(call, place, where, 'function_call.arguments')
    }
  }
}

/** Opens the dialect for one exchange. */
export const chatReplies = (options: ReplyOptions): ReplyDialect => new ChatReplies(options)
