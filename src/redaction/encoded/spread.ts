import type { Stretch } from './runs.ts'

/**
 * Finds rows of single characters with a blank or a dot after each, `A K I A J 6 4 ...`, and says what they may stand
 * for. Cards, IBANs and the like have rules of their own for it, in replies as well; this is for keys, which are too
 * many and too long for a rule each. Linear, and of other text only two units in twenty are looked at.
 */

/** Shorter rows hold no value that proves itself. */
export const spreadMembersMin = 12
/** A row is longer than this, so it holds one of the places that are looked at and the one behind it. */
const stepUnits = 2 * (spreadMembersMin - 1) - 2
/** So much of a text is searched without a pause. */
const pauseUnits = 131_072

const blank = 32
const dot = 46
const isGap = (unit: number): boolean => unit === blank || unit === dot

/** A character of a row: visible, and one code unit. */
function isMember(text: string, at: number): boolean {
  const unit = text.charCodeAt(at)
  return unit > blank && unit !== 0xa0 && (unit < 0xd800 || unit > 0xdfff)
}

const isWordUnit = (unit: number): boolean =>
  (unit >= 48 && unit <= 57) || ((unit | 32) >= 97 && (unit | 32) <= 122) || unit >= 0xc0

/** The row with a gap at `gapAt`, not before `from`. Ends of words are none of it: `key A K I A`. */
function rowAround(text: string, gapAt: number, from: number): Stretch {
  const gap = text.charCodeAt(gapAt)
  let first = gapAt
  while (first - 2 >= from && text.charCodeAt(first - 2) === gap && isMember(text, first - 1)) first -= 2
  let last = gapAt
  while (text.charCodeAt(last + 2) === gap && isMember(text, last + 1)) last += 2
  let start = first > from && isMember(text, first - 1) ? first - 1 : first + 1
  let end = isMember(text, last + 1) ? last + 2 : last
  if (start > 0 && isWordUnit(text.charCodeAt(start - 1))) start += 2
  if (end < text.length && isWordUnit(text.charCodeAt(end))) end -= 2
  return { start, end }
}

/** Whether there is a gap, and the same two units before or behind it: a blank of prose has neither. */
function isInRow(text: string, at: number): boolean {
  const gap = text.charCodeAt(at)
  return isGap(gap) && (text.charCodeAt(at - 2) === gap || text.charCodeAt(at + 2) === gap)
}

const membersOf = ({ start, end }: Stretch): number => (end - start + 1) / 2

/** The rows of a text, in order, none over another. `undefined`: a good moment to let others have a turn. */
export function* spreadRows(text: string): Generator<Stretch | undefined> {
  let from = 0
  let pauseAt = pauseUnits
  for (let at = 0; at < text.length; at += stepUnits) {
    for (let gapAt = at; gapAt <= at + 1; gapAt += 1) {
      if (gapAt < from || !isInRow(text, gapAt)) continue
      const row = rowAround(text, gapAt, from)
      // What is behind the row may begin another, but a row is never looked at twice.
      from = Math.max(from, row.end - 1)
      if (membersOf(row) >= spreadMembersMin) yield row
    }
    at = Math.max(at, from - stepUnits)
    if (at < pauseAt) continue
    pauseAt = at + pauseUnits
    yield undefined
  }
}

const letter = /[A-Za-z\u0080-\uffff]/
/** Words of one letter beside a row look like a part of it. */
const wordBefore = /^[AaI]/
const wordBehind = /[aI]$/
/** Who takes a key apart at what separates its parts loses its hyphens as well. */
const bareOpenAiKey = /^sk(proj|svcacct|admin)?(?=[A-Za-z0-9_]{32})/

/** What a row may stand for. Of digits alone nothing: rows of figures are common, and the rules for numbers know them. */
export function spreadReadings(text: string, { start, end }: Stretch): readonly string[] {
  let plain = ''
  for (let at = start; at < end; at += 2) plain += text[at]
  if (!letter.test(plain)) return []
  const readings = [plain]
  if (bareOpenAiKey.test(plain))
    readings.push(
      plain.replace(bareOpenAiKey, (_, kind: string | undefined) => (kind ? `sk-${kind}-` : 'sk-')),
    )
  if (wordBefore.test(plain)) readings.push(plain.slice(1))
  if (wordBehind.test(plain)) readings.push(plain.slice(0, -1))
  return readings
}
