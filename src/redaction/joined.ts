import type { Finding, Found } from './finding.ts'

/**
 * Values that are cut over adjacent messages of a prompt: half of a number in one, the rest in the next. The model
 * reads the messages in a row, so for it they are whole.
 *
 * 1. Only a value that lies over a seam is found here. What lies in one text is left to the ordinary rules; so is a
 *    seam at which one of the two texts alone holds a value: `thanks` and then an address is no longer address. The
 *    rest of a long token is an exception.
 * 2. Of each text only the first and the last `seamUnits` are joined, whole texts where they are short enough, so that
 *    a value in many pieces is found as well. The work is linear in the texts and does not depend on their length.
 * 3. Three readings: the texts as they are, without the blanks at their ends, and with one blank between them.
 */
export interface JoinedFinding extends Finding {
  /** Index of the text in which this piece of the value stands; `start` and `end` are places in it. */
  readonly text: number
}

/** What rules find in a text. Meant for values that prove themselves (tier 1). */
export type JoinedScan = (joined: string) => Found
export type PacedJoinedScan = (joined: string) => Promise<Found>

/** A text of the prompt; `undefined`: no text, or one that nothing is read together with. */
export type JoinedText = string | undefined

export const seamUnits = 64
/** So long is what follows the half of a token at least, where that half alone was found. */
const restUnitsMin = 8
/** A piece that reaches the edge of what was joined goes on in its text up to a blank, or this far. */
const restUnitsMax = 512
/** A scan keeps the places of its first findings only: so much text holds no more of them. */
const chainUnitsMax = 1_024
/** Where a chain is ended for its length, this much of it is read again with what follows. */
const carriedUnits = 3 * seamUnits

type Reading = 'whole' | 'trimmed' | 'spaced'
const readings: readonly Reading[] = ['whole', 'trimmed', 'spaced']

/** A part of a text, and where it stands in the joined text. */
interface Piece {
  readonly text: number
  /** Place in the text. */
  readonly from: number
  readonly to: number
  /** Place in the joined text. */
  readonly at: number
}

const surrogateLow = /[\udc00-\udfff]/

const blank = /\s/
const digit = /\d/
const letter = /[A-Za-z]/

function head(text: string, from: number): number {
  const to = Math.min(text.length, from + seamUnits)
  return surrogateLow.test(text[to] ?? '') ? to - 1 : to
}

function tail(text: string, to: number): number {
  const from = Math.max(0, to - seamUnits)
  return surrogateLow.test(text[from] ?? '') ? from + 1 : from
}

/** The edges of a text: all of it, or without the blanks around it. */
function edges(text: JoinedText, reading: Reading): readonly [number, number] {
  if (text === undefined) return [0, 0]
  if (reading === 'whole') return [0, text.length]
  const trimmed = text.trimStart()
  return trimmed === '' ? [0, 0] : [text.length - trimmed.length, text.trimEnd().length]
}

/** Pieces that are read in a row. */
class Chain {
  readonly pieces: Piece[] = []
  readonly joint: '' | ' '
  units = 0

  constructor(joint: '' | ' ') {
    this.joint = joint
  }

  add(text: number, from: number, to: number): void {
    this.pieces.push({ text, from, to, at: this.units })
    this.units += to - from + this.joint.length
  }

  /** A chain that goes on where this one ends. */
  next(): Chain {
    const next = new Chain(this.joint)
    const end = this.units
    for (const { text, from, to, at } of this.pieces) if (at >= end - carriedUnits) next.add(text, from, to)
    return next
  }
}

/** From the tail of one long text over short ones to the head of the next. */
function* chains(texts: readonly JoinedText[], reading: Reading): Generator<Chain> {
  const joint = reading === 'spaced' ? ' ' : ''
  let chain = new Chain(joint)
  for (const [index, text] of texts.entries()) {
    const [from, to] = edges(text, reading)
    const last = to - from <= 2 * seamUnits ? to : head(text as string, from)
    if (last > from) chain.add(index, from, last)
    if (text === undefined || last < to || chain.units > chainUnitsMax) {
      yield chain
      chain = last < to || text === undefined ? new Chain(joint) : chain.next()
    }
    if (last < to) chain.add(index, tail(text as string, to), to)
  }
  yield chain
}

type Search = Generator<string, JoinedFinding[], Found>

function* search(texts: readonly JoinedText[]): Search {
  const found: JoinedFinding[] = []
  for (const reading of readings)
    for (const chain of chains(texts, reading))
      if (chain.pieces.length > 1) found.push(...(yield* searchChain(texts, chain)))
  return apart(found)
}

const partOf = (texts: readonly JoinedText[], { text, from, to }: Piece): string =>
  (texts[text] as string).slice(from, to)

function* searchChain(texts: readonly JoinedText[], { pieces, joint }: Chain): Search {
  const found: JoinedFinding[] = []
  const alone = new Map<Piece, readonly Finding[]>()
  const { findings } = yield pieces.map((piece) => partOf(texts, piece)).join(joint)
  let first = 0
  for (const finding of findings.filter(({ action }) => action !== 'allow')) {
    while (first < pieces.length && endOf(pieces[first] as Piece) <= finding.start) first++
    const under = piecesUnder(pieces, first, finding.end)
    if (under.length < 2) continue
    const isAlone = yield* anyHoldsValue(texts, under, { alone, finding })
    if (isAlone && !isRestOfToken(texts, under, finding)) continue
    found.push(...under.map((piece) => pieceOf(texts, piece, finding)))
  }
  return found
}

/** Whether one of the pieces alone holds a value where the finding lies. Each is scanned once. */
function* anyHoldsValue(
  texts: readonly JoinedText[],
  pieces: readonly Piece[],
  { alone, finding }: { readonly alone: Map<Piece, readonly Finding[]>; readonly finding: Finding },
): Generator<string, boolean, Found> {
  for (const piece of pieces) {
    if (!alone.has(piece)) alone.set(piece, (yield partOf(texts, piece)).findings)
    if (holdsValue(piece, alone.get(piece), finding)) return true
  }
  return false
}

/** The first half of a long key may be a key by itself; what follows it then is no word of its own. */
function isRestOfToken(texts: readonly JoinedText[], pieces: readonly Piece[], finding: Finding): boolean {
  const rest = pieces.slice(1).map((piece) => partOf(texts, piece))
  const text = rest.join('').slice(0, finding.end - (pieces[1] as Piece).at)
  return text.length >= restUnitsMin && digit.test(text) && letter.test(text)
}

const endOf = ({ at, from, to }: Piece): number => at + to - from

function piecesUnder(pieces: readonly Piece[], first: number, end: number): Piece[] {
  let last = first
  while (last < pieces.length && (pieces[last] as Piece).at < end) last++
  return pieces.slice(first, last)
}

const holdsValue = ({ at }: Piece, alone: readonly Finding[] = [], { start, end }: Finding): boolean =>
  alone.some((value) => value.start + at < end && value.end + at > start)

function pieceOf(texts: readonly JoinedText[], piece: Piece, finding: Finding): JoinedFinding {
  const { text, from, to, at } = piece
  const whole = texts[text] as string
  const start = Math.max(from, finding.start - at + from)
  const end = Math.min(to, finding.end - at + from)
  return {
    text,
    entity: finding.entity,
    recognizer: finding.recognizer,
    action: finding.action,
    start: start === from ? wordStart(whole, start) : start,
    end: end === to ? wordEnd(whole, end) : end,
  }
}

function wordStart(text: string, from: number): number {
  let at = from
  while (at > 0 && from - at < restUnitsMax && !blank.test(text[at - 1] as string)) at--
  return at
}

function wordEnd(text: string, to: number): number {
  let at = to
  while (at < text.length && at - to < restUnitsMax && !blank.test(text[at] as string)) at++
  return at
}

/** In order, and of two that overlap (the readings find the same) one, as long as both together. */
function apart(found: readonly JoinedFinding[]): JoinedFinding[] {
  const kept: JoinedFinding[] = []
  for (const one of [...found].sort((a, b) => a.text - b.text || a.start - b.start || b.end - a.end)) {
    const last = kept.at(-1)
    if (last === undefined || last.text !== one.text || one.start >= last.end) kept.push(one)
    else if (one.end > last.end) kept[kept.length - 1] = { ...last, end: one.end }
  }
  return kept
}

/** The pieces of values that lie over the seams of adjacent texts. */
export function joinedFindings(texts: readonly JoinedText[], scan: JoinedScan): readonly JoinedFinding[] {
  const searching = search(texts)
  let step = searching.next()
  while (!step.done) step = searching.next(scan(step.value))
  return step.value
}

/** The same for a scan that pauses, so that no caller's texts hold up the others. */
export async function pacedJoinedFindings(
  texts: readonly JoinedText[],
  scan: PacedJoinedScan,
): Promise<readonly JoinedFinding[]> {
  const searching = search(texts)
  let step = searching.next()
  while (!step.done) step = searching.next(await scan(step.value))
  return step.value
}
