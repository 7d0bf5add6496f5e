import t from 'tap'
import { passesLuhn } from '../../src/redaction/luhn.ts'

const passes = (text: string): boolean => passesLuhn(text, 0, text.length)

t.test('the check digit of ISO/IEC 7812-1', async (t) => {
  for (const number of ['79927398713', '4111 1111 1111 1111', '378282246310005', '0'])
    t.equal(passes(number), true)
  for (const number of ['79927398710', '4111 1111 1111 1112', '378282246310006', '1'])
    t.equal(passes(number), false)
})

t.test('every single wrong digit is found', async (t) => {
  const number = '4012888888881881'
  const wrong = [...number].flatMap((digit, at) =>
    Array.from(
      { length: 9 },
      (_, step) => number.slice(0, at) + ((Number(digit) + step + 1) % 10) + number.slice(at + 1),
    ),
  )
  t.equal(wrong.length, 144)
  t.ok(wrong.every((candidate) => !passes(candidate)))
})

t.test('only the given part counts', async (t) => {
  t.equal(passesLuhn('9 79927398713 9', 2, 13), true)
})
