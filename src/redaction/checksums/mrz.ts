import { unitValue } from './values.ts'

const weights = [7, 3, 1] as const

/**
 * The check digit of ICAO Doc 9303 part 3 section 4.9 over `text.slice(start, end)`: weights 7, 3, 1; letters count 10
 * to 35 and the filler `<` nothing.
 */
export function mrzCheckDigit(text: string, start: number, end: number): number {
  let sum = 0
  for (let index = start; index < end; index++)
    sum += Math.max(0, unitValue(text.charCodeAt(index))) * (weights[(index - start) % 3] ?? 0)
  return sum % 10
}

/** Whether the digit at `checkAt` is the check digit of a field; a filler stands for 0. */
export function passesMrz(text: string, start: number, end: number, checkAt: number): boolean {
  return Math.max(0, unitValue(text.charCodeAt(checkAt))) === mrzCheckDigit(text, start, end)
}
