import t from 'tap'
import { parseDetections, without } from '../../../src/redaction/scoring/detection.ts'
import { CorpusError, parseSamples } from '../../../src/redaction/scoring/sample.ts'

const row = (fields: object): string =>
  JSON.stringify({ id: 'a', text: 'call 555-0101', spans: [], ...fields })
const span = { start: 5, end: 13, label: 'PHONE_NUMBER', value: '555-0101' }

t.test('a corpus is one sample a line, empty lines aside', (t) => {
  const samples = parseSamples(
    `${row({ spans: [span], scope: ['PHONE_NUMBER'], note: 'x' })}\n\n${row({ id: 'b', source: 's' })}\n`,
  )
  t.same(samples, [
    {
      id: 'a',
      text: 'call 555-0101',
      spans: [{ start: 5, end: 13, label: 'PHONE_NUMBER' }],
      source: '',
      scope: ['PHONE_NUMBER'],
      note: 'x',
    },
    { id: 'b', text: 'call 555-0101', spans: [], source: 's' },
  ])
  t.end()
})

t.test('what cannot be used is refused, with its line', (t) => {
  const refused: readonly (readonly [string, RegExp])[] = [
    ['{', /^line 2: is not JSON$/],
    ['[]', /^line 2: is not an object$/],
    [row({ text: 1 }), /^line 2: text is not a string$/],
    [row({ spans: undefined }), /^line 2: spans is not a list$/],
    [row({ spans: [7] }), /^line 2: a span is not an object$/],
    [row({ spans: [{ ...span, start: 1.5 }] }), /^line 2: a span has no start and end$/],
    [row({ spans: [{ ...span, end: 14 }] }), /^line 2: span 5-14 is outside the text$/],
    [row({ spans: [{ ...span, start: 13 }] }), /^line 2: span 13-13 is outside the text$/],
    [row({ spans: [{ ...span, start: 4 }] }), /^line 2: span 4-13 does not hold its value$/],
    [row({ spans: [{ ...span, label: undefined }] }), /^line 2: label is not a string$/],
  ]
  for (const [line, message] of refused) {
    t.throws(() => parseSamples(`${row({})}\n${line}`), message, line)
    t.throws(() => parseSamples(`${row({})}\n${line}`), CorpusError)
  }
  t.end()
})

t.test('the output of another tool: a text, or findings from which the text is made', (t) => {
  const samples = parseSamples([row({ id: 'a' }), row({ id: 'b' }), row({ id: 'c' })].join('\n'))
  const lines = [
    { id: 'a', masked: 'call X' },
    { id: 'b', findings: [span] },
    { id: 'c', masked: 'call *', findings: [span] },
    { id: 'of another corpus', masked: '' },
  ]
  const finding = { start: 5, end: 13, label: 'PHONE_NUMBER' }
  const detections = parseDetections(lines.map((line) => JSON.stringify(line)).join('\n'), samples)
  t.same(Object.fromEntries(detections), {
    a: { masked: 'call X' },
    b: { masked: 'call [PHONE_NUMBER]', findings: [finding] },
    c: { masked: 'call *', findings: [finding] },
  })
  t.throws(() => parseDetections('{"id":"a"}', samples), /^line 1: masked is not a string$/)
  t.end()
})

t.test('findings that overlap leave nothing of what any of them covers', (t) => {
  const at = (start: number, end: number) => ({ start, end, label: 'X' })
  t.equal(without('0123456789', [at(4, 8), at(2, 6), at(3, 5)]), '01[X]89')
  t.equal(without('0123456789', [at(0, 2), at(2, 4)]), '[X][X]456789')
  t.end()
})
