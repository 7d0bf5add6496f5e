import type { Call, JsonObject } from './call.ts'
import { breakControlTokens } from './templated-text.ts'

/** The model servers whose dialects of the OpenAI API differ in what they take. */
export const servers = ['vllm', 'sglang', 'llamacpp', 'tgi', 'openai'] as const
export type Server = (typeof servers)[number]

export interface UpstreamBodyOptions {
  /** Model name as the server knows it. */
  readonly model: string
  /** Output bound per choice; the caller's own holds if it is lower. */
  readonly outputTokensMax: number
  readonly server: Server
  /** Keeps the prefix cache of this tenant apart from the others'. */
  readonly cacheSalt?: string | undefined
}

/** Fields of a call that are ours to write. */
const ours = new Set(['model', 'max_tokens', 'max_completion_tokens', 'stream_options', 'cache_salt'])

/**
 * The body for the model server, written anew from the call: its checked fields, our model name, exactly one output
 * bound, usage on every stream, and where it is given the salt of the tenant. Nothing else is added. The texts of a chat call lose what is left of control
 * tokens here, in the call itself: after this nobody writes text any more.
 */
export function serializeCall(call: Call, options: UpstreamBodyOptions): string {
  if (call.endpoint === 'chat.completions') breakControlTokens(call)
  const kept = Object.entries(call.fields).filter(([name]) => !ours.has(name))
  return JSON.stringify({
    model: options.model,
    ...Object.fromEntries(kept),
    ...outputBound(call, options),
    ...(call.stream ? { stream_options: streamOptions(options.server) } : {}),
    ...(options.cacheSalt === undefined || call.endpoint === 'embeddings'
      ? {}
      : { cache_salt: options.cacheSalt }),
  })
}

/**
 * Servers disagree on which of two bounds wins, so one is sent. All of them read `max_tokens`; only OpenAI's newer
 * models refuse it in chat.
 */
function outputBound(call: Call, options: UpstreamBodyOptions): JsonObject {
  if (call.endpoint === 'embeddings') return {}
  const name =
    call.endpoint === 'chat.completions' && options.server === 'openai'
      ? 'max_completion_tokens'
      : 'max_tokens'
  return { [name]: Math.min(options.outputTokensMax, call.outputTokensMax ?? options.outputTokensMax) }
}

/** Running usage on every chunk, where a server has it, makes the charge exact when a caller hangs up. */
const streamOptions = (server: Server): JsonObject =>
  server === 'vllm' || server === 'sglang'
    ? { include_usage: true, continuous_usage_stats: true }
    : { include_usage: true }
