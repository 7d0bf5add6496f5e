import type { Json, JsonObject } from '../../src/openai/call.ts'
import { chatReplies } from '../../src/openai/chat-reply.ts'
import type { Reply, ReplyDialect } from '../../src/openai/reply.ts'

export const open = (): ReplyDialect => chatReplies({ logprobs: false })

/** Replies of /v1/chat/completions as a model server sends them. */
export const chunk = (choices: Json, more: JsonObject = {}): JsonObject => ({
  id: 'chatcmpl-1',
  object: 'chat.completion.chunk',
  created: 1_700_000_000,
  model: 'upstream',
  choices,
  ...more,
})
export const delta = (fields: JsonObject, more: JsonObject = {}): JsonObject =>
  chunk([{ index: 0, delta: fields, finish_reason: null, ...more }])
export const whole = (message: JsonObject, more: JsonObject = {}): JsonObject => ({
  ...chunk([{ index: 0, message, finish_reason: 'stop', ...more }]),
  object: 'chat.completion',
})

export const readEvent = (json: unknown): Reply => open().event(json, 'public')
export const readWhole = (json: unknown): Reply => open().whole(json, 'public')
