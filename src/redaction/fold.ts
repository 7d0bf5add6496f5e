/**
 * Other ways to write the characters that values are made of, each one code unit for one, so that places stay: spaces
 * and tabs, hyphens and minus signs, full-width ASCII, Arabic and Devanagari digits.
 */
const foldable =
  /[\t\u00a0\u0660-\u0669\u06f0-\u06f9\u0966-\u096f\u2000-\u200a\u2010-\u2013\u202f\u205f\u2212\u3000\ufe63\uff01-\uff5e]/
const everyFoldable = new RegExp(foldable, 'g')

/** First code unit, last code unit, and what the first stands for. */
const runs: readonly (readonly [first: number, last: number, ascii: number])[] = [
  [0x660, 0x669, 48],
  [0x6f0, 0x6f9, 48],
  [0x966, 0x96f, 48],
  [0xff01, 0xff5e, 33],
]
const hyphens = '\u2010\u2011\u2012\u2013\u2212\ufe63'

function foldUnit(char: string): string {
  const unit = char.charCodeAt(0)
  const run = runs.find(([first, last]) => unit >= first && unit <= last)
  if (run !== undefined) return String.fromCharCode(unit - run[0] + run[2])
  return hyphens.includes(char) ? '-' : ' '
}

/** The text as the rules read it: as long as it was, and the same string where nothing was to be folded. */
export const fold = (text: string): string =>
  foldable.test(text) ? text.replace(everyFoldable, foldUnit) : text
