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
}

/** How one endpoint's replies are read. Pure functions over parsed JSON. */
export interface ReplyDialect {
  /** A whole, non-streamed reply. `publicModel` replaces the upstream's `model`. */
  whole(json: unknown, publicModel: string): Reply
  /** One event of a stream. */
  event(json: unknown, publicModel: string): Reply
  /** An event in this stream's shape that carries `texts` and nothing else (what a window still held at the end). */
  carrier(last: Reply, choice: number, channel: string, text: string): JsonObject
}
