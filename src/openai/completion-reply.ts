import type { JsonObject, ReplySlot } from './call.ts'
import { errorInEvent } from './error-body.ts'
import { copyLogprobs } from './logprobs.ts'
import type { Reply, ReplyDialect, ReplyOptions } from './reply.ts'
import {
  distinct,
  finishOf,
  headOf,
  identityOf,
  indexOf,
  listOf,
  objectOf,
  protocol,
  putText,
  type ReplyIdentity,
} from './reply-field.ts'
import { readUsage, usageBody } from './usage.ts'

/**
 * Replies of /v1/completions, whole or an event: `text_completion`, with the one channel `text` for each choice.
 * Dropped among others: `system_fingerprint`, `prompt_logprobs`, `prompt_token_ids`, `token_ids`, `stop_reason`,
 * `__verbose`, `timings`. `id` and `created` are ours.
 */
const object = 'text_completion'
/** 128 choices for each of 256 prompts, the most that one call may ask for. */
const choicesMax = 32_768

class CompletionReplies implements ReplyDialect {
  readonly #logprobs: boolean
  readonly #identity: ReplyIdentity
  readonly #choicesMax: number

  constructor(options: ReplyOptions) {
    this.#logprobs = options.logprobs
    this.#identity = identityOf('cmpl', options)
    this.#choicesMax = options.choicesMax ?? choicesMax
  }

  whole(json: unknown, publicModel: string): Reply {
    const source = objectOf(json, 'reply')
    const error = errorInEvent(source)
    if (error !== undefined) throw error
    const body = headOf(source, object, this.#identity, publicModel)
    const texts: ReplySlot[] = []
    const finished: number[] = []
    const choices: JsonObject[] = []
    for (const item of listOf(source['choices'], 'choices', this.#choicesMax)) {
      const choice = this.#choice(objectOf(item, 'choice'), texts)
      if (choice['finish_reason'] !== null) finished.push(Number(choice['index']))
      choices.push(choice)
    }
    distinct(choices)
    body['choices'] = choices
    const usage = readUsage(source['usage'])
    if (usage !== undefined) body['usage'] = usageBody(usage)
    return { body, texts, finished, usage, usageOnly: choices.length === 0 }
  }

  event(json: unknown, publicModel: string): Reply {
    return this.whole(json, publicModel)
  }

  carrier(last: Reply, choice: number, channel: string, text: string): JsonObject {
    if (channel !== 'text') throw new TypeError('no event carries this channel')
    const { id, created } = this.#identity
    const choices = [{ text, index: choice, logprobs: null, finish_reason: null }]
    return { id, object, created, model: last.body['model'] ?? '', choices }
  }

  cutting(last: Reply, indexes: readonly number[]): JsonObject {
    const { id, created } = this.#identity
    const choices = indexes.map((index) => ({ text: '', index, logprobs: null, finish_reason: 'length' }))
    return { id, object, created, model: last.body['model'] ?? '', choices }
  }

  #choice(source: JsonObject, texts: ReplySlot[]): JsonObject {
    const text = source['text'] ?? ''
    if (typeof text !== 'string') throw protocol('text is not a string')
    const index = indexOf(source['index'], 'choice index', this.#choicesMax)
    const choice: JsonObject = {
      text,
      index,
      logprobs: this.#logprobs ? copyLogprobs(source['logprobs']) : null,
      finish_reason: finishOf(source['finish_reason']),
    }
    const target = { holder: choice, name: 'text', channel: 'text', where: '', kind: 'text' } as const
    putText({ choice: index, texts }, target, text)
    return choice
  }
}

/** Opens the dialect for one exchange. */
export const completionReplies = (options: ReplyOptions): ReplyDialect => new CompletionReplies(options)
