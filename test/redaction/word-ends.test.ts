import fc from 'fast-check'
import t from 'tap'
import { recognizers } from '../../src/redaction/catalog.ts'
import { WordEnds } from '../../src/redaction/word-ends.ts'

const introductions = [
  ...['password', 'api', 'key', 'secret access key', 'token', 'is', 'to', 'the', 'I', 'AWS', 'é'],
  ...['Authorization', 'Bearer', 'Api-Token', '-u', '-xu', '-U', '--user', 'AKIAABCDEFGHIJKLMNOP'],
  ...[
    ' ',
    '  ',
    '\n',
    ': ',
    '=',
    '=>',
    '"',
    "'",
    '`',
    ',',
    '.',
    ';',
    '|',
    '**',
    '(',
    ')',
    ']',
    '\\',
    '_',
    '-',
    '7',
  ],
]
const before = fc
  .tuple(fc.array(fc.constantFrom(...introductions), { maxLength: 6 }), fc.constantFrom(' ', '\n', '  '))
  .map(([pieces, blank]) => pieces.join('') + blank)

t.test('a guard never agrees where the word ends that it asks for rule it out', async (t) => {
  const guards = new Set(recognizers.flatMap(({ rules }) => rules.map(({ guard }) => guard)))
  const asking = [...guards].filter((guard) => guard?.ends !== undefined)
  t.ok(asking.length >= 5)
  for (const guard of asking) {
    fc.assert(
      fc.property(before, (text) => !(guard?.ends?.rulesOut(text, text.length) && guard(text, text.length))),
      { numRuns: 2000 },
    )
  }
})

t.test('words, whole words and signs', async (t) => {
  const ends = new WordEnds(['token', 'pw'], { whole: ['is'], signs: ':' })
  const open = ['my token ', 'db_pw ', 'it is ', 'x: ', 'x:\n', 'X ', '7 ', 'é ', 'token', 'x\n', '  ', '']
  const shut = ['word ', 'this ', 'x. ', 'x.\n', 'x) ']
  for (const text of open) t.notOk(ends.rulesOut(text, text.length), JSON.stringify(text))
  for (const text of shut) t.ok(ends.rulesOut(text, text.length), JSON.stringify(text))
})
