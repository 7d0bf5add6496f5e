import { contentOf, type Der, DerError, expectTag, tags } from './der.ts'

const oidBytesMax = 64

/** TRUE or FALSE; DER knows one spelling of each. */
export function booleanOf(element: Der): boolean {
  const value = contentOf(expectTag(element, tags.boolean))
  if (value.length !== 1 || (value[0] !== 0 && value[0] !== 0xff)) throw new DerError('not a boolean')
  return value[0] === 0xff
}

/** The two's complement octets of an INTEGER, minimal. */
export function integerOf(element: Der): Buffer {
  const value = contentOf(expectTag(element, tags.integer))
  const [first, second] = value
  if (first === undefined) throw new DerError('empty integer')
  const padded =
    second !== undefined && ((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80))
  if (padded) throw new DerError('integer not minimal')
  return value
}

/** An INTEGER from 0 to 2^31-1. */
export function smallIntegerOf(element: Der): number {
  const value = integerOf(element)
  if (value.length > 4 || (value[0] ?? 0) >= 0x80) throw new DerError('integer out of range')
  return value.readUIntBE(0, value.length)
}

/** The octets of a BIT STRING and how many bits of the last one are not used. */
export function bitsOf(element: Der): { readonly octets: Buffer; readonly unused: number } {
  const value = contentOf(expectTag(element, tags.bitString))
  const unused = value[0]
  if (unused === undefined || unused > 7 || (unused > 0 && value.length === 1))
    throw new DerError('bad bit string')
  return { octets: value.subarray(1), unused }
}

/** An OBJECT IDENTIFIER in dotted decimal. */
export function oidOf(element: Der): string {
  const value = contentOf(expectTag(element, tags.oid))
  if (value.length === 0 || value.length > oidBytesMax) throw new DerError('bad object identifier')
  const arcs: number[] = []
  let arc = 0
  for (const [i, byte] of value.entries()) {
    if (arc === 0 && byte === 0x80) throw new DerError('bad object identifier')
    arc = arc * 128 + (byte & 0x7f)
    if (arc > Number.MAX_SAFE_INTEGER) throw new DerError('bad object identifier')
    if (byte < 0x80) {
      arcs.push(arc)
      arc = 0
    } else if (i === value.length - 1) throw new DerError('bad object identifier')
  }
  const [head = 0, ...rest] = arcs
  const first = Math.min(Math.floor(head / 40), 2)
  return [first, head - first * 40, ...rest].join('.')
}

const utcTime = /^\d{12}Z$/
const generalizedTime = /^\d{14}Z$/

/** A Time of RFC 5280 section 4.1.2.5 (seconds and `Z`, no fraction), in milliseconds since the epoch. */
export function timeOf(element: Der): number {
  const value = contentOf(element)
  if (value.length > 15) throw new DerError('bad time')
  const text = value.toString('latin1')
  if (element.tag === tags.utcTime && utcTime.test(text)) {
    // Two digits: 50 to 99 is the last century (RFC 5280 section 4.1.2.5.1).
    return toMs((Number(text.slice(0, 2)) >= 50 ? '19' : '20') + text)
  }
  if (element.tag === tags.generalizedTime && generalizedTime.test(text)) return toMs(text)
  throw new DerError('bad time')
}

function toMs(text: string): number {
  const [year, month, day] = [text.slice(0, 4), text.slice(4, 6), text.slice(6, 8)]
  const iso = `${year}-${month}-${day}T${text.slice(8, 10)}:${text.slice(10, 12)}:${text.slice(12, 14)}.000Z`
  const ms = Date.parse(iso)
  // Date.parse turns 31 February into March; the way back shows it.
  if (Number.isNaN(ms) || new Date(ms).toISOString() !== iso) throw new DerError('bad time')
  return ms
}

/** Text of printable ASCII, byte for byte. Anything else cannot be compared or logged without a second reading. */
export function asciiOf(element: Der, bytesMax: number): string {
  const value = contentOf(element)
  if (value.length === 0 || value.length > bytesMax) throw new DerError('text of a bad length')
  for (const byte of value) if (byte < 0x20 || byte > 0x7e) throw new DerError('text that is not ASCII')
  return value.toString('latin1')
}
