import fc from 'fast-check'
import t from 'tap'
import type { Recognizer, Rule } from '../../../../src/redaction/recognizer.ts'
import { leftContextUnits } from '../../../../src/redaction/recognizer.ts'
import { address } from '../../../../src/redaction/recognizers/name/address.ts'
import { person } from '../../../../src/redaction/recognizers/name/person.ts'
import { createOracle } from '../../oracle.ts'

const surroundings: readonly (readonly [before: string, after: string])[] = [
  ['', ''],
  ['It is ', ' today'],
  ['"', '"'],
  ['(', ').'],
  ['=', ','],
  ['\n', '\n'],
  ['日本: ', '。'],
  ['x;', '; y'],
]

const beforeAndValue = (example: Recognizer['examples']['match'][number]) =>
  typeof example === 'string' ? { before: '', value: example } : example

for (const recognizer of [person, address]) {
  const { entity, examples } = recognizer
  const mask = createOracle([recognizer])

  t.test(`${entity}: its examples are masked whole in any surroundings`, (t) => {
    for (const { before, value } of examples.match.map(beforeAndValue)) {
      for (const [left, right] of surroundings)
        t.equal(mask(left + before + value + right).text, `${left}${before}[${entity}]${right}`)
    }
    t.end()
  })

  t.test(`${entity}: its near misses are not masked`, (t) => {
    for (const text of examples.miss) t.equal(mask(text).text, text)
    t.end()
  })
}

t.test('names in sentences', (t) => {
  const mask = createOracle([person])
  for (const [text, masked] of [
    ['Yesterday John Smith told Mary to wait.', 'Yesterday [PERSON] told [PERSON] to wait.'],
    ["Natasha's brother is Mr. Kishiev.", "[PERSON]'s brother is Mr. [PERSON]."],
    ['Kind regards,\nBrynjólfur Þórsson\nSales', 'Kind regards,\n[PERSON]\nSales'],
    ['Kónya, Becker and Vasquez founded it', '[PERSON], [PERSON] and [PERSON] founded it'],
    ['Will you Mark it? May Grace help.', 'Will you Mark it? May Grace help.'],
    ['She moved from Paris to New York in April.', 'She moved from Paris to New York in April.'],
    ['Alexander Johnson University', 'Alexander Johnson University'],
    ['const map = new Map<String, Integer>()', 'const map = new Map<String, Integer>()'],
  ] as const)
    t.equal(mask(text).text, masked)
  t.end()
})

t.test('an address is one mask, from the house number to the postal code', (t) => {
  const mask = createOracle([address])
  for (const [text, masked] of [
    ['Ship it to 12 Main Street, Apt. 4, Springfield, IL 62704, please.', 'Ship it to [ADDRESS], please.'],
    [
      'Billing:\n 28245 Puruntie 82 Apt. 595\n LAPPEENRANTA\n SK\n 53650\nThanks',
      'Billing:\n [ADDRESS]\nThanks',
    ],
    ['He walked down 12 Main Street and left.', 'He walked down [ADDRESS] and left.'],
    ['He walked down 12 Main Street\nThen he left.', 'He walked down [ADDRESS]\nThen he left.'],
    ['We met in 2019. Boeing 737 and Airbus 320.', 'We met in 2019. Boeing 737 and Airbus 320.'],
  ] as const)
    t.equal(mask(text).text, masked)
  t.end()
})

/** Words that bring the validators into every branch. */
const words = [
  'John',
  'Smith',
  'van',
  'de',
  'Street',
  'St.',
  'Rue',
  'Via',
  '12',
  '62704',
  'Apt.',
  '4',
  'The',
  'and',
  'Mr.',
  'Paris',
  'IL',
  'K.',
  "O'Brien",
  'Jean-Pierre',
  'name',
  'is',
  'Dear',
  'lives',
  'at',
  'Hauptstraße',
  'utca',
  'said',
  'Bank',
  'A',
] as const
const gaps = [' ', ' ', ' ', ', ', '\n', ': ', '. ', '-'] as const
const texts = fc
  .array(fc.tuple(fc.constantFrom(...words), fc.constantFrom(...gaps)), { minLength: 1, maxLength: 40 })
  .map((parts) => parts.flat().join(''))

const rules: readonly Rule[] = [...person.rules, ...address.rules]

t.test('validators and guards see the match and what is shortly before it, nothing else', (t) => {
  fc.assert(
    fc.property(texts, fc.nat(), fc.nat({ max: 60 }), fc.string(), (text, at, length, other) => {
      const start = at % text.length
      const end = Math.min(text.length, start + length + 1)
      const from = Math.max(0, start - leftContextUnits)
      const seen = text.slice(from, end)
      return rules.every(
        ({ validate, guard }) =>
          (validate?.(text, start, end) ?? true) ===
            (validate?.(seen + other, start - from, end - from) ?? true) &&
          (guard?.(text, start) ?? true) === (guard?.(text.slice(from, start) + other, start - from) ?? true),
      )
    }),
    { numRuns: 3000 },
  )
  t.pass('holds for every sample')
  t.end()
})

/** A text that counts how often a code unit of it is read. */
class CountedText extends String {
  reads = 0
  override charCodeAt(index: number): number {
    this.reads++
    return super.charCodeAt(index)
  }
}

t.test('a validator reads a bounded number of code units, however hostile the match', (t) => {
  const readsMax = 12_000
  for (const unit of [
    'A',
    'Aa ',
    'The ',
    '1 A ',
    'A.',
    "A-a'",
    '12 Ab, ',
    'Maria de la Cruz ',
    'Mr. ',
    'x\n',
    ', ',
  ]) {
    const text = new CountedText(unit.repeat(200))
    for (const { validate, lengthMax } of rules) {
      for (let end = 201; end <= 200 + lengthMax; end += 7) {
        text.reads = 0
        validate?.(text as unknown as string, 200, end)
        t.ok(text.reads <= readsMax, `${JSON.stringify(unit)}: ${text.reads}`)
      }
    }
  }
  t.end()
})
