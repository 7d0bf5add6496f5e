import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { rulesOf } from './rules.ts'
import { cut, cuts, gluedText, holds, texts } from './texts.ts'

const rules = rulesOf({})

function streamed(chunks: readonly string[]): string {
  const window = rules.open('json')
  return chunks.map((chunk) => window.push(chunk)).join('') + window.flush()
}

/** JSON text with its expected output. */
const cases: readonly (readonly [input: string, output: string])[] = [
  ['{"to":"ada@example.com","n":1}', '{"to":"[EMAIL_ADDRESS]","n":1}'],
  ['{"ada@example.com":{"a":["b"]}}', '{"[EMAIL_ADDRESS]":{"a":["b"]}}'],
  ['{"card": 4111111111111111}', '{"card": "[CREDIT_CARD]"}'],
  ['{"card": -4111111111111111.0 , "n": -1.5e+3}', '{"card": "[CREDIT_CARD]" , "n": -1.5e+3}'],
  ['[4111111111111111,4111111111111112,1e4]', '["[CREDIT_CARD]",4111111111111112,1e4]'],
  ['{"a":"\\u0034111 1111\\u00201111 1111"}', '{"a":"[CREDIT_CARD]"}'],
  ['{"a":"ada\\u0040example\\u002ecom\\n"}', '{"a":"[EMAIL_ADDRESS]\\n"}'],
  ['{"a":"\\ud83d\\ude00 \u{1f600} \\ud83d","b":"\\/"}', '{"a":"\u{1f600} \u{1f600} \\ud83d","b":"/"}'],
  ['{"a":"x\\"y\\\\","b":true,"c":null, "d":false}', '{"a":"x\\"y\\\\","b":true,"c":null, "d":false}'],
  ['"ada@example.com"', '"[EMAIL_ADDRESS]"'],
  ['4111111111111111', '"[CREDIT_CARD]"'],
  ['  {"key":"-----BEGIN PRIVATE KEY-----\\nMIIE\\n"}', '  {"key":"[PRIVATE_KEY]"}'],
  ['{"a":"415-555-2671"}\n{"b":"10.0.0.1"}', '{"a":"[PHONE_NUMBER]"}\n{"b":"[IP_ADDRESS]"}'],
  [
    '{"n":NaN,"i":[-Infinity,Infinity,-1],"c":"\\u0034111111111111111"}',
    '{"n":NaN,"i":[-Infinity,Infinity,-1],"c":"[CREDIT_CARD]"}',
  ],
  ['{"c":4.111111111111111e15}', '{"c":"[CREDIT_CARD]"}'],
  [
    '[4111.111111111111E+12, 41111111111111110e-1,-0.4111111111111111e16]',
    '["[CREDIT_CARD]", "[CREDIT_CARD]","[CREDIT_CARD]"]',
  ],
  ['4111111111111111e0', '"[CREDIT_CARD]"'],
  [
    '[4.111111111111112e15,1e400,1e-400,0e0,6.02214076e23]',
    '[4.111111111111112e15,1e400,1e-400,0e0,6.02214076e23]',
  ],
  ['{}', '{}'],
  ['', ''],
]

/** Not JSON, or not to the end: scanned as text. */
const others: readonly (readonly [input: string, output: string])[] = [
  ['mail "ada@example.com" now', 'mail "[EMAIL_ADDRESS]" now'],
  ['true story: 415-555-2671', 'true story: [PHONE_NUMBER]'],
  ['4111 1111 1111 1111', '"[CREDIT_CARD]"'],
  ["{'to': 'ada@example.com'}", "{'to': '[EMAIL_ADDRESS]'}"],
  ['{"a":"b"} and then ada@example.com said "hi', '{"a":"b"} and then [EMAIL_ADDRESS] said "hi'],
  ['{to: ada@example.com, n: 4111111111111111}', '{to: [EMAIL_ADDRESS], n: [CREDIT_CARD]}'],
  ['[1, 415-555-2671;]', '[1, [PHONE_NUMBER];]'],
  ['{"a":"ada@example.com', '{"a":"[EMAIL_ADDRESS]'],
  ['{"a":"\\u00', '{"a":"\\u00'],
  ['{"a":"\\x\\u12zz', '{"a":"\\\\x\\\\u12zz'],
  ['nul', 'nul'],
  ['[0004111111111111111]', '["[CREDIT_CARD]"]'],
  [
    '{x: "\\u0034111111111111111", y: "ada\\u0040example\\u002ecom"}',
    '{x: "[CREDIT_CARD]", y: "[EMAIL_ADDRESS]"}',
  ],
  [
    '{x: "\\u0022\\u005c\\u000a\\u00e9\\\\u0034111111111111111"}',
    '{x: "\\u0022\\u005c\\u000a\\u00e9\\\\u0034111111111111111"}',
  ],
  ['{x: \\u12 \\u', '{x: \\u12 \\u'],
  ['tru1 4111111111111111', 'tru1 [CREDIT_CARD]'],
  ['4111111111111111.5 x', '[CREDIT_CARD].5 x'],
  ['tru"ada@example.com" x', 'tru"[EMAIL_ADDRESS]" x'],
  ['nulls 4111111111111111', 'nulls [CREDIT_CARD]'],
  [`[${'9'.repeat(70)}e+4111111111111111]`, `[${'9'.repeat(70)}e+0]`],
]

t.test('JSON and other text come out as they should', async (t) => {
  for (const [input, output] of [...cases, ...others]) t.equal(rules.screenJson(input).text, output, input)
})

t.test('invariant 4: all cuts in two, and single characters, give the text of one shot', async (t) => {
  for (const [input, output] of [...cases, ...others]) {
    const places = Array.from({ length: input.length + 1 }, (_, at) => at)
    const different = places.filter((at) => streamed([input.slice(0, at), input.slice(at)]) !== output)
    t.strictSame(different, [], input)
    t.equal(streamed(input.split('')), output)
  }
})

/** JSON with any of its string characters written as escapes. */
const escapedJson = fc
  .tuple(
    fc.jsonValue({ maxDepth: 3, stringUnit: 'binary' }),
    fc.array(gluedText, { maxLength: 4 }),
    fc.nat(6),
    fc.boolean(),
  )
  .map(([value, strings, step, spaced]) => {
    const nested = [
      value,
      Object.fromEntries(strings.map((text) => [text.slice(0, 60), text])),
      4111111111111111,
    ]
    const json = JSON.stringify(nested, undefined, spaced ? 2 : 0)
    let index = 0
    return json.replace(/[A-Za-z0-9@. ](?=[^"\\]*")/g, (char, at: number) => {
      const inString = (json.slice(0, at).replace(/\\./g, '').match(/"/g)?.length ?? 0) % 2 === 1
      if (
        !inString ||
        json[at - 1] === '\\' ||
        /\\u[0-9a-f]{0,3}$/.test(json.slice(0, at)) ||
        index++ % 7 >= step
      )
        return char
      return `\\u00${char.charCodeAt(0).toString(16)}`
    })
  })

/** Recognizers that look at nothing but the value: the key before a value is context for the others. */
const alone = ['CREDIT_CARD', 'EMAIL_ADDRESS', 'JSON_WEB_TOKEN', 'GITHUB_TOKEN', 'AWS_ACCESS_KEY']
const valueRules = rulesOf({
  actions: Object.fromEntries(alone.map((entity) => [entity, 'mask'])),
  default: 'allow',
})

/** What must be left of a value: every string screened as a text, numbers that hold a value as placeholders. */
function screened(value: unknown): unknown {
  if (typeof value === 'string') return valueRules.screen(value).text
  if (typeof value === 'number') {
    const { findings } = valueRules.screen(JSON.stringify(value))
    return findings.length === 0 ? value : `[${findings[0]?.entity}]`
  }
  if (Array.isArray(value)) return value.map(screened)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [valueRules.screen(key).text, screened(inner)]),
  )
}

t.test(
  'invariants 1 and 2: JSON stays JSON, and every string, key and number in it is screened',
  async (t) => {
    holds(
      t,
      fc.property(escapedJson, (json) => {
        assert.deepEqual(JSON.parse(valueRules.screenJson(json).text), screened(JSON.parse(json)))
      }),
      200,
    )
  },
)

t.test('a key is context for its value', async (t) => {
  t.equal(rules.screenJson('{"password":"hunter2Zebra!9"}').text, '{"password":"[PASSWORD]"}')
  t.equal(rules.screenJson('{"pass_word_hint":"your cat"}').text, '{"pass_word_hint":"your cat"}')
})

t.test('invariant 4: random cuts give the text and the findings of one shot', async (t) => {
  const pieces = fc.oneof(
    escapedJson,
    gluedText,
    fc
      .array(
        fc.oneof(
          gluedText.map((text) => text.slice(0, 40)),
          fc.constantFrom(
            '"',
            '"',
            '\\',
            '{',
            '}',
            ':',
            ',',
            '1',
            'true',
            'nul',
            'NaN',
            '-Infinity',
            '4.111111111111111e15',
            '\\u0034111',
            ' ',
            '\\u',
            '\\ud83d',
            '4111111111111111',
          ),
        ),
        { maxLength: 8 },
      )
      .map((parts) => parts.join('')),
  )
  holds(
    t,
    fc.property(pieces, cuts, (text, places) => {
      const whole = rules.screenJson(text)
      const window = rules.open('json')
      const left = cut(text, places).map((chunk) => window.push(chunk))
      assert.equal(left.join('') + window.flush(), whole.text)
      assert.deepEqual(window.findings, whole.findings)
      assert.ok(window.held === 0)
    }),
    500,
  )
})

t.test('invariant 3: what is not JSON is never passed unscanned', async (t) => {
  for (const text of texts) {
    if (/^\s*[[{"\dtfn-]/.test(text)) continue
    t.equal(rules.screenJson(text).text, rules.screen(text).text, text)
  }
})

t.test('held text is bounded while JSON is fed slowly', async (t) => {
  holds(
    t,
    fc.property(
      fc.array(fc.constantFrom('"', '\\u0031', '1', 'a.', '{', ',', ' ', '-', 'eyJ', '@', '\\', '4111-'), {
        maxLength: 6,
      }),
      fc.nat(100),
      (pieces, times) => {
        const window = rules.open('json')
        for (const char of pieces.join('').repeat(times)) {
          window.push(char)
          assert.ok(window.held <= rules.heldTextMax)
        }
      },
    ),
    60,
  )
})

t.test('a blocking value inside JSON stops the output', async (t) => {
  const blocking = rulesOf({
    direction: 'reply',
    actions: { CREDIT_CARD: 'block' },
    default: 'mask',
  })
  const window = blocking.open('json')
  t.equal(window.push('{"a":1,"card":') + window.push('4111111111111111'), '{"a":1,"card":')
  t.equal(window.push(',"b":2}'), '')
  t.equal(window.blocked?.entity, 'CREDIT_CARD')
  t.equal(window.flush(), '')
  t.equal(blocking.screenJson('{"card":"4111 1111 1111 1111"}').blocked?.entity, 'CREDIT_CARD')
})

t.test('a number that is judged in the middle of a text leaves the rest of it as it is', async (t) => {
  for (let exponent = 1; exponent < 64; exponent++) {
    const text = `[1e${exponent},4111111111111111,5500005555555559,4012888888881881]`
    const masked = `[1e${exponent},"[CREDIT_CARD]","[CREDIT_CARD]","[CREDIT_CARD]"]`
    t.equal(rules.screenJson(text).text, masked)
    t.equal(streamed(text.split('')), masked)
  }
})

t.test('a number that is a value only when written out is a finding, and may block', async (t) => {
  t.strictSame(rules.screenJson('[1,4.111111111111111e15,"8.8.8.8"]'), {
    text: '[1,"[CREDIT_CARD]","[IP_ADDRESS]"]',
    findings: [
      { entity: 'CREDIT_CARD', recognizer: 'credit-card', action: 'mask', start: 3, end: 23 },
      { entity: 'IP_ADDRESS', recognizer: 'ip-address', action: 'mask', start: 25, end: 32 },
    ],
    tallies: [
      { entity: 'IP_ADDRESS', action: 'mask', count: 1 },
      { entity: 'CREDIT_CARD', action: 'mask', count: 1 },
    ],
    blocked: undefined,
  })
  const blocking = rulesOf({
    direction: 'reply',
    actions: { CREDIT_CARD: 'block' },
    default: 'allow',
  })
  const window = blocking.open('json')
  t.equal(window.push('[4.111111111111111e15'), '[')
  t.equal(window.push(',1]'), '')
  t.match(window.blocked, { entity: 'CREDIT_CARD', start: 1, end: 21 })
  t.equal(window.flush(), '')
})

t.test('findings count the decoded text', async (t) => {
  t.strictSame(rules.screenJson('{"a":"\\u0061da@example.com"}').findings, [
    { entity: 'EMAIL_ADDRESS', recognizer: 'email-address', action: 'mask', start: 6, end: 21 },
  ])
})
