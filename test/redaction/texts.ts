import fc from 'fast-check'
import type { Test } from 'tap'
import { recognizers } from '../../src/redaction/catalog.ts'
import type { Recognizer } from '../../src/redaction/recognizer.ts'

/** An example with the context that it needs. */
export const written = (example: Recognizer['examples']['match'][number]): string =>
  typeof example === 'string' ? example : example.before + example.value

/** Two examples of each recognizer, short ones: there are hundreds of recognizers. */
const valuesOf = (kind: 'match' | 'miss'): string[] =>
  recognizers.flatMap(({ examples }) =>
    examples[kind]
      .map(written)
      .filter((value) => value.length < 260)
      .slice(0, 2),
  )

/** Prose, code, logs and data as callers and models write them; nothing in these is sensitive. */
export const benignTexts: readonly string[] = [
  'Natalia sold clips to 48 of her friends in April, and then she sold half as many clips in May. 48+24 = 72.',
  'The meeting moved from 10:30 to 12:45 on 2024-05-06; bring 3-4 copies of pages 12-18.',
  'commit 9fceb02d0ae598e95dc970b74767f19372d61af8 fixes #4821 (see 1a2b3c4)',
  'trace 4bf92f3577b34da6a3ce929d0e0e4736 span 00f067aa0ba902b7 took 1786656074238 ms',
  'request id 34bc57f1-a950-4e6a-a388-95e21996ed31, retry 2 of 5',
  'npm i lodash@4.17.21 react@18.0.0-beta.1 @types/node@26.6.6',
  'git clone git@github.com:sallyport/sallyport.git && cd sallyport',
  'Chrome/120.0.6099.109 Safari/537.36 on Windows NT 10.0; build 10.0.19041.3',
  'listen 127.0.0.1:8080; bind 0.0.0.0; netmask 255.255.255.0',
  'for (let i = 0; i < 10; i++) { sum += a[i] * 0.4111111111111111 }',
  'def area(r: float) -> float:\n    return 3.14159265358979 * r ** 2\n',
  'SELECT id, name FROM users WHERE id = 1234567890 AND score > 0.75 LIMIT 100;',
  'C = A @ B.T  # matrix product, shape (128, 256)',
  '<img src="icon@2x.png" alt="logo" width="64">',
  'password = os.environ["DB_PASSWORD"]',
  'the test key is sk-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx',
  'integrity="sha512-3K8sIRqYaUbnUNRYYqlSYsdJ5QNgwRL1Z15sy+46bhSlzt6izh7x6CWxf3ZLbxU5PhQf8tCu4UTLDo6gxyH3/P=="',
  'data:image/png;base64,iVBORw0KGgogt2lnMWFClgkHr8+gCmqYCf6PvA+z6KdEg+6/ECGMy+dkdpgxjF2rcwBKVfj14ewsTY2992l7',
  '| a | b |\n|-----|------|\n| 1 | 2 |\n-----------------\n',
  '-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIUQ\n-----END CERTIFICATE-----',
  'Schr\u00f6dinger \u2014 na\u00efve caf\u00e9 \u{1f600}\u{1f468}\u200d\u{1f469}\u200d\u{1f467} \u65e5\u672c\u8a9e\u306e\u6587\u7ae0',
  'lone \ud83d surrogate and \ude00 the other',
  'ISBN 978-3-16-148410-0, EAN 4006381333931, order #25334933477',
  'See RFC 9110 section 15.5.1, and 1.2.3.4.5 of the MIB.',
  'Mail me at ada at example dot com, or write to @ada.',
  '{"a": [1, 2.5e-3, true, null], "b": {"c": "d"}}',
  'https://example.com/a/b?c=d&e=f#g12345678901234567890',
  'x = 1_000_000; y = 0xDEADBEEF; z = 1e10',
  'Tel: ext. 4567, room 12-345, fax none',
  '',
  ' ',
  'a',
]

const sentences: readonly ((value: string) => string)[] = [
  (value) => value,
  (value) => `My value is ${value}. Please keep it.`,
  (value) => `{"field":"${value}","next":1}`,
  (value) => `${value},${value}\n${value}`,
  (value) => `log=\\n${value}\\r\\n \u{1f600}${value}\u65e5`,
]

/** About a hundred texts: benign ones, and every short example in changing surroundings. */
export const texts: readonly string[] = [
  ...benignTexts,
  ...[...valuesOf('match'), ...valuesOf('miss')].map((value, index) => {
    const sentence = sentences[index % sentences.length] as (value: string) => string
    return sentence(value)
  }),
]

const fragment = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...valuesOf('match')) },
  { weight: 3, arbitrary: fc.constantFrom(...valuesOf('miss')) },
  {
    weight: 6,
    arbitrary: fc.constantFrom(
      ...[
        ' ',
        '.',
        '-',
        '@',
        '\n',
        '"',
        '\\n',
        '\\',
        ', ',
        '+',
        '_',
        '1',
        '12',
        '4111',
        '.com',
        'a',
        'word',
        'eyJ',
      ],
      ...[
        '-----',
        '-----BEGIN ',
        'PRIVATE KEY-----',
        '-----END PRIVATE KEY-----',
        'sk-',
        'ghp_',
        'AKIA',
        'GB82',
      ],
      ...[
        '\u{1f600}',
        '\ud83d',
        '\ude00',
        '\u00e9',
        '\u65e5',
        'a'.repeat(70),
        'a.'.repeat(40),
        '7'.repeat(30),
      ],
    ),
  },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 12 }) },
)

/** Texts glued from values, near misses, beginnings of values and odd characters. */
export const gluedText: fc.Arbitrary<string> = fc
  .array(fragment, { maxLength: 9 })
  .map((fragments) => fragments.join('').slice(0, 700))

/** Cuts a text at the given fractions of its length. */
export function cut(text: string, fractions: readonly number[]): string[] {
  const places = fractions.map((fraction) => Math.floor(fraction * (text.length + 1))).sort((a, b) => a - b)
  return [0, ...places].map((from, index) => text.slice(from, places[index] ?? text.length))
}

/** Fractions for `cut`. */
export const cuts: fc.Arbitrary<number[]> = fc.array(
  fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
  {
    maxLength: 12,
  },
)

/** Runs a property; a failure is thrown with its smallest example. */
export function holds<Values>(t: Pick<Test, 'pass'>, property: fc.IProperty<Values>, numRuns: number): void {
  fc.assert(property, { numRuns })
  t.pass(`holds for ${numRuns} samples`)
}
