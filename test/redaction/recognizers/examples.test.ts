// Every recognizer against its own examples, through the compiled machines: alone, and among all the others.
import t from 'tap'
import { recognizers } from '../../../src/redaction/catalog.ts'
import type { Recognizer } from '../../../src/redaction/recognizer.ts'
import { createRuleSet } from '../../../src/redaction/rule-set.ts'
import { isStandard, rulesOf } from '../rules.ts'
import { benignTexts } from '../texts.ts'

const everything = rulesOf({})

const surroundings: readonly (readonly [before: string, after: string])[] = [
  ['', ''],
  ['It is ', ' today'],
  ['"', '"'],
  ['(', ').'],
  ['\u65e5\u672c\uff1a ', '\u3002'],
]

const aloneOf = (only: Recognizer) =>
  createRuleSet({
    name: only.id,
    direction: 'prompt',
    policyOf: (recognizer) => (recognizer === only ? 'mask' : 'allow'),
  })

const parts = (example: Recognizer['examples']['match'][number]) =>
  typeof example === 'string' ? { before: '', value: example } : example

t.test('each recognizer is described once, with examples of both kinds', async (t) => {
  t.equal(new Set(recognizers.map(({ id }) => id)).size, recognizers.length)
  for (const { id, entity, examples } of recognizers) {
    t.match(id, /^[a-z0-9]+(-[a-z0-9]+)*$/)
    t.match(entity, /^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$/)
    t.ok(examples.match.length > 0, `${id} has an example that matches`)
    t.ok(examples.miss.length > 0, `${id} has an example that does not`)
  }
})

for (const recognizer of recognizers) {
  const { id, entity, examples } = recognizer
  t.test(id, async (t) => {
    const alone = aloneOf(recognizer)
    for (const { before, value } of examples.match.map(parts)) {
      const inside = before === '' ? surroundings : surroundings.slice(0, 1)
      for (const [left, right] of inside)
        t.equal(alone.screen(left + before + value + right).text, `${left}${before}[${entity}]${right}`)
      if (isStandard(recognizer)) t.notOk(everything.screen(before + value).text.includes(value))
    }
    for (const text of examples.miss) t.equal(alone.screen(text).text, text)
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
    ['10.0.0.1-10.0.0.9', '[IP_ADDRESS]-[IP_ADDRESS]'],
    ['10.0.0.1/24 10.0.0.2:443.', '[IP_ADDRESS] [IP_ADDRESS]:443.'],
    ['<ada@example.com>,<bob@example.com>', '<[EMAIL_ADDRESS]>,<[EMAIL_ADDRESS]>'],
    ['ghs_123_eyJhbGciOiJIUzI1NiJ9.e30.c2ln', 'ghs_123_[JSON_WEB_TOKEN]'],
    ['see eyJhbGciOiJIUzI1NiJ9.e30.c2ln. Next', 'see [JSON_WEB_TOKEN]. Next'],
    ['ES91 2100 0418 4502 0005 1332 NEXT WORD', '[IBAN_CODE] NEXT WORD'],
    ['+1 415 555 2671 100 apples', '[PHONE_NUMBER] 100 apples'],
  ] as const) {
    t.equal(everything.screen(text).text, masked)
  }
})
