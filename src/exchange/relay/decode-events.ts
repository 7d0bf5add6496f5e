import { FramedEvents } from '../../openai/event-frame.ts'
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

/**
 * Upstream bytes -> events of the endpoint's shape. Throws `upstream_*` for everything that is not that, after the
 * events before it: the caller is owed what came, and pays for it.
 */
export async function* decodeEvents(
  body: AsyncIterable<Uint8Array>,
  dialect: ReplyDialect,
  publicModel: string,
  { eventBytesMax, replyBytesMax }: DecodeBounds,
): AsyncGenerator<Batch> {
  const decoder = new SseDecoder({ eventBytesMax, lineBytesMax: eventBytesMax })
  const frames = new FramedEvents(dialect, publicModel)
  let bytes = 0
  for await (const chunk of body) {
    bytes += chunk.byteLength
    if (bytes > replyBytesMax) throw new Refusal('upstream_reply_too_large', 'stream above replyBytesMax')
    const { fault, ...batch } = read(decoder.push(chunk), frames)
    if (batch.replies.length > 0 || batch.done) yield batch
    if (fault !== undefined) throw fault
    if (batch.done) return
  }
  const end = decoder.end()
  if (end === 'truncated') throw new Refusal('upstream_truncated', 'the body ended inside an event')
  if (end === 'done') yield { replies: [], done: true }
}

function read(events: readonly SseEvent[], frames: FramedEvents): Batch & { readonly fault?: unknown } {
  const replies: Reply[] = []
  try {
    for (const event of events) {
      const framed = event.name === 'error' ? undefined : frames.read(event.data)
      if (framed !== undefined) {
        replies.push(framed)
        continue
      }
      if (isDone(event)) return { replies, done: true }
      const json = eventJson(event)
      // llama-server begins a stream for several prompts with `data: null` (measured, 0.7.0). It carries nothing.
      if (json !== null) replies.push(frames.parsed(json, event.data))
    }
    return { replies, done: false }
  } catch (fault) {
    return { replies, done: false, fault }
  }
}
