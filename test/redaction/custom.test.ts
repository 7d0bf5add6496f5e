import t from 'tap'
import {
  type CustomRecognizer,
  customFaults,
  customRecognizer,
  denyListFaults,
  denyListRecognizer,
} from '../../src/redaction/custom.ts'
import type { Recognizer } from '../../src/redaction/recognizer.ts'
import { lookAlike } from '../../src/redaction/replacement/look-alike.ts'
import { createRuleSet } from '../../src/redaction/rule-set.ts'

const custom = (fields: Partial<CustomRecognizer>): CustomRecognizer => ({
  entity: 'EMPLOYEE_ID',
  category: 'identity',
  tier: 1,
  ignoreCase: false,
  boundary: 'word',
  examples: { match: [], miss: [] },
  ...fields,
})

const screened = (recognizer: Recognizer, text: string): string =>
  createRuleSet({
    name: 'test',
    direction: 'prompt',
    custom: [recognizer],
    policyOf: (each) => (each === recognizer ? 'mask' : 'allow'),
  }).screen(text).text
const by = (fields: Partial<CustomRecognizer>, text: string) =>
  screened(customRecognizer('employee-id', custom(fields)), text)
const messages = (fields: Partial<CustomRecognizer>): string[] =>
  customFaults({ mine: custom(fields) }).map(({ path, message }) => `${path.join('.')}: ${message}`)

t.test('patterns, literals and their edges', (t) => {
  const patterns = ['EMP-[0-9]{6}']
  t.equal(
    by({ patterns }, 'EMP-123456, xEMP-123456 EMP-1234567 emp-123456.'),
    '[EMPLOYEE_ID], xEMP-123456 EMP-1234567 emp-123456.',
  )
  t.equal(by({ patterns, ignoreCase: true }, 'emp-123456'), '[EMPLOYEE_ID]')
  t.equal(by({ patterns, boundary: 'none' }, 'xEMP-1234567'), 'x[EMPLOYEE_ID]7')
  t.equal(by({ patterns: ['E[0-9]+'], lengthMax: 5 }, 'E1234 E12345'), '[EMPLOYEE_ID] E12345')
  const literals = ['Project Falcon', 'C++ (secret)', 'Z\u00fcrich']
  t.equal(
    by({ literals }, 'Project\n Falcon and C++ (secret) in Z\u00fcrich'),
    '[EMPLOYEE_ID] and [EMPLOYEE_ID] in [EMPLOYEE_ID]',
  )
  t.equal(by({ literals }, 'ProjectFalcon Z\u00fcrichs'), 'ProjectFalcon Z\u00fcrichs')
  t.end()
})

t.test('a literal is found however it is written, as everything is', (t) => {
  t.equal(
    by({ literals: ['Falcon'] }, 'F\u200balcon \uff26\uff41\uff4c\uff43\uff4f\uff4e'),
    '[EMPLOYEE_ID] [EMPLOYEE_ID]',
  )
  t.equal(by({ literals: ['\uff26alcon'] }, 'Falcon'), '[EMPLOYEE_ID]', 'and so is the list')
  t.end()
})

t.test('score and context', (t) => {
  const fields = { patterns: ['[0-9]{5}'], score: 0.2, context: ['badge'] }
  t.equal(by(fields, '12345 and badge 12345'), '12345 and badge [EMPLOYEE_ID]')
  t.end()
})

t.test('many literals', (t) => {
  const literals = Array.from({ length: 1_000 }, (_, at) => `Codename ${at} of the list`)
  const text = 'codename 7, Codename 999 of the list, Codename 0 of the list.'
  t.equal(by({ literals }, text), 'codename 7, [EMPLOYEE_ID], [EMPLOYEE_ID].')
  t.equal(by({ literals, ignoreCase: true }, 'CODENAME  7\nof the LIST 8'), '[EMPLOYEE_ID] 8')
  t.equal(
    by({ literals }, 'Codename 7 of the lists, Codename 1000 of the list'),
    'Codename 7 of the lists, Codename 1000 of the list',
  )
  t.same(messages({ literals }), [])
  t.match(messages({ literals, boundary: 'none' }), [
    /^mine: cannot be used together: the rules need more than|^: cannot be used together: the rules need more than/,
  ])
  t.end()
})

t.test('a deny list, in any case', (t) => {
  const list = denyListRecognizer('denied', 'DENY_LIST', ['Falcon', 'Blue Bird'])
  t.equal(screened(list, 'FALCON falcon falcons blue  bird'), '[DENY_LIST] [DENY_LIST] falcons [DENY_LIST]')
  t.match(denyListFaults([['fine'], ['x', 'ok', '\u200b\u200b']]), [
    { path: [1, 'values', 0] },
    { path: [1, 'values', 2] },
  ])
  t.same(denyListFaults([['fine'], ['good']]), [])
  t.end()
})

t.test('what is wrong is said with its place, all at once', (t) => {
  t.same(messages({}), ['mine: needs literals or patterns: it would find nothing'])
  const patterns = [
    'a(b',
    '(?=x)y',
    'A+',
    '[a-z]',
    'x{600}',
    'ok[0-9]{3}',
    '[a-z]{1,99}[a-z]{1,99}[a-z]{1,99}[a-z]{1,99}',
  ]
  const said = messages({ patterns, literals: ['a'] })
  const expected = [
    /^mine\.literals\.0: must match at least 2 characters|^mine\.literals\.0: must have at least 2/,
    /^mine\.patterns\.0: a group is not closed \(at 3/,
    /^mine\.patterns\.1: "\?" has no meaning here/,
    /^mine\.patterns\.2: has no bound: write \{m,n\} in place of \* or \+, or give the recognizer a lengthMax|^mine\.patterns\.2: must match at least 2/,
    /^mine\.patterns\.3: must match at least 2 characters/,
    /^mine\.patterns\.4: a count must rise and stay within 512/,
    /^mine\.patterns\.6: has too many parts of variable length in a row/,
  ]
  t.equal(said.length, expected.length, said.join('\n'))
  for (const [index, pattern] of expected.entries()) t.match(said[index], pattern)
  t.match(messages({ patterns: ['AB+'] }), [/has no bound/])
  t.same(messages({ patterns: ['AB+'], lengthMax: 20 }), [])
  t.match(messages({ patterns: ['AB{20}'], lengthMax: 20 }), [/matches up to 21 characters; 20 are allowed/])
  t.end()
})

t.test('examples are run', (t) => {
  const examples = {
    match: ['EMP-123456', 'EMP-12345', { before: 'badge ', value: 'EMP-654321' }],
    miss: ['EMP-1', 'see EMP-123456'],
  }
  t.same(messages({ patterns: ['EMP-[0-9]{6}'], examples }), [
    'mine.examples.match.1: is not found whole',
    'mine.examples.miss.1: is found, or a part of it is',
  ])
  const found = customFaults({
    broken: custom({ patterns: ['('] }),
    good: custom({ patterns: ['GO[0-9]{4}'], examples: { match: ['GO1234'], miss: ['GO123'] } }),
  })
  t.same(
    found.map(({ path }) => path[0]),
    ['broken'],
    'one that is broken does not keep the others from being tried',
  )
  t.end()
})

t.test('what looks like a pseudonym', (t) => {
  for (const example of lookAlike.examples.match)
    t.equal(screened(lookAlike, `(${example})`), '([PSEUDONYM])')
  for (const example of lookAlike.examples.miss) t.equal(screened(lookAlike, example), example)
  t.end()
})
