import type { JsonObject, Usage } from './call.ts'
import type { Reply } from './reply.ts'
import { isObject } from './reply-field.ts'

/**
 * Token counts of a reply. What a model server reports is a claim: it can be missing, malformed, too large, or the
 * count of one choice only (measured: llama.cpp with `n` > 1, TGI with several prompts). Invariants of the meter and
 * of the settlement:
 *
 * 1. Settled output is never below the events with text that were seen per choice (a model server sends at least one
 *    token an event).
 * 2. Settled output is never above what was reserved, except as far as rule 1 asks for it.
 * 3. A later report never lowers an earlier one.
 * 4. One closing report for each of several choices counts in sum; a running total, however often it comes, once.
 */
const isCount = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0

/** A count that may be absent: `undefined`; a value that is no count: NaN. */
const countOf = (value: unknown): number | undefined =>
  value === undefined || value === null ? undefined : isCount(value) ? value : Number.NaN

const detail = (parent: unknown, name: string, max: number): number | undefined => {
  const value = isObject(parent) ? parent[name] : undefined
  return isCount(value) ? Math.min(value, max) : undefined
}

/** Reads a `usage` object; `undefined` when one of its three counts is not a count, or the prompt's is missing. */
export function readUsage(json: unknown): Usage | undefined {
  if (!isObject(json)) return undefined
  const prompt = countOf(json['prompt_tokens'])
  const completion = countOf(json['completion_tokens']) ?? 0
  const total = countOf(json['total_tokens']) ?? 0
  if (prompt === undefined || Number.isNaN(prompt + completion + total)) return undefined
  // xAI leaves reasoning out of completion_tokens and counts it in the total: the larger one is true.
  const outputTokens = Math.max(completion, total - prompt)
  const cached = detail(json['prompt_tokens_details'], 'cached_tokens', prompt)
  const reasoning = detail(json['completion_tokens_details'], 'reasoning_tokens', outputTokens)
  return {
    inputTokens: prompt,
    outputTokens,
    ...(cached === undefined ? {} : { cachedInputTokens: cached }),
    ...(reasoning === undefined ? {} : { reasoningTokens: reasoning }),
  }
}

/** The `usage` object of a reply of ours. */
export function usageBody(usage: Usage): JsonObject {
  const body: JsonObject = {
    prompt_tokens: usage.inputTokens,
    completion_tokens: usage.outputTokens,
    total_tokens: usage.inputTokens + usage.outputTokens,
  }
  if (usage.cachedInputTokens !== undefined) {
    body['prompt_tokens_details'] = { cached_tokens: usage.cachedInputTokens }
  }
  if (usage.reasoningTokens !== undefined) {
    body['completion_tokens_details'] = { reasoning_tokens: usage.reasoningTokens }
  }
  return body
}

/** The `usage` object of an embeddings reply, which has no output. */
export const embeddingUsageBody = (usage: Usage): JsonObject => ({
  prompt_tokens: usage.inputTokens,
  total_tokens: usage.inputTokens,
})

/** What was seen, whatever was reported. */
export interface Counted {
  /** Certain: at least this many tokens came. */
  readonly outputTokensMin: number
  /** Likely, from the length of the text; used when nothing was reported. */
  readonly outputTokensLikely: number
  /** No vocabulary has tokens of less than a byte. */
  readonly outputTokensMax: number
}

/** Bytes of UTF-8 a token, on the low side for prose, so that the estimate errs upwards. */
const bytesPerToken = 4

/** What the meter knows of a call before its reply comes. */
export interface MeteredCall {
  readonly choices: number
  readonly prompts: number
  /** The server reports the first choice of a whole reply alone, and the first of several prompts: llama.cpp does. */
  readonly firstChoiceOnly?: boolean
}

/** Follows one exchange: takes each event (or the whole reply) as it came from upstream, before redaction. */
export class UsageMeter {
  readonly #firstChoiceOnly: boolean
  readonly #choicesPerPrompt: number
  readonly #choices: number
  #largest: Usage | undefined
  #running = false
  #reports = 0
  #inputSum = 0
  #outputSum = 0
  #events = 0
  #bytes = 0

  /** Takes the call itself: its prompts, and its choices for each of them. */
  constructor(call: MeteredCall) {
    this.#firstChoiceOnly = call.firstChoiceOnly === true
    this.#choicesPerPrompt = call.choices
    this.#choices = call.choices * call.prompts
  }

  /** One event of a stream. */
  event(reply: Reply): void {
    let choice = -1
    for (const slot of reply.texts) {
      if (slot.text === '') continue
      this.#bytes += Buffer.byteLength(slot.text)
      if (slot.choice !== choice) this.#events++
      choice = slot.choice
    }
    if (reply.usage !== undefined) this.#report(reply.usage, reply)
  }

  /**
   * A whole reply. A server that reports one of several choices does not say so: the report is raised to what the
   * length of the text makes likely, to its multiple at most. One that is known to do so is not believed for the rest.
   */
  whole(reply: Reply): void {
    const bytes = new Map<number, number>()
    for (const slot of reply.texts) {
      if (slot.text === '') continue
      const length = Buffer.byteLength(slot.text)
      this.#bytes += length
      bytes.set(slot.choice, (bytes.get(slot.choice) ?? 0) + length)
    }
    this.#events += bytes.size
    if (reply.usage === undefined) return
    this.#report(this.#firstChoiceOnly ? this.#ofAll(reply, bytes) : this.#raised(reply.usage, bytes), reply)
  }

  /** What upstream reported so far: `undefined` when nothing usable came. */
  get reported(): Usage | undefined {
    const usage = this.#largest
    // More reports than choices are a running total that is repeated, not one report a choice.
    const perChoice = !this.#running && this.#reports > 1 && this.#reports <= this.#choices
    if (usage === undefined || !perChoice) return usage
    return {
      ...usage,
      inputTokens: Math.max(usage.inputTokens, Math.ceil(this.#inputSum / this.#choicesPerPrompt)),
      outputTokens: Math.max(usage.outputTokens, this.#outputSum),
    }
  }

  get counted(): Counted {
    return {
      outputTokensMin: this.#events,
      outputTokensLikely: Math.max(this.#events, this.#likely),
      outputTokensMax: this.#bytes,
    }
  }

  get #likely(): number {
    return Math.ceil(this.#bytes / bytesPerToken)
  }

  #raised(usage: Usage, bytes: ReadonlyMap<number, number>): Usage {
    if (bytes.size < 2) return usage
    const outputTokens = Math.max(usage.outputTokens, Math.min(usage.outputTokens * bytes.size, this.#likely))
    return { ...usage, outputTokens }
  }

  /** The other choices by their length against the first; one that was cut has at least as many tokens. */
  #ofAll(reply: Reply, bytes: ReadonlyMap<number, number>): Usage {
    const { usage = { inputTokens: 0, outputTokens: 0 } } = reply
    const perByte = bytes.has(0) ? usage.outputTokens / (bytes.get(0) as number) : 1 / bytesPerToken
    const cut = choicesCut(reply)
    let outputTokens = usage.outputTokens
    for (const choice of reply.finished) {
      if (choice === 0) continue
      const likely = Math.max(1, Math.ceil((bytes.get(choice) ?? 0) * perByte))
      outputTokens += cut.has(choice) ? Math.max(likely, usage.outputTokens) : likely
    }
    // The prompts after the first one are not in the report either: their estimate stands.
    const unseen = this.#choices > this.#choicesPerPrompt && reply.finished.length > 0
    return { ...usage, ...(unseen ? { inputTokens: 0 } : {}), outputTokens }
  }

  #report(usage: Usage, reply: Reply): void {
    const before = this.#largest
    this.#largest = {
      ...before,
      ...usage,
      inputTokens: Math.max(before?.inputTokens ?? 0, usage.inputTokens),
      outputTokens: Math.max(before?.outputTokens ?? 0, usage.outputTokens),
    }
    if (!reply.usageOnly && reply.finished.length === 0) this.#running = true
    this.#reports++
    this.#inputSum = Math.min(Number.MAX_SAFE_INTEGER, this.#inputSum + usage.inputTokens)
    this.#outputSum = Math.min(Number.MAX_SAFE_INTEGER, this.#outputSum + usage.outputTokens)
  }
}

/** Choices of a whole reply that ended at the output bound. */
function choicesCut({ body }: Reply): Set<unknown> {
  const choices = Array.isArray(body['choices']) ? body['choices'].filter(isObject) : []
  return new Set(
    choices.filter((choice) => choice['finish_reason'] === 'length').map((choice) => choice['index']),
  )
}

/** A prompt may be this many times larger than our estimate of it (images, chat templates) before we disbelieve. */
const inputFactorMax = 2

/** A prompt of no tokens does not exist, so a report of 0 counts as none. */
const inputOf = (reported: Usage | undefined, reserved: number): number =>
  Math.min(reported?.inputTokens || reserved, reserved * inputFactorMax)

/** What is charged in the end; see the invariants at the top. */
export function settleUsage(parts: {
  readonly reported: Usage | undefined
  readonly counted: Pick<Counted, 'outputTokensMin' | 'outputTokensLikely'>
  readonly reserved: { readonly inputTokens: number; readonly outputTokens: number }
}): Usage {
  const { reported, counted, reserved } = parts
  const claimed = reported?.outputTokens ?? counted.outputTokensLikely
  const outputTokens = Math.max(counted.outputTokensMin, Math.min(claimed, reserved.outputTokens))
  const inputTokens = inputOf(reported, reserved.inputTokens)
  const { cachedInputTokens, reasoningTokens } = reported ?? {}
  return {
    inputTokens,
    outputTokens,
    ...(cachedInputTokens === undefined
      ? {}
      : { cachedInputTokens: Math.min(cachedInputTokens, inputTokens) }),
    ...(reasoningTokens === undefined ? {} : { reasoningTokens: Math.min(reasoningTokens, outputTokens) }),
  }
}
