import t from 'tap'
import { encodedFindings } from '../../../src/redaction/encoded/encoded-findings.ts'
import type { Found } from '../../../src/redaction/finding.ts'
import { createRuleSet } from '../../../src/redaction/rule-set.ts'

const rules = createRuleSet({
  name: 'test',
  direction: 'prompt',
  policyOf: ({ tier }) => (tier === 1 ? 'mask' : 'allow'),
})
const scan = (decoded: string): Found => rules.screen(decoded)

const values: readonly (readonly [entity: string, value: string])[] = [
  ['AWS_ACCESS_KEY', 'AKIA2XKE7VQTGSKRO6KQ'],
  ['OPENAI_API_KEY', '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'],
  ['EMAIL_ADDRESS', 'zaphod.beeblebrox@heartofgold.example'],
]
const surroundings: readonly (readonly [before: string, after: string])[] = [
  ['', ''],
  ['export TOKEN=', '\nNEXT=1'],
  ['Here is my key ', ' why does it fail?'],
  ['curl -H "X-Api-Key: ', '" https://api.example.com'],
  ['<', '> wrote:'],
]

/** Two digits in a row, or a letter and the next one. */
const middleOf = (value: string): number => Math.floor(value.length / 2)

for (const [entity, value] of values)
  t.test(`${entity} with a line end inside is masked on both sides`, async (t) => {
    for (const end of ['\n', '\r\n'])
      for (const [before, after] of surroundings) {
        const at = middleOf(value)
        const broken = value.slice(0, at) + end + value.slice(at)
        const start = before.length
        t.match(
          encodedFindings(before + broken + after, scan),
          [{ entity, action: 'mask', start, end: start + broken.length }],
          before,
        )
      }
  })

t.test('the rest of a key whose first half is a key by itself goes as well', async (t) => {
  const first = 'sk-aB3dE5fG7hI9jK1lM3nOpQ5r'
  const rest = 'S7tU9vW1xY3zA5bC'
  t.match(encodedFindings(`key ${first}\n${rest}`, scan), [
    { start: 4, end: 4 + first.length + 1 + rest.length },
  ])
  t.same(encodedFindings(`A=${first}\nAWS_S3_BUCKET=logs`, scan), [], 'the name of the next value stays')
})

t.test('in JSON the line end of a string is an escape', async (t) => {
  const json = JSON.stringify({ a: 'AKIA2XKE7V\nQTGSKRO6KQ' })
  const [found] = encodedFindings(json, scan, { kind: 'json' })
  t.equal(json.slice(found?.start, found?.end), 'AKIA2XKE7V\\nQTGSKRO6KQ')
})

t.test('what is whole on one line, or no value, is left alone', async (t) => {
  for (const text of [
    'zaphod@heartofgold.example\nThanks4all',
    'AKIA2XKE7VQTGSKRO6KQ\nAKIA2XKE7VQTGSKRO6KR',
    'x2 = load1\n@app.route',
    '4111111111\n111111',
    '1234567890123\n4567890123456',
    'AKIA2XKE7V\n QTGSKRO6KQ',
    'AKIA2XKE7V\n\nQTGSKRO6KQ',
    'def f1(a):\nreturn a1',
  ])
    t.same(encodedFindings(text, scan), [], text)
})
