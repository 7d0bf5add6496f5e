import { recordBytesMax } from './chain.ts'

const newline = 0x0a
const openingBrace = 0x7b
const closingBrace = 0x7d
const quote = 0x22
const backslash = 0x5c

/** A line of a segment, without its newline. */
export interface Frame {
  readonly bytes: Buffer
  /**
   * False for what follows the last newline: a frame whose write was cut short, or something that is not
   * ours.
   */
  readonly ended: boolean
}

/**
 * Splits the bytes of a segment into lines; holds one line and one chunk, and gives up on a line beyond the
 * bound.
 */
export async function* frames(chunks: AsyncIterable<Buffer>): AsyncGenerator<Frame> {
  let rest: Buffer = Buffer.alloc(0)
  for await (const chunk of chunks) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    let start = 0
    for (let end = bytes.indexOf(newline); end >= 0; end = bytes.indexOf(newline, start)) {
      yield { bytes: bytes.subarray(start, end), ended: true }
      start = end + 1
    }
    rest = bytes.subarray(start)
    if (rest.length > recordBytesMax) break
  }
  if (rest.length > 0) yield { bytes: rest, ended: false }
}

/**
 * Length of the JSON object that the text begins with, brackets in strings not counted; 0 when it does not
 * end.
 */
function objectLength(text: Buffer): number {
  let depth = 0
  let inString = false
  for (let at = 0; at < text.length; at++) {
    const byte = text[at]
    if (inString && byte === backslash) at++
    else if (byte === quote) inString = !inString
    else if (!inString && byte === openingBrace) depth++
    else if (!inString && byte === closingBrace && --depth === 0) return at + 1
  }
  return 0
}

/**
 * Whether bytes after the last newline can be what a crash left of our own write: a beginning of a line, or
 * the zeros of a block that the file system had claimed and not filled. A whole object with anything after it
 * cannot.
 */
export function isTorn(tail: Buffer): boolean {
  if (tail.length > recordBytesMax) return false
  let end = tail.length
  while (end > 0 && tail[end - 1] === 0) end--
  if (end === 0) return true
  const text = tail.subarray(0, end)
  if (text[0] !== openingBrace || text.some((byte) => byte < 0x20)) return false
  const length = objectLength(text)
  return length === 0 || length === tail.length
}
