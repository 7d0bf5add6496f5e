import type { JsonObject, ReplySlot, Usage } from './call.ts'

/**
 * One event of a stream, or a whole reply, rebuilt from the allow-list of its endpoint. `body` is ours to change.
 * A field that the table does not name is gone; an event whose shape is not the endpoint's is an `upstream_protocol` refusal.
 */
export interface Reply {
  readonly body: JsonObject
  readonly texts: readonly ReplySlot[]
  /** Indexes of the choices that end with this event (a `finish_reason` is set). */
  readonly finished: readonly number[]
  readonly usage: Usage | undefined
  /** The event only carries usage (`choices: []`). */
  readonly usageOnly: boolean
  /** The body as `encodeEvent` writes it, where that is known without serializing it. */
  encoded?(): string
}

/** What a dialect is opened with, for one exchange. */
export interface ReplyOptions {
  /** `logprobs` may be copied: the caller asked for them, and nothing in the reply is masked. */
  readonly logprobs: boolean
  /** The caller asked for JSON and will decode its escapes, so `content` is screened decoded (a `json` slot). */
  readonly jsonContent?: boolean
  /** Ids of replies and of tool calls are made from this one; a model server's own never pass. */
  readonly exchangeId?: string
  readonly createdAtSeconds?: number
  /** Choices that the call asked for, over all its prompts; an index above them is a protocol error. */
  readonly choicesMax?: number
}

/** How one endpoint's replies are read. Pure functions over parsed JSON. */
export interface ReplyDialect {
  /** A whole, non-streamed reply. `publicModel` replaces the upstream's `model`. */
  whole(json: unknown, publicModel: string): Reply
  /** One event of a stream. */
  event(json: unknown, publicModel: string): Reply
  /** An event in this stream's shape that carries `texts` and nothing else (what a window still held at the end). */
  carrier(last: Reply, choice: number, channel: string, text: string): JsonObject
  /** An event in this stream's shape that ends these choices with the reason `length`. */
  cutting(last: Reply, choices: readonly number[]): JsonObject
}
