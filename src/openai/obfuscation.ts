import { randomBytes } from 'node:crypto'
import type { Json, JsonObject } from './call.ts'
import { isObject } from './reply-field.ts'
import { encodeJson } from './sse.ts'

/**
 * Padding of streamed events. Who sees the encrypted stream sees how long each event is, and so the length of each
 * token, from which much of an answer can be told (Weiss et al., "What Was Your Prompt?", USENIX Security 2024). As
 * OpenAI does, each event gets a member `obfuscation` of random characters. Invariants:
 *
 * 1. Two events of one shape are equally long when their texts take 1 to `blockBytes` bytes each (or `blockBytes + 1` to
 *    `2 * blockBytes`, and so on). Texts are all strings of its choices, and what `logprobs` repeat of them.
 * 2. An event grows by the member's frame and at most `blockBytes` bytes.
 * 3. No random character is used twice, so compression on the way does not undo it.
 *
 * What is rounded up is the length of the texts, not of the event: a multiple of the event's length would part the short
 * texts from the long ones wherever the event's other fields happen to end.
 */
export interface ObfuscationOptions {
  /** Bytes, as they are written, to which the texts of an event are rounded up. Default 32: most tokens are shorter. */
  readonly blockBytes?: number | undefined
}

const blockBytesDefault = 32
const supplyBytes = 12_288

/** Random characters, made many at a time: one call to the generator for some hundred events. */
class RandomText {
  #text = ''
  #at = 0

  take(length: number): string {
    if (this.#at + length > this.#text.length) {
      this.#text = randomBytes(Math.max(supplyBytes, length)).toString('base64url')
      this.#at = 0
    }
    this.#at += length
    return this.#text.slice(this.#at - length, this.#at)
  }
}

/** One for all streams: what is left over of one is good for the next. */
const supply = new RandomText()

export class Obfuscation {
  readonly #blockBytes: number

  constructor({ blockBytes = blockBytesDefault }: ObfuscationOptions = {}) {
    this.#blockBytes = blockBytes
  }

  /**
   * The event as it is written, with its padding. `event` is one that a reply dialect made, or an end of ours: it has
   * members, and no padding yet (the dialects drop a model server's own). The padding goes into the text: cheaper than a
   * new member of the object.
   */
  encode(event: JsonObject): string {
    const bytes = textBytes(event['choices'])
    const blocks = Math.max(1, Math.ceil(bytes / this.#blockBytes))
    const padding = supply.take(blocks * this.#blockBytes - bytes)
    return encodeJson(`${JSON.stringify(event).slice(0, -1)},"obfuscation":"${padding}"}`)
  }
}

/** What the strings of a value take in JSON, and log probabilities whole: their numbers spell each token's bytes. */
function textBytes(value: Json | undefined): number {
  if (typeof value === 'string') return writtenBytes(value)
  if (Array.isArray(value)) return value.reduce<number>((sum, item) => sum + textBytes(item), 0)
  if (!isObject(value)) return 0
  let bytes = 0
  for (const name in value) {
    const member = value[name]
    bytes +=
      name === 'logprobs' && isObject(member) ? Buffer.byteLength(JSON.stringify(member)) : textBytes(member)
  }
  return bytes
}

/** Length in JSON, without the quotes. */
function writtenBytes(text: string): number {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    // Escaped or longer than a byte: rare enough to be written once more.
    if (code < 32 || code === 34 || code === 92 || code > 126)
      return Buffer.byteLength(JSON.stringify(text)) - 2
  }
  return text.length
}

/** Whether a stream is padded: as the caller wishes, else as the operator says. */
export const isObfuscated = (wish: boolean | undefined, standard: 'on' | 'off'): boolean =>
  wish ?? standard === 'on'
