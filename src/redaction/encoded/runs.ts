/**
 * Finds what looks like encoded text: runs of the base64 alphabets, over line breaks as well, and bytes written in
 * hexadecimal digits. One pass from left to right; each character is looked at a bounded number of times.
 */

/** A stretch of a text. */
export interface Stretch {
  readonly start: number
  readonly end: number
}

/**
 * `lines`: runs of the base64 alphabets (all of them hexadecimal digits, perhaps), one a line. `pairs`: bytes with
 * something between them (`41 42`, `\x41\x42`, `0x41, 0x42`). `dotted`: a JSON Web Token, or what looks like one.
 */
export interface EncodedRun extends Stretch {
  readonly kind: 'lines' | 'pairs' | 'dotted'
  /** The lines, or what stands between dots; of pairs none. */
  readonly parts: readonly Stretch[]
}

/** Ten bytes: the shortest value that proves itself by a checksum. Without padding, which may be left out. */
export const base64UnitsMin = 14
export const hexBytesMin = 8
/** A line of a wrapped encoding; encoders wrap at 60, 64 and 76. */
const lineUnitsMin = 16
const indentMax = 80
const separatorMax = 3

const BASE64 = 1
const HEX = 2
/** What bytes written one by one consist of. */
const PAIRS = 4
/** By code unit, for all of them: no bound to check in the loop that sees every text. */
const classes = new Uint8Array(65_536)
for (const char of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_')
  classes[char.charCodeAt(0)] = BASE64
for (const char of '0123456789abcdefABCDEF') classes[char.charCodeAt(0)] = BASE64 | HEX | PAIRS
for (const char of ' :,\t\n\\x') classes[char.charCodeAt(0)] = (classes[char.charCodeAt(0)] ?? 0) | PAIRS

const classAt = (text: string, at: number): number => classes[text.charCodeAt(at)] ?? 0
const isBase64 = (text: string, at: number): boolean => (classAt(text, at) & BASE64) !== 0
const isHex = (text: string, at: number): boolean => (classAt(text, at) & HEX) !== 0
const isBlank = (char: string | undefined): boolean => char === ' ' || char === '\t'

function runEnd(text: string, from: number): number {
  let at = from
  while (isBase64(text, at)) at++
  return at
}

function paddingEnd(text: string, from: number): number {
  let at = from
  while (at < from + 2 && text[at] === '=') at++
  return at
}

function blanksEnd(text: string, from: number): number {
  let at = from
  while (at < from + indentMax && isBlank(text[at])) at++
  return at
}

/** Units of a line break at `at`, written out or as the escapes of a string literal; 0 when there is none. */
function breakUnits(text: string, at: number): number {
  if (text[at] === '\n') return 1
  if (text[at] === '\r') return text[at + 1] === '\n' ? 2 : 1
  if (text.startsWith('\\r\\n', at)) return 4
  return text[at] === '\\' && (text[at + 1] === 'n' || text[at + 1] === 'r') ? 2 : 0
}

/** Where the next line of a wrapped encoding begins that continues the line from `start` to `end`. */
function nextLine(text: string, { start, end }: Stretch): number | undefined {
  if (end - start < lineUnitsMin || (end - start) % 4 !== 0) return undefined
  const broken = blanksEnd(text, end)
  const units = breakUnits(text, broken)
  if (units === 0) return undefined
  const from = blanksEnd(text, broken + units)
  const to = runEnd(text, from)
  return to - from >= lineUnitsMin || (to > from && fillsLine(text, to)) ? from : undefined
}

/** Whether padding follows, or nothing else on the line but what closes a literal: a short last line may be a word. */
function fillsLine(text: string, end: number): boolean {
  const at = blanksEnd(text, end)
  return at >= text.length || '="\'`<)]}'.includes(text[at] as string) || breakUnits(text, at) > 0
}

function linesFrom(text: string, start: number): EncodedRun {
  const parts: Stretch[] = []
  for (let from: number | undefined = start; from !== undefined; ) {
    const end: number = runEnd(text, from)
    parts.push({ start: from, end })
    from = text[end] === '=' ? undefined : nextLine(text, { start: from, end })
  }
  const last = parts.at(-1) as Stretch
  return { kind: 'lines', start, end: paddingEnd(text, last.end), parts }
}

/** Tokens of three or five parts begin with `{"` in base64. */
function dottedFrom(text: string, start: number, firstEnd: number): EncodedRun | undefined {
  if (text[firstEnd] !== '.' || !text.startsWith('eyJ', start) || !isBase64(text, firstEnd + 1))
    return undefined
  const parts: Stretch[] = [{ start, end: firstEnd }]
  let end = firstEnd
  while (text[end] === '.' && isBase64(text, end + 1)) {
    const from = end + 1
    end = runEnd(text, from)
    parts.push({ start: from, end })
  }
  return { kind: 'dotted', start, end, parts }
}

const pairPrefixes = ['\\x', '0x', '']

/** Units before the two digits of a byte at `at`; `undefined` when no byte is there. */
function pairStart(text: string, at: number, prefix: string): number | undefined {
  const digits = at + prefix.length
  return text.startsWith(prefix, at) && isHex(text, digits) && isHex(text, digits + 1) ? digits : undefined
}

function separatorEnd(text: string, from: number): number {
  let at = from
  while (at < from + separatorMax && ' :,\t\n'.includes(text[at] ?? 'x')) at++
  return at
}

/** Bytes from `start` on, each with the same prefix; those without one need something between them. */
function pairsFrom(text: string, start: number): (Stretch & { readonly bytes: number }) | undefined {
  const prefix = pairPrefixes.find((one) => pairStart(text, start, one) !== undefined) as string | undefined
  if (prefix === undefined) return undefined
  let bytes = 0
  let end = start
  for (let at = start; ; at = separatorEnd(text, end)) {
    const digits = at === end && prefix !== '\\x' && bytes > 0 ? undefined : pairStart(text, at, prefix)
    // A third digit: this is no byte.
    if (digits === undefined || (prefix !== '\\x' && isBase64(text, digits + 2))) break
    end = digits + 2
    bytes++
  }
  return bytes === 0 ? undefined : { start, end, bytes }
}

/**
 * The first place from `from` on, before `to`, where `units` characters of a class begin; else `to`. Looks at the last
 * of them first, as Boyer and Moore do: in prose most characters are never looked at.
 */
function stretchStart(
  text: string,
  from: number,
  to: number,
  needed: { class: number; units: number },
): number {
  const { class: wanted, units } = needed
  const lastStart = Math.min(to, text.length - units + 1)
  let at = from
  /** All from `at` to here are of the class. */
  let good = from
  while (at < lastStart) {
    let back = at + units - 1
    while (back >= good && ((classes[text.charCodeAt(back)] as number) & wanted) !== 0) back--
    if (back < good) return at
    at = back + 1
    good = at
  }
  return to
}

const longRun = { class: BASE64, units: base64UnitsMin }
const byteRow = { class: PAIRS, units: hexBytesMin * 3 - 1 }
const shortHeadUnits = base64UnitsMin

/** The header of a token may be too short to be looked at by itself. */
function headStart(text: string, start: number, from: number): number {
  if (text[start - 1] !== '.') return start
  let at = start - 1
  while (at > from && start - at <= shortHeadUnits && isBase64(text, at - 1)) at--
  return text.startsWith('eyJ', at) ? at : start
}

/** The run that a long stretch of the alphabets belongs to. */
function runAt(text: string, at: number, from: number): EncodedRun {
  const start = headStart(text, at, from)
  // The letter of an escaped line break is not part of what follows.
  const escaped = text[start - 1] === '\\' && 'nrt'.includes(text[start] as string)
  const first = escaped ? start + 1 : start
  return dottedFrom(text, first, runEnd(text, first)) ?? linesFrom(text, first)
}

/** Where the bytes could begin that a row of their characters may hold. */
const mayBegin = (text: string, at: number): boolean =>
  text[at] === '\\' || (isHex(text, at) && !isBase64(text, at - 1))

/** Bytes that begin from `from` on, before `to`. */
function pairsIn(text: string, from: number, to: number): EncodedRun | undefined {
  for (let at = from; ; ) {
    at = stretchStart(text, at, to, byteRow)
    if (at >= to) return undefined
    // Within a row each place is looked at once: the row is as long as what is looked for, at least.
    const end = Math.min(to, at + byteRow.units)
    while (at < end && !mayBegin(text, at)) at++
    const run = at < end ? pairsFrom(text, at) : undefined
    if (run !== undefined && run.bytes >= hexBytesMin)
      return { kind: 'pairs', start: run.start, end: run.end, parts: [] }
    at = run?.end ?? at + 1
  }
}

/** So much of a text is searched without a pause. */
const pauseUnits = 16_384

/** The runs of a text, in order, none over another. `undefined`: a good moment to let others have a turn. */
export function* encodedRuns(text: string): Generator<EncodedRun | undefined> {
  let at = 0
  while (at < text.length) {
    const to = Math.min(text.length, at + pauseUnits)
    let pairs = pairsIn(text, at, to)
    for (;;) {
      const from = at
      const long = stretchStart(text, at, to, longRun)
      if (pairs !== undefined && pairs.start <= long) {
        yield pairs
        at = pairs.end
      } else if (long < to) {
        const run = runAt(text, long, from)
        yield run
        at = run.end
      } else break
      if (pairs !== undefined && pairs.start < at) pairs = pairsIn(text, at, to)
    }
    at = Math.max(at, to)
    yield undefined
  }
}
