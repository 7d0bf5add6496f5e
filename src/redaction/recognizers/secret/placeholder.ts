const lowerCase = (unit: number): number => (unit >= 65 && unit <= 90 ? unit + 32 : unit)

/** `x`, `0`, `*`, `.` and `#`: what documents write where a character of a key goes. */
const fillers = new Set([...'x0*.#'].map((char) => char.charCodeAt(0)))

/** Whether most of a value is one filler: `xxxx-xxxx`, `0000`. */
export function isFilled(text: string, start: number, end: number): boolean {
  const counts = new Map<number, number>()
  for (let index = start; index < end; index++) {
    const unit = lowerCase(text.charCodeAt(index))
    if (fillers.has(unit)) counts.set(unit, (counts.get(unit) ?? 0) + 1)
  }
  return Math.max(0, ...counts.values()) * 2 > end - start
}

/** In what has no digit: names of things in camel case. */
const words = /your|key|token|secret|password/i

const prose = /your[_-]|[_-]here\b|placeholder|redacted|change[_-]?me|xxxxxx/i

/** Fewer characters than this are a pattern, not a choice: `abab`, `12312312`. */
const varietyMin = 4

/** How many upper-case letters, lower-case letters, digits and different characters there are. */
function tally(text: string, start: number, end: number) {
  const seen = new Set<number>()
  let upper = 0
  let lower = 0
  let digits = 0
  for (let index = start; index < end; index++) {
    const unit = text.charCodeAt(index)
    seen.add(lowerCase(unit))
    if (unit >= 48 && unit <= 57) digits++
    else if (unit >= 65 && unit <= 90) upper++
    else if (unit >= 97 && unit <= 122) lower++
  }
  return { upper, lower, digits, variety: seen.size }
}

/**
 * Whether an issuer can have drawn a value: digits, or cases that are mixed as chance mixes them, and no
 * name in camel case. Ascending runs and `EXAMPLE` pass: masking them costs nothing, and a list of exceptions can be
 * gamed.
 */
export function looksIssued(text: string, start: number, end: number): boolean {
  const { upper, lower, digits, variety } = tally(text, start, end)
  // A class that has letters draws some in so many places.
  if (upper + lower === 0 && end - start >= 16) return false
  const value = text.slice(start, end)
  const mixed = Math.min(upper, lower) >= Math.max(2, (upper + lower) / 5) && !words.test(value)
  return variety >= varietyMin && (digits > 0 || mixed) && !isFilled(text, start, end) && !prose.test(value)
}
