/** The bytes are not DER (ITU-T X.690) or not the shape that was asked for. Never quotes them. */
export class DerError extends Error {
  constructor(problem: string) {
    super(problem)
    this.name = 'DerError'
  }
}

/** One tag-length-value; `start` to `end` is the value, `from` to `end` the whole. */
export interface Der {
  readonly bytes: Buffer
  readonly tag: number
  readonly from: number
  readonly start: number
  readonly end: number
}

export const tags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  enumerated: 0x0a,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const

/** The tag of `[number]`, primitive (IMPLICIT of a primitive type). */
export const contextTag = (number: number): number => 0x80 | number
/** The tag of `[number]`, constructed (EXPLICIT, or IMPLICIT of a constructed type). */
export const contextGroup = (number: number): number => 0xa0 | number

/** Reads bytes that hold exactly one element. Lengths are definite and minimal: one spelling for each value. */
export function readDer(bytes: Buffer, tag?: number): Der {
  const element = elementAt(bytes, 0, bytes.length)
  if (element.end !== bytes.length) throw new DerError('bytes after the end')
  return tag === undefined ? element : expectTag(element, tag)
}

/** The elements inside a constructed one, at most `countMax`. */
export function childrenOf(parent: Der, countMax: number): Der[] {
  if ((parent.tag & 0x20) === 0) throw new DerError('not constructed')
  const children: Der[] = []
  for (let at = parent.start; at < parent.end; ) {
    if (children.length === countMax) throw new DerError('too many elements')
    const child = elementAt(parent.bytes, at, parent.end)
    children.push(child)
    at = child.end
  }
  return children
}

/** Walks over the elements inside a constructed one without keeping them: for lists that may be long. */
export function eachChild(parent: Der, visit: (child: Der) => void): void {
  for (let at = parent.start; at < parent.end; ) {
    const child = elementAt(parent.bytes, at, parent.end)
    visit(child)
    at = child.end
  }
}

/** The one element that an EXPLICIT tag or an OCTET STRING wraps. */
export function insideOf(outer: Der, tag: number): Der {
  const inner = elementAt(outer.bytes, outer.start, outer.end)
  if (inner.end !== outer.end) throw new DerError('bytes after the end')
  return expectTag(inner, tag)
}

/** The element itself, when it is there and has that tag. */
export function expectTag(element: Der | undefined, tag: number): Der {
  if (element?.tag !== tag) throw new DerError('unexpected element')
  return element
}

/** The value, without copying it. */
export const contentOf = (element: Der): Buffer => element.bytes.subarray(element.start, element.end)
/** Tag, length and value, without copying them. */
export const wholeOf = (element: Der): Buffer => element.bytes.subarray(element.from, element.end)

function elementAt(bytes: Buffer, from: number, limit: number): Der {
  const tag = byteAt(bytes, from, limit)
  if ((tag & 0x1f) === 0x1f) throw new DerError('tag of more than one byte')
  const first = byteAt(bytes, from + 1, limit)
  const extra = first < 0x80 ? 0 : first & 0x7f
  const length = extra === 0 && first < 0x80 ? first : longLength(bytes, from + 2, extra, limit)
  const start = from + 2 + extra
  if (start + length > limit) throw new DerError('cut short')
  return { bytes, tag, from, start, end: start + length }
}

function longLength(bytes: Buffer, at: number, octets: number, limit: number): number {
  // 0 is the indefinite form of BER; more than four octets would be past every bound we have.
  if (octets === 0 || octets > 4) throw new DerError('length not allowed in DER')
  let length = 0
  for (let i = 0; i < octets; i += 1) length = length * 256 + byteAt(bytes, at + i, limit)
  if (length < 0x80 || length < 256 ** (octets - 1)) throw new DerError('length not minimal')
  return length
}

function byteAt(bytes: Buffer, at: number, limit: number): number {
  const byte = at < limit ? bytes[at] : undefined
  if (byte === undefined) throw new DerError('cut short')
  return byte
}
