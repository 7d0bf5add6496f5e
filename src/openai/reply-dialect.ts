import type { Call } from './call.ts'
import { chatReplies } from './chat-reply.ts'
import { completionReplies } from './completion-reply.ts'
import { embeddingReplies } from './embedding-reply.ts'
import type { ReplyDialect, ReplyOptions } from './reply.ts'

/**
 * The dialect in which the replies to one call are read. One for each exchange: that of chat remembers under which
 * name the server sends reasoning, and which tool calls have their name.
 */
export function openReplies(endpoint: Call['endpoint'], options: ReplyOptions): ReplyDialect {
  if (endpoint === 'chat.completions') return chatReplies(options)
  if (endpoint === 'completions') return completionReplies(options)
  return embeddingReplies
}
