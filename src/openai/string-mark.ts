/** A quote, a backslash or a control character: what ends a JSON string, or its plain characters. */
const mark = /["\\]|[^ -\uffff]/g

/**
 * So many characters are looked at one by one before the next mark is searched natively: most strings are shorter, prompts
 * are not.
 */
export const searchedAfter = 32

/** The first mark from `from` on, or the end of the text. */
export function nextMark(text: string, from: number): number {
  mark.lastIndex = from
  return mark.test(text) ? mark.lastIndex - 1 : text.length
}
