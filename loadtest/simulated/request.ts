import { tokenize } from './text.ts'

/** An answer that is an error, in vLLM's shape. */
export class ApiError extends Error {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>

  constructor(status: number, type: string, message: string) {
    super(message)
    this.status = status
    this.body = { error: { message, type, param: null, code: status } }
  }
}
export const badRequest = (message: string): ApiError => new ApiError(400, 'BadRequestError', message)

type Fields = Readonly<Record<string, unknown>>

/** What the server needs to know of an inference request. */
export interface Ask {
  readonly model: string
  readonly stream: boolean
  readonly includeUsage: boolean
  readonly continuousUsage: boolean
  /** The prompts: one for chat, several for completions and embeddings. */
  readonly prompts: readonly string[]
  /** What echo mode repeats, one for each prompt. */
  readonly echoes: readonly string[]
  readonly promptTokens: number
  readonly n: number
  readonly outputTokensMax: number
  readonly logprobs: number | undefined
  /** The tool that must be called, by name. */
  readonly forcedTool: string | undefined
  readonly fields: Fields
}

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])
const choicesMax = 128

export function parseFields(body: string): Fields {
  try {
    const fields: unknown = JSON.parse(body)
    if (isObject(fields)) return fields
  } catch {
    // told below
  }
  throw badRequest('the body is not a JSON object')
}

const wholeNumber = (fields: Fields, name: string, max: number): number | undefined => {
  const value = fields[name]
  if (value === undefined || value === null) return undefined
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= max) return value
  throw badRequest(`${name} must be a whole number from 0 to ${max}`)
}

function common(
  fields: Fields,
  prompts: readonly string[],
  echoes: readonly string[],
  outputTokensMax: number,
): Ask {
  const options = isObject(fields['stream_options']) ? fields['stream_options'] : {}
  return {
    model: String(fields['model'] ?? ''),
    stream: fields['stream'] === true,
    includeUsage: options['include_usage'] === true,
    continuousUsage: options['continuous_usage_stats'] === true,
    prompts,
    echoes,
    promptTokens: prompts.reduce((sum, prompt) => sum + Math.max(1, tokenize(prompt).length), 0),
    n: Math.max(1, wholeNumber(fields, 'n', choicesMax) ?? 1),
    outputTokensMax,
    logprobs: undefined,
    forcedTool: undefined,
    fields,
  }
}

function messageText(message: unknown): string {
  const content = isObject(message) ? message['content'] : undefined
  if (typeof content === 'string') return content
  return list(content)
    .map((part) => (isObject(part) && typeof part['text'] === 'string' ? part['text'] : ''))
    .join('')
}

export function parseChat(fields: Fields, maxModelLen: number): Ask {
  const messages = list(fields['messages'])
  if (messages.length === 0) throw badRequest('messages is required')
  const texts = messages.map(messageText)
  const users = messages.filter((message) => isObject(message) && message['role'] === 'user')
  const bound =
    wholeNumber(fields, 'max_completion_tokens', 2 ** 31) ??
    wholeNumber(fields, 'max_tokens', 2 ** 31) ??
    undefined
  const ask = common(fields, [texts.join('\n')], [messageText(users.at(-1))], 0)
  return {
    ...ask,
    ...outputBound(ask.promptTokens, bound, maxModelLen, maxModelLen),
    logprobs: fields['logprobs'] === true ? (wholeNumber(fields, 'top_logprobs', 20) ?? 0) : undefined,
    forcedTool: forcedTool(fields),
  }
}

export function parseCompletion(fields: Fields, maxModelLen: number): Ask {
  const prompts = parsePrompts(fields['prompt'], 'prompt')
  const ask = common(fields, prompts, prompts, 0)
  const bound = wholeNumber(fields, 'max_tokens', 2 ** 31)
  return {
    ...ask,
    ...outputBound(ask.promptTokens, bound, 16, maxModelLen),
    logprobs: wholeNumber(fields, 'logprobs', 20),
  }
}

export function parseEmbedding(fields: Fields, maxModelLen: number): Ask {
  const inputs = parsePrompts(fields['input'], 'input')
  const ask = common(fields, inputs, [], 0)
  return { ...ask, ...outputBound(ask.promptTokens, 0, 0, maxModelLen * inputs.length) }
}

function outputBound(promptTokens: number, asked: number | undefined, usual: number, maxModelLen: number) {
  const room = maxModelLen - promptTokens
  if (room < (asked ?? 0) || room < 0) {
    throw badRequest(
      `This model's maximum context length is ${maxModelLen} tokens. However, you requested ${asked ?? 0} output tokens and your prompt contains ${promptTokens} input tokens. Please reduce the length of the input prompt or the number of requested output tokens.`,
    )
  }
  return { outputTokensMax: Math.min(room, asked ?? usual) }
}

function parsePrompts(value: unknown, name: string): readonly string[] {
  if (typeof value === 'string') return [value]
  const items = list(value)
  if (items.length === 0) throw badRequest(`${name} is required`)
  if (items.length > 2048) throw badRequest(`${name} has too many items`)
  // Token ids: one list is one prompt.
  if (typeof items[0] === 'number') return [items.join(' ')]
  return items.map((item) => (typeof item === 'string' ? item : list(item).join(' ')))
}

function forcedTool({ tools, tool_choice: choice }: Fields): string | undefined {
  const named = isObject(choice) && isObject(choice['function']) ? choice['function']['name'] : undefined
  if (typeof named === 'string') return named
  if (choice !== 'required') return undefined
  const first = list(tools)[0]
  return isObject(first) && isObject(first['function']) ? String(first['function']['name']) : undefined
}
