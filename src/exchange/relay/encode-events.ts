import type { Call, JsonObject, Usage } from '../../openai/call.ts'
import { isObfuscated, Obfuscation } from '../../openai/obfuscation.ts'
import type { Reply } from '../../openai/reply.ts'
import { DONE_EVENT, encodeEvent } from '../../openai/sse.ts'
import { embeddingUsageBody, usageBody } from '../../openai/usage.ts'

/** How one event is written. */
export type Encode = (event: JsonObject) => string

const obfuscation = new Obfuscation()
const encodePadded: Encode = (event) => obfuscation.encode(event)

/** As the caller wishes, else as the operator says: events that tell by their length what they say, or padded ones. */
export const encoderFor = (
  { obfuscation: wish }: Pick<Call, 'obfuscation'>,
  standard: 'on' | 'off',
): Encode => (isObfuscated(wish, standard) ? encodePadded : encodeEvent)

/** Events -> the text that is written: one `data:` line each, never a line of the model server's. */
export function encodeEvents(events: readonly JsonObject[], encode: Encode): string {
  let text = ''
  for (const event of events) text += encode(event)
  return text
}

/** The same for what is left of one reply, whose own event may know its text already. */
export function encodeReply(reply: Reply, events: readonly JsonObject[], encode: Encode): string {
  const known = encode === encodeEvent && events.length === 1 ? reply.encoded : undefined
  return known !== undefined && events[0] === reply.body ? known.call(reply) : encodeEvents(events, encode)
}

/** The end of a stream that was complete: usage when the caller asked for it, then `[DONE]`. */
export function encodeEnd(call: Call, last: JsonObject | undefined, usage: Usage, encode: Encode): string {
  const { id = null, object = null, created = null, model = null } = last ?? {}
  const closing = { id, object, created, model, choices: [], usage: usageBody(usage) }
  return call.usageShown && last ? encode(closing) + DONE_EVENT : DONE_EVENT
}

/** What the caller is shown is what it is charged, also where the model server miscounts. */
export const shownUsage = (call: Call, usage: Usage): JsonObject =>
  call.endpoint === 'embeddings' ? embeddingUsageBody(usage) : usageBody(usage)
