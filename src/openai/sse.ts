import { Refusal } from '../refusal.ts'
import type { JsonObject } from './call.ts'
import { type ErrorContext, errorInEvent, openAiError } from './error-body.ts'

/**
 * Server-sent events: the decoder for what a model server sends, and the encoder for what the caller gets. Nothing
 * of a received line is ever passed on as it came; every event is parsed, rebuilt and encoded anew.
 *
 * The decoder works on bytes, line by line, because LF and CR never occur inside a UTF-8 sequence: a character that
 * is cut by a chunk border needs no care of its own, and the bounds are exact. Invariants:
 *
 * 1. The events depend on the bytes only, never on where they are cut into chunks.
 * 2. Each byte is looked at a bounded number of times, so the work is linear even for one-byte chunks.
 * 3. Never more than `lineBytesMax` bytes of an unfinished line and `eventBytesMax` bytes of data are held.
 * 4. After a refusal no event comes out any more: each later call throws the same refusal. The events before it in
 *    the same chunk still come out (invariant 1), so it is then the next call that throws first.
 * 5. An event is dispatched by a blank line only; what the end of the body cuts off is reported, not dispatched.
 */
export interface SseEvent {
  /** The `event:` field; empty when there was none. */
  readonly name: string
  readonly data: string
}

export interface SseBounds {
  readonly eventBytesMax: number
  readonly lineBytesMax: number
}

const LF = 10
const CR = 13
const COLON = 58
const SPACE = 32
const DONE = '[DONE]'
const openDone = /^data: ?\[DONE\]$/
const openDoneBytesMax = 12
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

const refuse = (detail: string): Refusal => new Refusal('upstream_protocol', detail)

const decode = (bytes: Uint8Array): string => {
  try {
    return utf8.decode(bytes)
  } catch {
    throw refuse('event stream is not UTF-8')
  }
}

/** Whether the line is the field `name`. Names are compared as bytes, before anything is decoded. */
const isField = (line: Uint8Array, name: string): boolean => {
  const length = name.length
  if (line.length < length || (line.length > length && line[length] !== COLON)) return false
  for (let i = 0; i < length; i++) if (line[i] !== name.charCodeAt(i)) return false
  return true
}

const fieldStart = (line: Uint8Array, name: string): number => {
  const start = name.length + 1
  return line[start] === SPACE ? start + 1 : Math.min(start, line.length)
}

/** Finds the next LF or CR. Remembers both, so that a chunk is searched once for each of them. */
class LineEnds {
  readonly #bytes: Uint8Array
  #lf = -1
  #cr = -1

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  /** Index of the first line end at or after `from`; the length of the chunk when there is none. */
  next(from: number): number {
    if (this.#lf < from) this.#lf = this.#find(LF, from)
    if (this.#cr < from) this.#cr = this.#find(CR, from)
    return Math.min(this.#lf, this.#cr)
  }

  #find(byte: number, from: number): number {
    const at = this.#bytes.indexOf(byte, from)
    return at === -1 ? this.#bytes.length : at
  }
}

/** Decodes a byte stream by the rules of the WHATWG HTML standard (section 9.2.6), within bounds. */
export class SseDecoder {
  readonly #bounds: SseBounds
  #line = new Uint8Array(256)
  #lineBytes = 0
  #firstLine = true
  #afterCr = false
  #name = ''
  #data: string | undefined
  #dataBytes = 0
  #refusal: Refusal | undefined

  constructor(bounds: SseBounds) {
    this.#bounds = bounds
  }

  /** Takes the next bytes and returns the events that they complete; throws `upstream_protocol`. */
  push(bytes: Uint8Array): readonly SseEvent[] {
    if (this.#refusal !== undefined) throw this.#refusal
    const events: SseEvent[] = []
    try {
      this.#read(bytes, events)
    } catch (error) {
      this.#refusal = error instanceof Refusal ? error : refuse('event stream cannot be decoded')
      if (events.length === 0) throw error
    }
    return events
  }

  /**
   * Says whether the body ended between two events (`complete`) or cut one off (`truncated`). Some servers end with
   * one line end after `[DONE]`, or none: that is `done`, although the standard would not dispatch it.
   */
  end(): 'complete' | 'done' | 'truncated' {
    if (this.#refusal !== undefined) throw this.#refusal
    if (this.#lineBytes === 0 && this.#data === undefined && this.#name === '') return 'complete'
    return this.#isOpenDone() ? 'done' : 'truncated'
  }

  #isOpenDone(): boolean {
    if (this.#lineBytes === 0) return this.#data === DONE
    if (this.#data !== undefined || this.#lineBytes > openDoneBytesMax) return false
    return openDone.test(String.fromCharCode(...this.#line.subarray(0, this.#lineBytes)))
  }

  #read(bytes: Uint8Array, events: SseEvent[]): void {
    const ends = new LineEnds(bytes)
    let from = 0
    if (this.#afterCr && bytes.length > 0) {
      this.#afterCr = false
      if (bytes[0] === LF) from = 1
    }
    while (from < bytes.length) {
      const end = ends.next(from)
      if (end === bytes.length) {
        this.#hold(bytes.subarray(from, end))
        return
      }
      const event = this.#endLine(bytes.subarray(from, end))
      if (event !== undefined) events.push(event)
      from = this.#skipLineEnd(bytes, end)
    }
  }

  /** Position after the line end at `end`; a CR that ends the chunk may have its LF in the next one. */
  #skipLineEnd(bytes: Uint8Array, end: number): number {
    if (bytes[end] !== CR) return end + 1
    if (end + 1 === bytes.length) this.#afterCr = true
    return bytes[end + 1] === LF ? end + 2 : end + 1
  }

  #hold(part: Uint8Array): void {
    const length = this.#lineBytes + part.length
    if (length > this.#bounds.lineBytesMax) throw refuse('event stream line is too long')
    if (length > this.#line.length) {
      const larger = new Uint8Array(Math.max(length, this.#line.length * 2))
      larger.set(this.#line.subarray(0, this.#lineBytes))
      this.#line = larger
    }
    this.#line.set(part, this.#lineBytes)
    this.#lineBytes = length
  }

  #endLine(part: Uint8Array): SseEvent | undefined {
    let line = part
    if (this.#lineBytes > 0) {
      this.#hold(part)
      line = this.#line.subarray(0, this.#lineBytes)
      this.#lineBytes = 0
    } else if (part.length > this.#bounds.lineBytesMax) throw refuse('event stream line is too long')
    if (this.#firstLine) {
      this.#firstLine = false
      if (line[0] === 0xef && line[1] === 0xbb && line[2] === 0xbf) line = line.subarray(3)
    }
    if (line.length === 0) return this.#dispatch()
    this.#field(line)
    return undefined
  }

  /** Comments, `id`, `retry` and fields that the standard does not name leave no trace. */
  #field(line: Uint8Array): void {
    if (isField(line, 'data')) this.#addData(line.subarray(fieldStart(line, 'data')))
    else if (isField(line, 'event')) this.#name = decode(line.subarray(fieldStart(line, 'event')))
  }

  #addData(value: Uint8Array): void {
    this.#dataBytes += value.length + 1
    if (this.#dataBytes > this.#bounds.eventBytesMax + 1) throw refuse('event is too large')
    const text = decode(value)
    this.#data = this.#data === undefined ? text : `${this.#data}\n${text}`
  }

  /**
   * An event without data is dropped, as the standard says, with one exception: `event: error` on its own. Dynamo
   * puts the message into a comment then, and dropping the event would turn a failure into a quiet end.
   */
  #dispatch(): SseEvent | undefined {
    const { name, data } = { name: this.#name, data: this.#data }
    this.#name = ''
    this.#data = undefined
    this.#dataBytes = 0
    if (data === undefined && name !== 'error') return undefined
    return { name, data: data ?? '' }
  }
}

/** The proper end of an OpenAI stream. A prefix is enough, as for the stock Python client. */
export const isDone = (event: SseEvent): boolean => event.data.startsWith(DONE)

/** The JSON of an event. Throws the classified refusal for `event: error`, `upstream_protocol` when it is not JSON. */
export function eventJson(event: SseEvent): unknown {
  let json: unknown
  try {
    json = JSON.parse(event.data)
  } catch {
    if (event.name !== 'error') throw refuse('event data is not JSON')
  }
  if (event.name === 'error') throw errorInEvent(json, { named: 'error' }) ?? refuse('error event')
  return json
}

/** One event from its JSON, as JSON.stringify writes it: there is no raw CR or LF in it. */
export const encodeJson = (json: string): string => `data: ${json}\n\n`

/** One event of our own: one `data:` line. */
export const encodeEvent = (json: JsonObject): string => encodeJson(JSON.stringify(json))

/** Ends a stream that is complete. Never sent after an error event. */
export const DONE_EVENT = `data: ${DONE}\n\n`

/** A comment (keep-alive); `data:` without JSON would make the stock clients throw. */
export const encodeComment = (text: string): string => `: ${text.replace(/[\r\n]+/g, ' ')}\n\n`

/** The last event of a stream that failed after it had begun. */
export const encodeErrorEvent = (refusal: Refusal, context: ErrorContext): string =>
  encodeEvent(openAiError(refusal, context))
