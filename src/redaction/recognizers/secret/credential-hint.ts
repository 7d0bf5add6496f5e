import { leftContextUnits } from '../../recognizer.ts'
import { WordEnds } from '../../word-ends.ts'
import { mayHoldName, wordEndings } from './credential-lexicon.ts'
import { isBlank, isQuote } from './left-reader.ts'

/** How far back a name is looked for: behind a separator, in markup, in a sentence. */
const nameUnits = 40
const sentenceUnits = 48
const newline = 10

/** Words that stand between a name and its value in a sentence. */
const links = new Set(
  'is was be to becomes equals now as with ist lautet es est sera jest är er è é by bearer'.split(' '),
)
const linkMax = 7
/** Of a word: its first letter, its last one and its length. */
const outline = (first: number, last: number, length: number): number =>
  ((first & 31) << 8) | ((last & 31) << 3) | length
const outlines = new Uint8Array(1 << 13)
for (const word of links)
  outlines[outline(word.charCodeAt(0), word.charCodeAt(word.length - 1), word.length)] = 1

/** What can stand before a value and a blank; `signs` beside those behind which a name introduces it. */
export const endsOfName = (signs = ''): WordEnds =>
  new WordEnds([...wordEndings, 'words', 'tokens', 'keys'], { whole: [...links], signs: `:=>;|*_-${signs}` })

export const nameEnds = endsOfName()

const isWordUnit = (unit: number): boolean =>
  (unit >= 48 && unit <= 57) ||
  ((unit | 32) >= 97 && (unit | 32) <= 122) ||
  unit === 95 ||
  unit === 45 ||
  unit >= 0xc0

/** Where the two or three words before `end` begin, on the same line. */
function wordsBefore(text: string, end: number, floor: number): number {
  let at = end
  let words = 0
  let inside = false
  while (at > floor && words < 3) {
    const unit = text.charCodeAt(at - 1)
    if (unit === newline) break
    const isWord = isWordUnit(unit)
    if (inside && !isWord && unit !== 46) words++
    inside = isWord
    at--
  }
  return at
}

/** Behind a word: a name, or one that links a name and a value. */
function mayFollowWord(text: string, end: number, floor: number): boolean {
  const last = text.charCodeAt(end - 1)
  let start = end - 1
  while (start > floor && isWordUnit(text.charCodeAt(start - 1))) start--
  if (mayHoldName(text, start, end)) return true
  if (end - start > linkMax || outlines[outline(text.charCodeAt(start), last, end - start)] !== 1)
    return false
  if (!links.has(text.slice(start, end).toLowerCase())) return false
  return mayHoldName(text, Math.max(floor, start - sentenceUnits), start)
}

/** Behind `>`: markup, or an arrow. */
function mayFollowAngle(text: string, end: number, floor: number): boolean {
  const before = text.charCodeAt(end - 2)
  if (before === 61 || before === 45)
    return mayHoldName(text, wordsBefore(text, end - 2, Math.max(floor, end - nameUnits)), end)
  let at = end - 2
  while (at > floor && text.charCodeAt(at) !== 60 && text.charCodeAt(at) !== 62) at--
  return text.charCodeAt(at) === 60 && mayHoldName(text, at, end)
}

/** The prefix of a string, as in `= f"x`, and not the apostrophe of a word. */
const isPrefix = (text: string, at: number): boolean =>
  'rbfuL@$'.includes(text[at - 1] as string) && !isWordUnit(text.charCodeAt(at - 2))

const near = (text: string, end: number, floor: number): boolean =>
  mayHoldName(text, Math.max(floor, end - nameUnits), end)

/** Behind `=`, `:`, `(`, `,`, `>`, `|`, `;` and `**`; `undefined` behind anything else. */
function mayFollowSeparator(text: string, end: number, floor: number, quoted: boolean): boolean | undefined {
  switch (text.charCodeAt(end - 1)) {
    case 58:
    case 61:
      return mayHoldName(text, wordsBefore(text, end - 1, Math.max(floor, end - nameUnits)), end)
    case 40:
    case 44:
      return quoted && near(text, end, floor)
    case 62:
      return mayFollowAngle(text, end, floor)
    case 59:
    case 124:
      return near(text, end, floor)
    case 42:
      return text.charCodeAt(end - 2) === 42 && near(text, end, floor)
    default:
      return undefined
  }
}

function skipBlanks(text: string, end: number, floor: number): number {
  let at = end
  while (at > floor && isBlank(text.charCodeAt(at - 1))) at--
  return at
}

/** Where an opening quote before `end` begins, with the backslash of one that is escaped. */
function skipQuotes(text: string, end: number, floor: number): number {
  let at = end
  while (at > floor && isQuote(text.charCodeAt(at - 1))) at--
  if (at < end) while (at > floor && text.charCodeAt(at - 1) === 92) at--
  return at
}

/**
 * A quick look at what stands before `start`: `false` where no name of a credential can introduce a value.
 */
export function mayFollowName(text: string, start: number): boolean {
  if (nameEnds.rulesOut(text, start)) return false
  const floor = Math.max(0, start - leftContextUnits)
  const quote = skipQuotes(text, start, floor)
  const end = skipBlanks(text, quote, floor)
  if (end === floor) return false
  const separated = mayFollowSeparator(text, end, floor, quote < start)
  if (separated !== undefined) return separated
  if (end === quote) return quote < start && isPrefix(text, end) && near(text, end, floor)
  return isWordUnit(text.charCodeAt(end - 1)) && mayFollowWord(text, end, floor)
}
