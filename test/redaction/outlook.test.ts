import fc from 'fast-check'
import t from 'tap'
import { recognizers } from '../../src/redaction/catalog.ts'
import type { Rule } from '../../src/redaction/recognizer.ts'

const words =
  "The What Anna maria Maria Smith-Jones O'Neil Paris Microsoft A. I de la van quick likes of Via via Roma rue " +
  'Street Hauptstraße ul. u. 12 40th 3B 00184 Apt. NW and Mr. Rose Will Monday Ivanov JOHN'
const streets = ['Via Roma 12', 'Hauptstraße 25', 'ul. Polna 12, 00184 Roma', 'Villacher Strasse 89']
const word = fc.constantFrom(...words.split(' '), ...streets)
const gap = fc.constantFrom(' ', ' ', ' ', '  ', ', ', '\n', '. ', '-', "'", '')
const text = fc.array(fc.tuple(word, gap), { maxLength: 9 }).map((parts) => parts.flat().join(''))

const withOutlook = recognizers.flatMap(({ id, rules }) =>
  rules.filter(({ guard }) => guard?.outlook !== undefined).map((rule) => [id, rule] as const),
)

const endsAfter = (text: string, start: number, { lengthMax }: Rule): number[] =>
  Array.from({ length: Math.min(lengthMax, text.length - start) }, (_, at) => start + at + 1)

const isInWord = (text: string, at: number): boolean => /^[\p{L}\d]{2}/u.test(text.slice(at - 1, at + 1))

const validEnds = (text: string, start: number, rule: Rule, whole: RegExp): number[] =>
  endsAfter(text, start, rule).filter(
    (end) =>
      !isInWord(text, end) &&
      whole.test(text.slice(start, end)) &&
      rule.validate?.(text, start, end) === true,
  )

t.test('an outlook says no only where every validator does, however much of the text has come', async (t) => {
  t.strictSame(withOutlook.map(([id]) => id).toSorted(), ['address', 'person'])
  for (const [id, rule] of withOutlook) {
    const whole = new RegExp(`^(?:${rule.pattern})$`)
    const count = { hopeless: 0, valid: 0 }
    const isHopeless = (text: string, start: number): boolean =>
      endsAfter(text, start, rule).some((end) => rule.guard?.outlook?.(text, start, end) === false)
    const agrees = (text: string, start: number): boolean => {
      const valid = validEnds(text, start, rule, whole).length
      count.valid += valid
      if (!isHopeless(text, start)) return true
      count.hopeless++
      return valid === 0
    }
    fc.assert(
      fc.property(text, (text) => Array.from(text).every((_, start) => agrees(text, start))),
      { numRuns: 400 },
    )
    t.ok(count.hopeless > 100, `${id}: ${count.hopeless} times no`)
    t.ok(count.valid > 10, `${id}: ${count.valid} valid matches`)
  }
})
