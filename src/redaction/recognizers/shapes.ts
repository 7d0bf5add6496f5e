import type { Guard, Rule, Validator } from '../recognizer.ts'

/** Class members and pattern pieces that several recognizers share. */
export const alphanumeric = 'A-Za-z0-9'
export const digits = '0-9'

/** English months, whole or short. */
export const monthPattern =
  '(jan(uary)?|feb(ruary)?|mar(ch)?|apr(il)?|may|june?|july?|aug(ust)?|sept?(ember)?|oct(ober)?|nov(ember)?|dec(ember)?)'

/** `unit` between `min` and `max` times; the subset counts single classes only, so it is written out. */
export const times = (unit: string, min: number, max: number): string =>
  unit.repeat(min) + `(${unit}`.repeat(max - min) + ')?'.repeat(max - min)

/** A string of JSON begins as a text does, but what stands before it, its key, says what it is. */
const isFirst: Guard = (_, start) => start === 0

/** The match is the whole text, such as the answer to a question. */
const wholeText = {
  left: { none: true },
  right: { none: true },
  guard: isFirst,
} as const satisfies Partial<Rule>

/** Round numbers and powers of two are results, and nobody's. */
const isRound = /00000$/
const isResult: Validator = (text, start, end) => {
  const value = text.slice(start, end)
  const exponent = Math.log2(Number(value))
  return isRound.test(value) || Number.isInteger(exponent) || Number.isInteger(Math.log2(Number(value) + 1))
}

/** The rule for a value that is the whole text of a prompt; in a reply a bare number is mostly a result. */
export const ofWholeText = (rule: Rule): Rule => ({
  ...rule,
  ...wholeText,
  direction: 'prompt',
  validate: (text, start, end) =>
    !isResult(text, start, end) && (rule.validate === undefined || rule.validate(text, start, end)),
})
