/**
 * Text from outside, made fit for one line of a log: short, and without anything that moves a cursor, ends a line or
 * changes the reading direction. Cut first, replaced second, so that the cost does not depend on what was sent.
 */
export const fieldCharsMax = 256

// C0, DEL, C1 (ANSI and friends), soft hyphen, zero-width and bidi controls, line and paragraph separator, BOM,
// and surrogates that stand alone.
const unsafe =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this looks for
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|\p{Surrogate}/gu

/** At most `charsMax` code units of `text`, every unsafe character replaced by U+FFFD, `…` where it was cut. */
export function cleanText(text: string, charsMax: number = fieldCharsMax): string {
  const short = text.length > charsMax ? `${text.slice(0, charsMax - 1)}…` : text
  return short.replace(unsafe, '\ufffd')
}
