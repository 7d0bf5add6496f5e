/**
 * Ways to write a number of groups so that plain rules miss it. Both are only good for values that a checksum proves.
 * Spread: a separator after every character, `4 1 1 1` or `4.1.1.1`, also ` - ` between groups. Broken: cut by a line
 * end, or by Markdown marks and backslashes, `4111**1111**...`.
 */

/** Members of the class that may stand between spread characters. */
export const spreadGap = ' .\\-'
/** Members of the class of what breaks a number. */
export const breakGap = '\\n\\r*_~`\\\\'

const isGap = (unit: number): boolean => unit === 32 || unit === 45 || unit === 46

/** Whether the same separator follows every character of `text.slice(start, end)`. */
export function isSpread(text: string, start: number, end: number): boolean {
  const gap = text.charCodeAt(start + 1)
  if (!isGap(gap)) return false
  let index = start
  while (index < end - 1) {
    if (text.charCodeAt(index + 1) !== gap) return false
    index += 2
    if (!isGap(text.charCodeAt(index))) continue
    if (text.charCodeAt(index + 1) !== gap) return false
    index += 2
  }
  return index === end - 1
}

const marks = /[*_~`\\]{1,3}/g
const lineEnd = /\r?\n/g
/** Pairs of emphasis marks that a short value is likely to have. */
const marksMax = 4

/** Whether words stand before `start` in its line; a column of numbers has none. */
function hasWordsBefore(text: string, start: number): boolean {
  for (let index = start - 1; index >= Math.max(0, start - 64); index--) {
    const unit = text.charCodeAt(index)
    if (unit === 10) return false
    if ((unit | 32) >= 97 && (unit | 32) <= 122) return true
  }
  return false
}

/**
 * What a broken number may have been: without its marks, and with its line end left out, or read as `separator`.
 * Nothing where it is not broken, or more than a value would be.
 */
export function mended(text: string, start: number, end: number): readonly string[] {
  const value = text.slice(start, end)
  const markCount = value.match(marks)?.length ?? 0
  const lineCount = value.match(lineEnd)?.length ?? 0
  if (markCount + lineCount === 0 || markCount > marksMax || lineCount > 1) return []
  if (lineCount > 0 && !hasWordsBefore(text, start)) return []
  const plain = value.replace(marks, '')
  return lineCount === 0 ? [plain] : [plain.replace(lineEnd, ''), plain.replace(/ ?\r?\n ?/g, ' ')]
}
