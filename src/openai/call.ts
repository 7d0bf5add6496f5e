/** The endpoints of the OpenAI surface that Sallyport serves; each is also a scope target in config/policies.yaml. */
export const endpoints = ['chat.completions', 'completions', 'embeddings', 'models'] as const
export type Endpoint = (typeof endpoints)[number]

export type Json = null | boolean | number | string | Json[] | JsonObject
export interface JsonObject {
  [key: string]: Json
}

/** A place in a parsed call or reply that holds text, and the way to put other text there. */
export interface TextSlot {
  /** Where it is, for findings and errors: `messages[0].content[1].text`. */
  readonly path: string
  /** `json` is JSON in a string (tool arguments): only its decoded string values are text, and it must stay valid JSON. */
  readonly kind: 'text' | 'json'
  readonly text: string
  replace(text: string): void
}

/** A text slot of a reply. State that outlives an event (a stream window) is keyed by `choice` and `channel`. */
export interface ReplySlot extends TextSlot {
  readonly choice: number
  /** `content`, `reasoning`, `refusal`, `tool_calls[0].arguments`, ... */
  readonly channel: string
}

/**
 * A parsed, typed inference request. `fields` is a fresh object graph that belongs to the exchange: it holds only
 * fields of the endpoint's table, and `texts` points into it. Nothing of the caller's bytes survives beside it.
 */
export interface Call {
  readonly endpoint: Exclude<Endpoint, 'models'>
  readonly model: string
  readonly stream: boolean
  /** The caller asked for the usage event of a stream (`stream_options.include_usage`). */
  readonly usageShown: boolean
  /** The caller's wish for padded events (`stream_options.include_obfuscation`); absent when it has none. */
  readonly obfuscation?: boolean | undefined
  /** Choices per prompt (`n`; 1 when absent; 1 for embeddings). */
  readonly choices: number
  /** Prompts or inputs in the one call. */
  readonly prompts: number
  /** The caller's own output bound (`max_completion_tokens`, else `max_tokens`), per choice. */
  readonly outputTokensMax: number | undefined
  /** `logprobs` or `top_logprobs` were asked for; the larger count of alternatives, 0 for plain `logprobs: true`. */
  readonly logprobs: number | undefined
  /** Names of the tools (functions) the caller offers. */
  readonly tools: readonly string[]
  /** `text`, `json_object`, `json_schema`, or `undefined` when absent. */
  readonly responseFormat: string | undefined
  readonly fields: JsonObject
  readonly texts: readonly TextSlot[]
  /** Names of fields that the policy `unknownFields: drop` removed. */
  readonly dropped: readonly string[]
}

/** Token counts as an upstream reported them or as we counted them. */
export interface Usage {
  readonly inputTokens: number
  readonly outputTokens: number
  readonly cachedInputTokens?: number
  readonly reasoningTokens?: number
}
