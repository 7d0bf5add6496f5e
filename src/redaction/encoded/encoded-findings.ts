import { setImmediate } from 'node:timers/promises'
import type { Finding, Found } from '../finding.ts'
import { leftContextUnits } from '../recognizer.ts'
import { decodedPieces, encodingsOf } from './decode.ts'
import { jsonPieces, type TextPiece, wholePiece } from './json-pieces.ts'
import { findingOverSeam, lineSeams } from './line-seams.ts'
import { base64UnitsMin, type EncodedRun, encodedRuns, type Stretch } from './runs.ts'
import { apart, at, gravest, type Label, labelFor, rank, type Search } from './search.ts'
import { spreadReadings, spreadRows } from './spread.ts'

/**
 * Values inside base64 and hexadecimal text of a prompt, two layers deep; in rows of single characters; and broken by a
 * line end. A reply is not looked at like this: its reader would have to wait for the end of every long word.
 *
 * 1. A token in which anything was found is a finding as a whole, with the entity of what was found.
 * 2. Every token is decoded, however long and however many there are: there is no bound behind which to hide. Instead
 *    the work is linear: on each of the two layers a character is decoded a few times at most (with its neighbor lines,
 *    alone, and between separators), and long tokens come in pieces of 64 KiB.
 * 3. Only text is scanned: of bytes that are not at least four fifths printable no piece is.
 * 4. Of a value that is broken by a line end both pieces are masked, and the line end with them.
 */
export interface EncodedFinding extends Finding {
  /** It stood in JSON outside a string: what takes its place needs quotes. */
  readonly bare?: true
}

/** What rules find in a text. Meant for values that prove themselves (tier 1): there is no context in a token. */
export type Scan = (decoded: string) => Found
export type PacedScan = (decoded: string) => Promise<Found>

export const encodedDepthMax = 2

/** What a decoded text holds, itself or in a token of its own. */
function* labelOf(decoded: string, depth: number): Search<Label | undefined> {
  const found = labelFor(yield decoded)
  if (found !== undefined || depth >= encodedDepthMax) return found
  for (const run of encodedRuns(decoded)) {
    if (run === undefined) continue
    const inner = (yield* findingsIn(decoded, run, depth + 1))[0]
    if (inner !== undefined) return inner
  }
  return undefined
}

interface Tried {
  readonly readable: boolean
  readonly label: Label | undefined
}

/** Decodes one body in each way that it allows. */
function* tryBody(body: string, depth: number): Search<Tried> {
  for (const encoding of encodingsOf(body)) {
    const tried = yield* tryEncoding(decodedPieces(body, encoding), depth)
    if (tried.readable) return tried
  }
  return unread
}

function* tryEncoding(pieces: Iterable<string | undefined>, depth: number): Search<Tried> {
  let readable = false
  let first = true
  for (const decoded of pieces) {
    // Most bodies are one piece, and too short to be worth a turn.
    if (!first) yield undefined
    first = false
    if (decoded === undefined) continue
    readable = true
    const label = yield* labelOf(decoded, depth)
    if (label !== undefined) return { readable, label }
  }
  return { readable, label: undefined }
}

const unread: Tried = { readable: false, label: undefined }

/** So many pieces are looked at without a pause. */
const triedAtATime = 1_024
/** `+`, `/`, `-` and `_` are rare in encoded text and common around it: `/img/` and then a token. */
const betweenSeparators = /[A-Za-z0-9]+/g

function* findingsInParts(text: string, run: EncodedRun, depth: number): Search<Finding[]> {
  const found: Finding[] = []
  for (const part of run.parts) {
    const body = text.slice(part.start, part.end)
    const { readable, label } = run.parts.length === 1 ? unread : yield* tryBody(body, depth)
    if (label !== undefined) found.push(at(part, label))
    else if (!readable) found.push(...(yield* findingsBetween(body, part.start, depth)))
  }
  return found
}

function* findingsBetween(body: string, base: number, depth: number): Search<Finding[]> {
  const found: Finding[] = []
  let tried = 0
  for (const { 0: piece, index } of body.matchAll(betweenSeparators)) {
    if (++tried % triedAtATime === 0) yield undefined
    if (piece.length < base64UnitsMin || piece.length === body.length) continue
    const { label } = yield* tryBody(piece, depth)
    if (label !== undefined) found.push(at({ start: base + index, end: base + index + piece.length }, label))
  }
  return found
}

const pairGaps = /0x|[^0-9A-Fa-f]/g

/** The encoded text without what stands in it for its looks: line ends, `0x` before digits, `-` between bytes. */
function bodyOf(text: string, { kind, start, end, parts }: EncodedRun): string {
  if (kind === 'pairs') return text.slice(start, end).replace(pairGaps, '')
  const body = parts.map((part) => text.slice(part.start, part.end)).join('')
  if (body.startsWith('0x')) return body.slice(2)
  return /^[0-9A-Fa-f]{2}(?:-[0-9A-Fa-f]{2})+$/.test(body) ? body.replaceAll('-', '') : body
}

function* findingsIn(text: string, run: EncodedRun, depth: number): Search<Finding[]> {
  const found = yield* findingsInside(text, run, depth)
  return found.length > 0 && (yield* isKnown(text, run)) ? [] : found
}

/**
 * Whether the rules know the token as it stands: a key or a JSON Web Token with an address in it is a key first, and
 * theirs. They are asked with what stands around it, because that is how they will see it.
 */
function* isKnown(text: string, { start, end }: Stretch): Search<boolean> {
  if (end - start > knownUnitsMax) return false
  const from = Math.max(0, start - leftContextUnits)
  const { findings } = yield text.slice(from, end + edgeUnits)
  return findings.some(
    (one) => rank[one.action] >= rank.mask && one.start + from <= start && one.end + from >= end,
  )
}

/** No key is longer, and few tokens. */
const knownUnitsMax = 16_384
/** A rule may look at two characters behind a match. */
const edgeUnits = 2

function* findingsInside(text: string, run: EncodedRun, depth: number): Search<Finding[]> {
  if (run.kind === 'dotted') {
    // What is in one of its parts goes for the whole.
    const inside = gravest(yield* findingsInParts(text, run, depth))
    return inside === undefined ? [] : [at(run, inside)]
  }
  const { readable, label } = yield* tryBody(bodyOf(text, run), depth)
  if (label !== undefined) return [at(run, label)]
  return readable || run.kind === 'pairs' ? [] : yield* findingsInParts(text, run, depth)
}

function* findingInRow(text: string, row: Stretch): Search<Finding | undefined> {
  for (const reading of spreadReadings(text, row)) {
    // Within lines, so that rules for a number that is the whole text do not hold.
    const label = yield* labelOf(`\n${reading}\n`, 1)
    if (label !== undefined) return (yield* isKnown(text, row)) ? undefined : at(row, label)
  }
  return undefined
}

/** All findings of one text, in order, none over another. */
function* findingsOf(text: string): Search<Finding[]> {
  const found: Finding[] = []
  for (const run of encodedRuns(text)) {
    if (run === undefined) yield undefined
    else found.push(...(yield* findingsIn(text, run, 1)))
  }
  for (const row of spreadRows(text)) {
    const one = row === undefined ? yield* pause() : yield* findingInRow(text, row)
    if (one !== undefined) found.push(one)
  }
  for (const seam of lineSeams(text)) {
    const one = seam === undefined ? yield* pause() : yield* findingOverSeam(seam)
    if (one !== undefined) found.push(one)
  }
  return apart(found)
}

function* pause(): Search<undefined> {
  yield undefined
  return undefined
}

function* search(text: string, kind: 'text' | 'json'): Search<EncodedFinding[]> {
  const found: EncodedFinding[] = []
  const pieces: Iterable<TextPiece> = kind === 'json' ? jsonPieces(text) : [wholePiece(text)]
  for (const piece of pieces) {
    for (const finding of yield* findingsOf(piece.text)) {
      const place = { ...finding, start: piece.original(finding.start), end: piece.original(finding.end) }
      found.push(kind === 'json' && !piece.inString ? { ...place, bare: true } : place)
    }
  }
  return found
}

/**
 * The encoded tokens of a text in which `scan` finds something that is not allowed, in order, none over another.
 * `json`: the text is JSON, and its strings are looked at decoded.
 */
export function encodedFindings(
  text: string,
  scan: Scan,
  { kind = 'text' }: { readonly kind?: 'text' | 'json' } = {},
): readonly EncodedFinding[] {
  const searching = search(text, kind)
  let step = searching.next()
  while (!step.done) step = searching.next(step.value === undefined ? nothing : scan(step.value))
  return step.value
}

const nothing: Found = { findings: [], tallies: [] }

/** The same with pauses, so that no caller's texts hold up the others. An abort ends it. */
export async function pacedEncodedFindings(
  { text, kind }: { readonly text: string; readonly kind: 'text' | 'json' },
  scan: PacedScan,
  signal: AbortSignal,
): Promise<readonly EncodedFinding[]> {
  const searching = search(text, kind)
  let step = searching.next()
  while (!step.done) step = searching.next(await answer(step.value, scan, signal))
  return step.value
}

async function answer(text: string | undefined, scan: PacedScan, signal: AbortSignal): Promise<Found> {
  if (text !== undefined) return await scan(text)
  await setImmediate()
  signal.throwIfAborted()
  return nothing
}
