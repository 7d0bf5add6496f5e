import fc from 'fast-check'
import t from 'tap'
import { encodedFindings } from '../../../src/redaction/encoded/encoded-findings.ts'
import { spreadMembersMin, spreadRows } from '../../../src/redaction/encoded/spread.ts'
import type { Found } from '../../../src/redaction/finding.ts'
import { createRuleSet } from '../../../src/redaction/rule-set.ts'

const rules = createRuleSet({
  name: 'test',
  direction: 'prompt',
  policyOf: ({ tier }) => (tier === 1 ? 'mask' : 'allow'),
})
const scan = (decoded: string): Found => rules.screen(decoded)

const keys: readonly (readonly [entity: string, key: string])[] = [
  ['AWS_ACCESS_KEY', 'AKIA2XKE7VQTGSKRO6KQ'],
  ['OPENAI_API_KEY', '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'],
]
const spread = (value: string, gap: string): string => [...value].join(gap)

const surroundings: readonly (readonly [before: string, after: string])[] = [
  ['', ''],
  ['export TOKEN=', '\nnext'],
  ['Here is my key ', ' why does it fail?'],
  ['{"api_key": "', '"}'],
  ['\u65e5\u672c\u8a9e \u{1f600} ', '. Thanks'],
  ['my key: ', ' I made'],
  ['so I have a ', ', a key'],
]

for (const [entity, key] of keys)
  t.test(`${entity} with a separator after every character is one finding`, async (t) => {
    for (const gap of [' ', '.'])
      for (const [before, after] of surroundings) {
        const text = before + spread(key, gap) + after
        const [found, ...more] = encodedFindings(text, scan)
        t.match(found, { entity, action: 'mask' }, text)
        t.same(more, [])
        const taken = text.slice(found?.start, found?.end)
        t.ok(taken.includes(spread(key, gap)) && taken.length <= spread(key, gap).length + 4, taken)
      }
  })

t.test('a key that has lost its hyphens to its dots', async (t) => {
  const text = spread('skprojaB3dE5fG7hI9jK1lM3nOT3BlbkFJpQ5rS7tU9vW1xY3zA5bC', '.')
  t.match(encodedFindings(text, scan), [{ entity: 'OPENAI_API_KEY', start: 0, end: text.length }])
})

t.test('in JSON as well', async (t) => {
  const json = JSON.stringify({ a: spread('AKIA2XKE7VQTGSKRO6KQ', ' ') })
  const [found] = encodedFindings(json, scan, { kind: 'json' })
  t.equal(json.slice(found?.start, found?.end), spread('AKIA2XKE7VQTGSKRO6KQ', ' '))
})

t.test('rows of figures, letters and marks are left alone', async (t) => {
  for (const text of [
    'A B C D E F G H I J K L M N O P Q R S T U V W X Y Z',
    'a.b.c.d.e.f.g.h.i.j.k.l.m.n',
    '4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1',
    '4 1 5 5 5 5 2 6 7 1 0 0',
    '1 0 1 1 0 1 0 0 1 1 1 0 1 0 1 0 0 1',
    '| a | b | c | d | e | f | g | h | i |',
    '. . . . . . . . . . . . . . . . . .',
    '..................................',
    'r n b q k b n r p p p p p p p p',
    'A K I A 2 X K E',
  ])
    t.same(encodedFindings(text, scan), [], text)
})

t.test('each row of single characters is found, wherever it stands', async (t) => {
  const member = fc.constantFrom(...'abcXYZ019-_@')
  const filler = fc.stringMatching(/^(?:[a-z]{2,9} )*$/)
  fc.assert(
    fc.property(
      filler,
      fc.array(member, { minLength: spreadMembersMin, maxLength: 80 }),
      fc.constantFrom(' ', '.'),
      filler,
      (before, members, gap, after) => {
        const row = members.join(gap)
        const text = `${before}"${row}" ${after}`
        const start = before.length + 1
        return [...spreadRows(text)].some((one) => one?.start === start && one.end === start + row.length)
      },
    ),
  )
  t.pass('holds for every sample')
})

t.test('rows are in order, apart, and as many as the text allows', async (t) => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('a', '.', ' ', 'b.', 'c '), { maxLength: 400 }), (pieces) => {
      const text = pieces.join('')
      let end = 0
      for (const row of spreadRows(text)) {
        if (row === undefined) continue
        if (row.start < end || row.end > text.length) return false
        end = row.end
      }
      return true
    }),
    { numRuns: 500 },
  )
  t.pass('holds for every sample')
})
