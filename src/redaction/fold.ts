/**
 * How the rules read a code unit or a code point: other digits as 0 to 9, full-width and mathematical letters and
 * Cyrillic and Greek letters that look like Latin ones as ASCII, dashes and blanks as one dash and one blank. What
 * nobody sees is left out (Unicode Default_Ignorable_Code_Point). Sources: UnicodeData.txt, confusables.txt (UTS 39).
 */

/** In the tables: the unit stands for itself, or for nothing. */
const ITSELF = 0
const NOTHING = 1

const invisibleRanges: readonly (readonly [number, number])[] = [
  [0xad, 0xad],
  [0x34f, 0x34f],
  [0x61c, 0x61c],
  [0x115f, 0x1160],
  [0x17b4, 0x17b5],
  [0x180b, 0x180f],
  [0x200b, 0x200f],
  [0x202a, 0x202e],
  [0x2060, 0x206f],
  [0x3164, 0x3164],
  [0xfe00, 0xfe0f],
  [0xfeff, 0xfeff],
  [0xffa0, 0xffa0],
]

/** Letters by what they look like, ASCII first. */
const lookalikes: readonly string[] = [
  'A\u0391\u0410',
  'B\u0392\u0412',
  'C\u03f9\u0421\u216d',
  'D\u216e',
  'E\u0395\u0415',
  'G\u050c',
  'H\u0397\u041d',
  'I\u0399\u0406\u04c0\u2160',
  'J\u0408\u037f',
  'K\u039a\u041a\u212a',
  'L\u216c',
  'M\u039c\u041c\u216f',
  'N\u039d',
  'O\u039f\u041e',
  'P\u03a1\u0420',
  'Q\u051a',
  'S\u0405',
  'T\u03a4\u0422',
  'V\u0474\u2164',
  'W\u051c',
  'X\u03a7\u0425\u2169',
  'Y\u03a5\u04ae',
  'Z\u0396',
  'a\u03b1\u0430\u0251',
  'b\u042c\u044c',
  'c\u0441\u03f2\u217d',
  'd\u0501\u217e',
  'e\u0435\u212e',
  'g\u0261',
  'h\u04bb',
  'i\u0456\u0131\u03b9\u2170',
  'j\u0458\u03f3',
  'k\u03ba',
  'l\u04cf\u217c',
  'm\u217f',
  'n\u0578',
  'o\u03bf\u043e\u0585',
  'p\u03c1\u0440',
  'q\u051b',
  's\u0455',
  'u\u03c5\u057d',
  'v\u03bd\u0475\u2174',
  'w\u051d\u0461',
  'x\u0445\u2179',
  'y\u0443\u04af',
  "'\u2018\u2019\u02bc\u2032",
  '"\u201c\u201d\u2033',
  '-\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63',
  '.\u2024\ufe52',
  '@\ufe6b',
  ':\ufe55\ua789',
  '_\ufe4d\ufe4e\ufe4f',
  ' \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000',
]

/** Superscript, subscript and circled digits: first code unit, the digit that it stands for, how many follow. */
const digitRuns: readonly (readonly [first: number, digit: number, count: number])[] = [
  [0xb2, 2, 2],
  [0xb9, 1, 1],
  [0x2070, 0, 1],
  [0x2074, 4, 6],
  [0x2080, 0, 10],
  [0x2460, 1, 9],
  [0x24ea, 0, 1],
  [0x2776, 1, 9],
]

const decimalDigit = /\p{Nd}/u

/** Decimal digits stand in Unicode in runs of ten, from zero on. */
function addDigits(table: Uint16Array, from: number, to: number): void {
  let run = 0
  for (let point = from; point < to; point++) {
    const isDigit = !(point >= 0xd800 && point <= 0xdfff) && decimalDigit.test(String.fromCodePoint(point))
    if (isDigit) table[point - from] = 48 + (run % 10)
    run = isDigit ? run + 1 : 0
  }
}

function unitTable(): Uint16Array {
  const table = new Uint16Array(0x10000)
  addDigits(table, 0, 0x10000)
  for (const [first, digit, count] of digitRuns)
    for (let index = 0; index < count; index++) table[first + index] = 48 + digit + index
  for (let unit = 0xff01; unit <= 0xff5e; unit++) table[unit] = unit - 0xff01 + 33
  for (const letters of lookalikes)
    for (const letter of letters.slice(1)) table[letter.charCodeAt(0)] = letters.charCodeAt(0)
  for (const [first, last] of invisibleRanges) table.fill(NOTHING, first, last + 1)
  table.fill(ITSELF, 0, 128)
  return table
}

const mathFirst = 0x1d400
const mathLast = 0x1d7ff

/** Mathematical letters stand in thirteen alphabets of 52, then come Greek ones, then the digits. */
function astralTable(): Uint16Array {
  const table = new Uint16Array(0x10000)
  addDigits(table, 0x10000, 0x20000)
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
  for (let index = 0; index < 13 * 52; index++)
    table[mathFirst + index - 0x10000] = letters.charCodeAt(index % 52)
  for (let point = 0x1d7ce; point <= mathLast; point++) table[point - 0x10000] = 48 + ((point - 0x1d7ce) % 10)
  return table
}

const units = unitTable()
let astral: Uint16Array | undefined

/** What a code unit from 128 on stands for: another, itself, or nothing (-1). */
export function foldUnit(unit: number): number {
  const folded = units[unit] as number
  if (folded === ITSELF) return unit
  return folded === NOTHING ? -1 : folded
}

/**
 * What a code point beyond U+FFFF stands for: a code unit, nothing (-1), or itself (undefined). Tag characters are
 * ASCII that nobody sees (U+E0020 to U+E007E).
 */
export function foldPoint(point: number): number | undefined {
  if (point >= 0xe0020 && point <= 0xe007e) return point - 0xe0000
  if ((point >= 0xe0000 && point <= 0xe0fff) || (point >= 0x1d173 && point <= 0x1d17a)) return -1
  if (point >= 0x20000) return undefined
  astral ??= astralTable()
  const folded = astral[point - 0x10000] as number
  return folded === ITSELF ? undefined : folded
}
