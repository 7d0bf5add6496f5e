import type { Finding } from '../finding.ts'
import type { Stretch } from './runs.ts'
import { gravest, type Search } from './search.ts'

/**
 * Finds the line ends at which a value may be broken in two: between two characters that keys and addresses are made of.
 * Most line ends of programs and lists are so; what is worth a scan has to look like a key or an address as well.
 */

/** A line end, and what stands on both sides of it. */
export interface LineSeam {
  readonly seam: Stretch
  readonly left: string
  readonly right: string
}

/** So much of each side is read: longer than most keys. */
const sideUnitsMax = 256
/** The shortest value that is worth it. */
const joinedUnitsMin = 16
/** So many line ends are looked at without a pause. */
const seamsAtATime = 4_096

const LEFT = 1
const RIGHT = 2
const sides = new Uint8Array(128)
for (const char of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+/.-@%:~')
  sides[char.charCodeAt(0)] = LEFT | RIGHT
// Before it stands a name, which is no part of the value; behind a value it tells that this was a name.
sides['='.charCodeAt(0)] = RIGHT

const isOf = (side: number, text: string, at: number): boolean =>
  ((sides[text.charCodeAt(at)] ?? 0) & side) !== 0

function leftStart(text: string, end: number): number {
  let at = end
  while (at > 0 && end - at < sideUnitsMax && isOf(LEFT, text, at - 1)) at--
  return at
}

function rightEnd(text: string, start: number): number {
  let at = start
  while (at - start < sideUnitsMax && isOf(RIGHT, text, at)) at++
  return at
}

const digit = /\d/
const letter = /[A-Za-z]/
/** A key has both letters and digits. What begins with `@` behind a line end is a decorator of a program. */
const mayHoldValue = (joined: string, right: string): boolean =>
  joined.length >= joinedUnitsMin &&
  right[0] !== '@' &&
  letter.test(joined) &&
  (joined.includes('@') || digit.test(joined))

function seamAt(text: string, at: number): LineSeam | undefined {
  const start = text[at - 1] === '\r' ? at - 1 : at
  if (!isOf(LEFT, text, start - 1) || !isOf(LEFT, text, at + 1)) return undefined
  const seam = { start, end: at + 1 }
  const left = text.slice(leftStart(text, start), start)
  const right = text.slice(seam.end, rightEnd(text, seam.end))
  return mayHoldValue(left + right, right) ? { seam, left, right } : undefined
}

/** In order. `undefined`: a good moment to let others have a turn. */
export function* lineSeams(text: string): Generator<LineSeam | undefined> {
  let seen = 0
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) {
    const seam = seamAt(text, at)
    if (seam !== undefined) yield seam
    if (++seen % seamsAtATime === 0) yield undefined
  }
}

/** Whether a finding lies on both sides of a place. */
const liesOver =
  (place: number) =>
  ({ start, end }: Finding): boolean =>
    start < place && end > place

/**
 * The value that lies over a line end, if any. Where one side alone holds a value it is left to the ordinary rules: an
 * address and then `Thanks` is no longer address.
 */
export function* findingOverSeam({ seam, left, right }: LineSeam): Search<Finding | undefined> {
  const joined = left + right
  const { findings } = yield joined
  const over = gravest(findings.filter(liesOver(left.length)))
  if (over === undefined || letters(joined.slice(over.start, over.end)) < lettersMin) return undefined
  const inRight = gravest((yield right).findings.filter(({ start }) => start + left.length < over.end))
  if (inRight !== undefined) return undefined
  const inLeft = gravest((yield left).findings.filter(({ end }) => end > over.start))
  if (inLeft !== undefined && !restOfKey.test(joined.slice(left.length, over.end + 1))) return undefined
  return { ...over, start: seam.start - left.length + over.start, end: seam.end - left.length + over.end }
}

/** Numbers stand in columns: what two lines of them make together is right by chance too often. */
const lettersMin = 4
const letters = (text: string): number => text.match(/[A-Za-z]/g)?.length ?? 0
/** The first half of a long key may be a key by itself; the rest is no word and not the name of the next value. */
const restOfKey = /^(?=[^\d]*\d)(?=[^A-Za-z]*[A-Za-z]).{8,}[^=:]$/
