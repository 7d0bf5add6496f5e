import { errorInEvent } from '../../openai/error-body.ts'
import type { Reply, ReplyDialect } from '../../openai/reply.ts'
import { eventJson, isDone, SseDecoder, type SseEvent } from '../../openai/sse.ts'
import { Refusal } from '../../refusal.ts'

export interface DecodeBounds {
  readonly eventBytesMax: number
  readonly replyBytesMax: number
}

/** What one read of the upstream's body brought. */
export interface Batch {
  readonly replies: readonly Reply[]
  /** `[DONE]` came: nothing after it is read. */
  readonly done: boolean
}

/** Upstream bytes -> events of the endpoint's shape. Throws `upstream_*` for everything that is not that. */
export async function* decodeEvents(
  body: AsyncIterable<Uint8Array>,
  dialect: ReplyDialect,
  publicModel: string,
  { eventBytesMax, replyBytesMax }: DecodeBounds,
): AsyncGenerator<Batch> {
  const decoder = new SseDecoder({ eventBytesMax, lineBytesMax: eventBytesMax })
  let bytes = 0
  for await (const chunk of body) {
    bytes += chunk.byteLength
    if (bytes > replyBytesMax) throw new Refusal('upstream_reply_too_large', 'stream above replyBytesMax')
    const batch = read(decoder.push(chunk), dialect, publicModel)
    if (batch.replies.length > 0 || batch.done) yield batch
    if (batch.done) return
  }
  if (decoder.end() === 'truncated') throw new Refusal('upstream_truncated', 'the body ended inside an event')
}

function read(events: readonly SseEvent[], dialect: ReplyDialect, publicModel: string): Batch {
  const replies: Reply[] = []
  for (const event of events) {
    if (isDone(event)) return { replies, done: true }
    const json = eventJson(event)
    const error = errorInEvent(json)
    if (error) throw error
    replies.push(dialect.event(json, publicModel))
  }
  return { replies, done: false }
}
