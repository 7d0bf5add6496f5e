import type { Call } from './call.ts'
import { chatReplies } from './chat-reply.ts'
import { completionReplies } from './completion-reply.ts'
import { embeddingReplies } from './embedding-reply.ts'
import type { ReplyDialect } from './reply.ts'

/**
 * The dialect in which the replies to one call are read. One for each exchange: that of chat remembers under which
 * name the server sends reasoning. `logprobs` only if the caller asked for them and nothing in the reply is masked.
 */
export function openReplies(
  endpoint: Call['endpoint'],
  options: { readonly logprobs: boolean },
): ReplyDialect {
  if (endpoint === 'chat.completions') return chatReplies(options)
  if (endpoint === 'completions') return completionReplies(options)
  return embeddingReplies
}
