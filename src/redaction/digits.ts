const zero = 48

/** The digit at `index`, or -1 where there is none. */
export function digitAt(text: string, index: number): number {
  const digit = text.charCodeAt(index) - zero
  return digit >= 0 && digit <= 9 ? digit : -1
}

/** How many digits stand in `text.slice(start, end)`. */
export function countDigits(text: string, start: number, end: number): number {
  let count = 0
  for (let index = start; index < end; index++) if (digitAt(text, index) >= 0) count++
  return count
}

/** The number that the first `count` digits make. */
export function leadingDigits(text: string, start: number, end: number, count: number): number {
  let value = 0
  let left = count
  for (let index = start; index < end && left > 0; index++) {
    const digit = digitAt(text, index)
    if (digit < 0) continue
    value = value * 10 + digit
    left--
  }
  return value
}
