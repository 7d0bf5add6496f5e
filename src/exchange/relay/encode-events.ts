import type { Call, JsonObject, Usage } from '../../openai/call.ts'
import { DONE_EVENT, encodeEvent } from '../../openai/sse.ts'
import { embeddingUsageBody, usageBody } from '../../openai/usage.ts'

/** Events -> the text that is written: one `data:` line each, never a line of the model server's. */
export function encodeEvents(events: readonly JsonObject[]): string {
  let text = ''
  for (const event of events) text += encodeEvent(event)
  return text
}

/** The end of a stream that was complete: usage when the caller asked for it, then `[DONE]`. */
export function encodeEnd(call: Call, last: JsonObject | undefined, usage: Usage): string {
  const { id = null, object = null, created = null, model = null } = last ?? {}
  const closing = { id, object, created, model, choices: [], usage: usageBody(usage) }
  return call.usageShown && last ? encodeEvent(closing) + DONE_EVENT : DONE_EVENT
}

/** What the caller is shown is what it is charged, also where the model server miscounts. */
export const shownUsage = (call: Call, usage: Usage): JsonObject =>
  call.endpoint === 'embeddings' ? embeddingUsageBody(usage) : usageBody(usage)
