import fc from 'fast-check'
import t from 'tap'
import { leftContextUnits, type Recognizer } from '../../../src/redaction/recognizer.ts'
import { identityRecognizers } from '../../../src/redaction/recognizers/identity/ordered.ts'
import { createOracle } from '../oracle.ts'

const surroundings = [
  ['', ''],
  ['x;', '; y'],
  ['(', ').'],
] as const

const written = (example: Recognizer['examples']['match'][number]) =>
  typeof example === 'string' ? { before: '', value: example } : example

t.test('identifiers are unique', async (t) => {
  t.equal(new Set(identityRecognizers.map(({ id }) => id)).size, identityRecognizers.length)
})

for (const recognizer of identityRecognizers) {
  const { id, entity, examples } = recognizer
  const alone = createOracle([recognizer])

  t.test(`${id}: examples`, async (t) => {
    for (const { before, value } of examples.match.map(written))
      for (const [left, right] of surroundings)
        t.equal(
          alone(left + before + value + right).text,
          `${left}${before}[${entity}]${right}`,
          before + value,
        )
    for (const text of examples.miss) t.equal(alone(text).text, text)
  })
}

/** Each example alone, with everything on: the label is that of its own recognizer. */
t.test('the first label is the right one', async (t) => {
  const everything = createOracle(identityRecognizers)
  for (const { entity, examples } of identityRecognizers)
    for (const { before, value } of examples.match.map(written))
      t.equal(everything(before + value).text, `${before}[${entity}]`, before + value)
})

t.test('prose with numbers beside the words of context stays', async (t) => {
  const everything = createOracle(identityRecognizers)
  for (const text of [
    'Our social media reached 536228726 people, the post on 20240115 alone 12345678.',
    'I was driving on the A303 and the M25 with 1200 km to go; the car did 100 km in 2 hours.',
    'Install driver version 31.0.15.5222 for RTX4090, license MIT, build 20240115.1.',
    'The provider billed 1712345678 at 1712345679; the tax was 1000000 on 250000 a year.',
    'Der Wagen kostet 25000 Euro, Steuer 19 %, Rabatt 5.000,00; Stahl der H\u00e4rte HRB 85.',
    'The plate is 12 x 2000 mm, the vehicle weighs 1500 kg and the permit lasts 365 days.',
    'La carta di 1234567 punti; il documento ha 120 pagine. El cliente compr\u00f3 12 y 15.',
    'From 2019 2020 2021 and 2022-2023-2024 the company grew; business was up 12 2000 times.',
    'A member since 20190412 with insurance of 250000 dollars; the patient waited 120 minutes.',
    'SELECT id, tin, sin FROM t WHERE x = 100000 AND y IN (1, 22, 333, 4444, 55555, 666666)',
    'Order 240115-1234 shipped 2024-01-15; ticket 20240115-0042, ref. 123-456-789 and 12-345-6789.',
    'commit 1234567d and 87654321f; sha 9f86d081884c7d659a2feaa0c55ad015; id 550e8400-e29b-41d4-a716-446655440000',
    'The sin of pride: 7 deadly ones, 700 verses. Pan over 100 degrees, 20 min; a nin album of 1994.',
    'Call 415-555-2671 or (212) 555-0100. The passport expires in 2031, travel on 12/05/2030.',
  ])
    t.equal(everything(text).text, text)
})

t.test('validators look at no more than the match and its left context', async (t) => {
  const rules = identityRecognizers.flatMap(({ rules }) => rules)
  const filler = fc.stringMatching(/^[ -~]{0,40}$/)
  const examples = identityRecognizers.flatMap(({ examples }) => examples.match.map(written))
  fc.assert(
    fc.property(
      fc.constantFrom(...examples),
      filler,
      filler,
      fc.nat(),
      ({ before, value }, far, right, pick) => {
        const fitting = rules.filter(({ pattern }) => new RegExp(`^(?:${pattern})$`).test(value))
        const { validate } = fitting[pick % fitting.length] ?? {}
        if (validate === undefined) return true
        const near = before.padStart(leftContextUnits, '~')
        const answer = validate(near + value, near.length, near.length + value.length)
        const start = far.length + near.length
        return validate(far + near + value + right, start, start + value.length) === answer
      },
    ),
    { numRuns: 2000 },
  )
  t.pass('holds for every sample')
})
