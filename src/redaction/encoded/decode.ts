import { Buffer, isUtf8 } from 'node:buffer'

/** Undoes base64 and hexadecimal digits, a bounded piece at a time, where what comes out is text. */

/** Units of one piece, a multiple of 4; and how much of a piece comes again in the next, longer than any value. */
const pieceUnits = 65_536
const overlapUnits = 2_048
/** Of encrypted or compressed bytes 4 in 10 are printable by chance; of text in any language nearly all. */
const readableShareMin = 0.8

const hexOnly = /^[0-9A-Fa-f]+$/

const PRINTABLE = 1
const CONTROL = 2
/** What each byte is in ASCII. */
const kinds = new Uint8Array(256)
kinds.fill(CONTROL, 0, 32)
kinds.fill(PRINTABLE, 32, 127)
for (const blank of [9, 10, 13]) kinds[blank] = PRINTABLE
kinds[127] = CONTROL

export type Encoding = 'hex' | 'base64'

/** The encodings that the body of a run may have, likeliest first. */
export const encodingsOf = (body: string): readonly Encoding[] =>
  body.length % 2 === 0 && hexOnly.test(body) ? ['hex', 'base64'] : ['base64']

/** The decoded text of a body, piece by piece; `undefined` for a piece that is not text. */
export function* decodedPieces(body: string, encoding: Encoding): Generator<string | undefined> {
  for (let from = 0; ; from += pieceUnits - overlapUnits) {
    yield readable(Buffer.from(body.slice(from, from + pieceUnits), encoding))
    if (from + pieceUnits >= body.length) return
  }
}

function readable(bytes: Buffer): string | undefined {
  if (bytes.length === 0) return undefined
  if (isUtf16(bytes)) return bytes.toString('utf16le')
  let ascii = 0
  let control = 0
  for (let at = 0; at < bytes.length; at++) {
    const kind = kinds[bytes[at] as number]
    if (kind === PRINTABLE) ascii++
    else if (kind === CONTROL) control++
  }
  const needed = bytes.length * readableShareMin
  // Text with a few broken bytes is read all the same; text of other scripts has to be whole.
  if (ascii >= needed || (bytes.length - control >= needed && isUtf8(bytes))) return bytes.toString('utf8')
  return undefined
}

/** What PowerShell and Windows encode: text of mostly ASCII letters has a zero in every second byte. */
function isUtf16(bytes: Buffer): boolean {
  const looked = Math.min(bytes.length, 64) & ~1
  if (bytes[1] !== 0 && bytes[3] !== 0) return false
  let zeros = 0
  for (let at = 1; at < looked; at += 2) if (bytes[at] === 0) zeros++
  return looked >= 8 && zeros * 2 >= looked * 0.8
}
