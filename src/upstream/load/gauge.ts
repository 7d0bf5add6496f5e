/**
 * Numbers that a model server says of itself. They steer where calls go, so what is not plausible is not a reading:
 * a server that claims a negative queue would draw every call of its pool.
 */

/** No server has more requests at once; beyond it a number is a mistake or a lie. */
const requestsMax = 1_000_000
const lengthMax = 32

/** The characters of a decimal number. `NaN`, `+Inf`, hexadecimal and white space are none. */
const isDecimal = (text: string): boolean => {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    const digit = code >= 48 && code <= 57
    if (!digit && !'+-.eE'.includes(text.charAt(i))) return false
  }
  return true
}

/** Reads a finite number that is not negative; `undefined` for everything else. */
export function gaugeOf(text: string): number | undefined {
  // An empty text would be 0.
  if (text.length === 0 || text.length > lengthMax || !isDecimal(text)) return undefined
  const value = Number(text)
  return Number.isFinite(value) && value >= 0 ? value : undefined
}

/** A plausible count of requests. */
export const requestsOf = (value: number | undefined): number | undefined =>
  value !== undefined && value >= 0 && value <= requestsMax ? value : undefined

/** A share from 0 to 1. A server that counts in percent is not understood rather than believed full. */
export const shareOf = (value: number | undefined): number | undefined =>
  value !== undefined && value >= 0 && value <= 1 ? value : undefined

export const sumOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0)

export const meanOf = (values: readonly number[]): number | undefined =>
  values.length === 0 ? undefined : sumOf(values) / values.length
