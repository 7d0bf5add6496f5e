import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { fold } from '../../src/redaction/fold.ts'
import { createRuleSet } from '../../src/redaction/rule-set.ts'
import { cut, cuts, holds } from './texts.ts'

const rules = createRuleSet({ name: 'test', direction: 'reply', actions: {}, default: 'mask' })

const wide = (text: string): string =>
  text.replace(/[!-~]/g, (char) => String.fromCharCode(char.charCodeAt(0) + 0xfee0))
const digitsFrom = (zero: number, text: string): string =>
  text.replace(/\d/g, (digit) => String.fromCharCode(zero + Number(digit)))

const card = '4111 1111 1111 1111'
const spaces = [...'\t\u00a0\u2007\u2009\u202f\u3000']
const hyphens = [...'\u2010\u2011\u2012\u2013\u2212\ufe63\uff0d']

/** One value in other characters, and what it is. */
const written: readonly (readonly [value: string, entity: string])[] = [
  ...spaces.map((space) => [card.replaceAll(' ', space), 'CREDIT_CARD'] as const),
  ...hyphens.map((hyphen) => [card.replaceAll(' ', hyphen), 'CREDIT_CARD'] as const),
  ...hyphens.map((hyphen) => [`123${hyphen}45${hyphen}6789`, 'US_SSN'] as const),
  ...[0x660, 0x6f0, 0x966].map((zero) => [digitsFrom(zero, card), 'CREDIT_CARD'] as const),
  ...[card, '4111111111111111'].map((value) => [wide(value), 'CREDIT_CARD'] as const),
  [wide('ada@example.com'), 'EMAIL_ADDRESS'],
  ['ada\uff20example.com', 'EMAIL_ADDRESS'],
  ['ada@example\uff0ecom', 'EMAIL_ADDRESS'],
  [wide('AKIAIOSFODNN7EXAMPLE'), 'AWS_ACCESS_KEY'],
  [wide('GB82WEST12345698765432'), 'IBAN_CODE'],
  [digitsFrom(0x660, '8.8.8.8'), 'IP_ADDRESS'],
  ['+1\u00a0415\u2011555\u20112671', 'PHONE_NUMBER'],
  ['-----BEGIN\u00a0PRIVATE KEY-----\nMIIE\n-----END\u00a0PRIVATE KEY-----', 'PRIVATE_KEY'],
]

t.test(
  'values in typographic and other digits, spaces and hyphens are masked, however they are cut',
  async (t) => {
    for (const [value, entity] of written) {
      const text = `\u2014 ${value} \u2014`
      const masked = `\u2014 [${entity}] \u2014`
      t.equal(rules.screen(text).text, masked, value)
      const window = rules.open('text')
      t.equal(
        text
          .split('')
          .map((unit) => window.push(unit))
          .join('') + window.flush(),
        masked,
      )
      t.equal(rules.screenJson(`{"a":"${value.replace(/\s/g, ' ')}"}`).text, `{"a":"[${entity}]"}`)
    }
  },
)

t.test('what is not masked stays as it was written', async (t) => {
  const pieces = fc.constantFrom(
    ...spaces,
    ...hyphens,
    ...[
      card,
      wide('ada@example.com'),
      wide('eyJ'),
      digitsFrom(0x966, '12'),
      '\u{1f600}',
      'a',
      '12',
      '.',
      ' ',
    ],
  )
  const text = fc.array(pieces, { maxLength: 40 }).map((parts) => parts.join(''))
  holds(
    t,
    fc.property(text, cuts, (text, places) => {
      const window = rules.open('text')
      const left =
        cut(text, places)
          .map((chunk) => window.push(chunk))
          .join('') + window.flush()
      const whole = rules.screen(text)
      assert.equal(left, whole.text)
      const kept = whole.findings.reduceRight(
        (rest, { entity, start, end }) => `${rest.slice(0, start)}[${entity}]${rest.slice(end)}`,
        text,
      )
      assert.equal(left, kept)
      assert.deepEqual(whole.findings, rules.screen(fold(text)).findings)
    }),
    200,
  )
})

t.test('folding keeps every place, and the string itself where there is nothing to fold', async (t) => {
  t.equal(
    fold('Schr\u00f6dinger \u2014 \u65e5\u672c\u8a9e, caf\u00e9'),
    'Schr\u00f6dinger \u2014 \u65e5\u672c\u8a9e, caf\u00e9',
  )
  t.equal(
    fold(`a${spaces.join('')}${hyphens.join('')}`),
    `a${' '.repeat(spaces.length)}${'-'.repeat(hyphens.length)}`,
  )
  t.equal(fold(wide('AZaz09@.!~')), 'AZaz09@.!~')
  holds(
    t,
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      assert.equal(fold(text).length, text.length)
    }),
    200,
  )
})

t.test('typography in prose is no value', async (t) => {
  for (const text of [
    'Seiten 10\u201312, Gr\u00f6\u00dfe 3\u00a0000\u202f\u20ac, ISBN 978\u20113\u201116\u2011148410\u20110',
    'id\tname\tcount\n12\tada\t4111\n13\tbob\t1200\n',
    '\uff08\u5168\u89d2\uff09\uff11\uff0c\uff12\uff0c\uff13\uff1b\u4ef7\u683c\uff1a\uff11\uff10\uff10\u5143\u3002',
    '\u0661\u0662\u0663 \u0968\u0966\u0968\u096a',
  ])
    t.equal(rules.screen(text).text, text)
})
