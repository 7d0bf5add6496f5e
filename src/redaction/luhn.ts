import { digitAt } from './digits.ts'

/** Whether the digits of `text.slice(start, end)` pass the Luhn check (ISO/IEC 7812-1 annex B). */
export function passesLuhn(text: string, start: number, end: number): boolean {
  let sum = 0
  let doubled = false
  for (let index = end - 1; index >= start; index--) {
    const digit = digitAt(text, index)
    if (digit < 0) continue
    const value = doubled ? digit * 2 : digit
    sum += value > 9 ? value - 9 : value
    doubled = !doubled
  }
  return sum % 10 === 0
}
