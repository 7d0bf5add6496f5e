import t from 'tap'
import { recognizers } from '../../../src/redaction/catalog.ts'
import { createRuleSet } from '../../../src/redaction/rule-set.ts'
import { benignTexts } from '../texts.ts'

const everything = createRuleSet({ name: 'test', direction: 'prompt', actions: {}, default: 'mask' })

const surroundings: readonly (readonly [before: string, after: string])[] = [
  ['', ''],
  ['It is ', ' today'],
  ['"', '"'],
  ['(', ').'],
  ['=', ','],
  ['\n', '\n'],
  ['\u65e5\u672c: ', '\u3002'],
  ['x;', '; y'],
]

for (const { entity, examples } of recognizers) {
  const alone = createRuleSet({
    name: entity,
    direction: 'prompt',
    actions: { [entity]: 'mask' },
    default: 'allow',
  })

  t.test(`${entity}: its examples are masked whole in any surroundings`, async (t) => {
    t.ok(examples.match.length >= 3)
    for (const value of examples.match) {
      const left = surroundings.map(([before, after]) => everything.screen(before + value + after).text)
      t.strictSame(
        left,
        surroundings.map(([before, after]) => `${before}[${entity}]${after}`),
        value.slice(0, 80),
      )
    }
  })

  t.test(`${entity}: its near misses are not masked`, async (t) => {
    t.ok(examples.miss.length >= 4)
    for (const text of examples.miss) t.equal(alone.screen(text).text, text)
  })

  t.test(`${entity}: a value after an escape in source code is found`, async (t) => {
    for (const value of examples.match) t.notMatch(alone.screen(`"\\n${value}\\n"`).text, value)
  })
}

t.test('prose, code, logs and data pass untouched', async (t) => {
  for (const text of benignTexts)
    t.strictSame(everything.screen(text), { text, findings: [], tallies: [], blocked: undefined })
})

t.test('values stand beside underscores, letters of other scripts and each other', async (t) => {
  for (const [text, masked] of [
    ['id_4111111111111111', 'id_[CREDIT_CARD]'],
    ['session_eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln', 'session_[JSON_WEB_TOKEN]'],
    ['*_eyJmb28iOiJhIiwiYWxnIjoiUlMyNTYifQ.e30.c2ln_*', '*_[JSON_WEB_TOKEN]*'],
    ['1,4111111111111111,2026', '1,[CREDIT_CARD],2026'],
    ['4111111111111111.0', '[CREDIT_CARD].0'],
    ['\u90ae\u7bb1ada@example.com\u3002', '\u90ae\u7bb1[EMAIL_ADDRESS]\u3002'],
    ['postgres://u:pass@db.example.com/x', 'postgres://u:[EMAIL_ADDRESS]/x'],
    ['10.0.0.1-10.0.0.9', '[IP_ADDRESS]-[IP_ADDRESS]'],
    ['10.0.0.1/24 10.0.0.2:443.', '[IP_ADDRESS]/24 [IP_ADDRESS]:443.'],
    ['<ada@example.com>,<bob@example.com>', '<[EMAIL_ADDRESS]>,<[EMAIL_ADDRESS]>'],
    ['ghs_123_eyJhbGciOiJIUzI1NiJ9.e30.c2ln', 'ghs_123_[JSON_WEB_TOKEN]'],
    ['token: eyJhbGciOiJIUzI1NiJ9.e30.c2ln. Next', 'token: [JSON_WEB_TOKEN]. Next'],
    ['ES91 2100 0418 4502 0005 1332 NEXT WORD', '[IBAN_CODE] NEXT WORD'],
    ['+1 415 555 2671 100 apples', '[PHONE_NUMBER] 100 apples'],
  ] as const) {
    t.equal(everything.screen(text).text, masked)
  }
})
