// How a text is read: other characters for the same, what nobody sees, escapes; and where each thing lies in it.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { escapeUnitsMax } from '../../src/redaction/escapes.ts'
import { creditMax, rawUnitsMax, Source } from '../../src/redaction/source.ts'
import { rulesOf } from './rules.ts'
import { cut, cuts, gluedText, holds } from './texts.ts'

const rules = rulesOf({})

function readOf(chunks: readonly string[]): { read: string; source: Source } {
  const source = new Source()
  const read = chunks.map((chunk) => source.append(chunk)).join('') + source.finish()
  return { read, source }
}

/** Text, and what the rules read. */
const readings: readonly (readonly [text: string, read: string])[] = [
  ['plain text, 12%', 'plain text, 12%'],
  ['\uff14\uff11\uff21\uff3a', '41AZ'],
  ['\u0664\u06f1\u0967', '411'],
  ['\u{1d7d2}\u{1d7cf} \u{1d400}\u{1d468}\u{1d69d}', '41 AAt'],
  ['\u0410\u041a\u0406\u0410 \u0440\u0430ss \u03bf', 'AKIA pass o'],
  ['\u2460\u00b2\u2083', '123'],
  ['a\u200bb\u00adc\ufeffd\u2060e\ufe0f', 'abcde'],
  ['\u{e0034}\u{e0041}\u{e007f}', '4A'],
  ['a\u2011b\u00a0c\u201cd\u201d\u2019', 'a-b c"d"\''],
  ['\\u0034\\x34\\n\\t\\/\\_\\"', '44\n\t/_"'],
  ['%34%40%2d', '4@-'],
  ['&#52;&#x34;&commat;&amp;&lt;', '44@&<'],
  ['41**11**1 * 2', '41111 * 2'],
  ['41\u001b[1;31m11\u001b[0m1', '41111'],
  ['\u001b[2J \u001b[12345678m \u001b[m', '\u001b[2J \u001b[12345678m '],
  ['end \u001b[3', 'end \u001b[3'],
  ['\\q \\u12zz %zz %e4 &bogus; &#0; & && 5 % 3', '\\q \\u12zz %zz %e4 &bogus; &#0; & && 5 % 3'],
  ['\ud83d alone', '\ud83d alone'],
  ['end \\', 'end \\'],
  ['end \\u00', 'end \\u00'],
  ['end &#5', 'end &#5'],
]

t.test('a text is read as a person or a program would', async (t) => {
  for (const [text, read] of readings) t.equal(readOf([text]).read, read, text)
})

t.test('invariant 1: however it is cut', async (t) => {
  const pieces = fc.constantFrom(...readings.flatMap(([text]) => [text, text.slice(0, 3), text.slice(-2)]))
  const text = fc.array(fc.oneof(pieces, fc.string({ unit: 'binary', maxLength: 5 })), { maxLength: 12 })
  holds(
    t,
    fc.property(text, cuts, (parts, places) => {
      const whole = readOf([parts.join('')])
      const { read, source } = readOf(cut(parts.join(''), places))
      assert.equal(read, whole.read)
      for (let place = 0; place <= read.length; place++)
        assert.equal(source.rawAt(place), whole.source.rawAt(place))
    }),
    400,
  )
})

t.test('invariant 1: what waits is short', async (t) => {
  holds(
    t,
    fc.property(
      fc.array(fc.constantFrom('\\', 'u', '0', '%', '&', '#', '3', 'a', '*', '\ud83d')),
      (units) => {
        const source = new Source()
        for (const unit of units) {
          source.append(unit)
          assert.ok(source.rawEnd - source.rawAt(source.end) <= escapeUnitsMax)
        }
      },
    ),
    300,
  )
})

t.test('invariant 2: places of what is read lie where it was written', async (t) => {
  const { read, source } = readOf(['a\u200b\u200b%34\u200bb\\u0034c\u{1d7d2}d'])
  t.equal(read, 'a4b4c4d')
  t.strictSame(
    [0, 1, 2, 3, 4, 5, 6, 7].map((place) => source.rawAt(place)),
    [0, 3, 7, 8, 14, 15, 17, 18],
  )
})

t.test('invariant 3: invisible characters are paid for by visible ones', async (t) => {
  holds(
    t,
    fc.property(fc.array(fc.constantFrom('a', '\u200b'.repeat(40), '\u200b', 'b'.repeat(30))), (parts) => {
      const text = parts.join('')
      const { read } = readOf([text])
      assert.ok(text.length <= read.length * rawUnitsMax + creditMax)
    }),
    200,
  )
  t.equal(readOf(['\u200b'.repeat(creditMax)]).read, '')
  t.equal(readOf(['\u200b'.repeat(creditMax + 1)]).read, '\ufffd')
})

t.test('places hold over a long text that is forgotten on the way', async (t) => {
  const source = new Source()
  let raw = 0
  for (let turn = 0; turn < 2000; turn++) {
    source.append('ab%34\u200b')
    raw += 6
    assert.equal(source.rawAt(source.end), raw)
    assert.equal(source.slice(raw - 4, raw), '%34\u200b')
    source.forget(source.end - 3, raw - 4)
    assert.ok(source.text.length < 2000)
  }
  t.equal(source.end, 6000)
})

const invisible = [...'\u00ad\u200b\u200c\u200d\u2060\ufeff\ufe0f']
const wide = (text: string): string =>
  text.replace(/[!-~]/g, (char) => String.fromCharCode(char.charCodeAt(0) + 0xfee0))
const tags = (text: string): string =>
  text.replace(/[ -~]/g, (char) => String.fromCodePoint(0xe0000 + char.charCodeAt(0)))
const percent = (text: string): string =>
  text.replace(/[ -~]/g, (char) => `%${char.charCodeAt(0).toString(16)}`)
const entities = (text: string): string => text.replace(/[ -~]/g, (char) => `&#${char.charCodeAt(0)};`)
const unicode = (text: string): string =>
  text.replace(/[ -~]/g, (char) => `\\u00${char.charCodeAt(0).toString(16).padStart(2, '0')}`)
const between = (char: string) => (text: string) => text.split('').join(char)

const values: readonly (readonly [value: string, entity: string])[] = [
  ['4111 1111 1111 1111', 'CREDIT_CARD'],
  ['4111111111111111', 'CREDIT_CARD'],
  ['123-45-6789', 'US_SSN'],
  ['ada@example.com', 'EMAIL_ADDRESS'],
  ['AKIAIOSFODNN7EXAMPLE', 'AWS_ACCESS_KEY'],
  ['GB82WEST12345698765432', 'IBAN_CODE'],
]

t.test('values in any such writing are masked whole, in every cut', async (t) => {
  for (const write of [wide, tags, percent, entities, unicode, ...invisible.map(between)]) {
    for (const [value, entity] of values) {
      const text = `\u2014 ${write(value)} \u2014`
      const masked = `\u2014 [${entity}] \u2014`
      t.equal(rules.screen(text).text, masked, text)
      const window = rules.open('text')
      const left = text.split('').map((unit) => window.push(unit))
      t.equal(left.join('') + window.flush(), masked)
    }
  }
})

t.test('what is not masked leaves as it was written', async (t) => {
  const pieces = fc.constantFrom(
    ...[
      wide('ada@example.com'),
      percent('8.8.8.8'),
      tags('4111'),
      entities('x@'),
      unicode('eyJ'),
      '\u{1f600}',
    ],
    ...[
      'a',
      '12',
      '.',
      ' ',
      '\\',
      '%',
      '&',
      '**',
      '\u001b[',
      '31m',
      '\u200b',
      '\u2013',
      '4111 1111 1111 1111',
    ],
  )
  holds(
    t,
    fc.property(fc.array(pieces, { maxLength: 20 }), cuts, (parts, places) => {
      const text = parts.join('')
      const window = rules.open('text')
      const left = cut(text, places).map((chunk) => window.push(chunk))
      const whole = rules.screen(text)
      assert.equal(left.join('') + window.flush(), whole.text)
      const kept = whole.findings.reduceRight(
        (rest, { entity, start, end }) => `${rest.slice(0, start)}[${entity}]${rest.slice(end)}`,
        text,
      )
      assert.equal(whole.text, kept)
    }),
    200,
  )
})

t.test('typography and invisible characters in prose are no values', async (t) => {
  for (const text of [
    'Seiten 10\u201312, Gr\u00f6\u00dfe 3\u00a0000\u202f\u20ac, ISBN 978\u20113\u201116\u2011148410\u20110',
    'id\tname\tcount\n12\tada\t4111\n13\tbob\t1200\n',
    '\uff08\u5168\u89d2\uff09\uff11\uff0c\uff12\uff0c\uff13\uff1b\u4ef7\u683c\uff1a\uff11\uff10\uff10\u5143\u3002',
    '\u0661\u0662\u0663 \u0968\u0966\u0968\u096a',
    '<\u200b|im_end|> \u{1f468}\u200d\u{1f469}\u200d\u{1f467} \u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645',
    '\u200b'.repeat(500),
    '100% sure, R&D, a && b, C:\\new\\table, 50%20off, x**2 + y**2',
  ])
    t.equal(rules.screen(text).text, text)
})

t.test('however a text with invisible characters is cut: the same output and findings', async (t) => {
  const sprinkled = fc
    .tuple(gluedText, fc.array(fc.tuple(fc.nat(700), fc.constantFrom(...invisible)), { maxLength: 8 }))
    .map(([text, places]) =>
      places.reduce((text, [at, char]) => text.slice(0, at) + char + text.slice(at), text),
    )
  holds(
    t,
    fc.property(sprinkled, cuts, (text, places) => {
      const whole = rules.screen(text)
      const window = rules.open('text')
      const left = cut(text, places).map((chunk) => window.push(chunk))
      assert.equal(left.join('') + window.flush(), whole.text)
      assert.deepEqual(window.findings, whole.findings)
    }),
    200,
  )
})
