import t from 'tap'
import type { Detection } from '../../../src/redaction/scoring/detection.ts'
import { without } from '../../../src/redaction/scoring/detection.ts'
import { labelGroup } from '../../../src/redaction/scoring/labels.ts'
import type { Sample, Span } from '../../../src/redaction/scoring/sample.ts'
import { type Mistake, scoreCorpus, sumByLabel, sumOf } from '../../../src/redaction/scoring/score.ts'

const span = (start: number, end: number, label: string): Span => ({ start, end, label })

let ids = 0
const sample = (text: string, spans: readonly Span[], more: Partial<Sample> = {}): Sample => ({
  id: `s${++ids}`,
  text,
  spans,
  source: 'tests',
  ...more,
})

/** A tool that finds the same in each text, where the text is long enough. */
const finding =
  (...findings: readonly Span[]) =>
  ({ text }: Sample): Detection => {
    const fitting = findings.filter(({ end }) => end <= text.length)
    return { masked: without(text, fitting), findings: fitting }
  }

const score = (samples: readonly Sample[], detect: (sample: Sample) => Detection | undefined) =>
  scoreCorpus({ name: 'tests', samples }, detect)

const countsOf = (samples: readonly Sample[], detect: (sample: Sample) => Detection | undefined) =>
  Object.fromEntries(
    score(samples, detect).labels.map(({ label, truePositives, falsePositives, falseNegatives, masked }) => [
      label,
      { truePositives, falsePositives, falseNegatives, masked },
    ]),
  )

t.test('a value is found when findings of its label cover half of it', (t) => {
  const samples = [sample('0123456789', [span(0, 10, 'A')])]
  const found = { truePositives: 1, falsePositives: 0, falseNegatives: 0 }
  t.match(countsOf(samples, finding(span(0, 10, 'A'))), { A: { ...found, masked: 1 } })
  t.match(countsOf(samples, finding(span(0, 5, 'A'))), { A: { ...found, masked: 1 } })
  t.match(countsOf(samples, finding(span(0, 2, 'A'), span(6, 9, 'A'))), { A: { ...found, masked: 1 } })
  t.match(countsOf(samples, finding(span(0, 4, 'A'))), {
    A: { truePositives: 0, falseNegatives: 1, masked: 0 },
  })
  t.end()
})

t.test('a finding that covers more than the value is right, one that only touches it is wrong', (t) => {
  const samples = [sample('0123456789', [span(4, 8, 'A')])]
  t.match(countsOf(samples, finding(span(0, 10, 'A'))), { A: { truePositives: 1, falsePositives: 0 } })
  t.match(countsOf(samples, finding(span(0, 5, 'A'))), { A: { truePositives: 0, falsePositives: 1 } })
  t.end()
})

t.test('another label masks a value, but does not find it', (t) => {
  const samples = [sample('0123456789', [span(0, 10, 'A')]), sample('x', [span(0, 1, 'B')])]
  t.match(countsOf(samples, finding(span(0, 10, 'B'))), {
    A: { truePositives: 0, falseNegatives: 1, masked: 1 },
    B: { falsePositives: 1 },
  })
  t.end()
})

t.test('labels outside the scope count for nothing', (t) => {
  const samples = [sample('0123456789', [], { scope: ['A'] }), sample('9876543210', [span(0, 9, 'B')])]
  const { A, B } = countsOf(samples, finding(span(0, 9, 'B')))
  t.equal(A, undefined)
  t.match(B, { truePositives: 1, falsePositives: 0 })
  t.match(
    countsOf(samples, finding(span(0, 9, 'A'))),
    { A: { falsePositives: 1 } },
    'in the first text alone',
  )
  t.end()
})

t.test('without a scope, the labels of the source are what was looked for', (t) => {
  const samples = [
    sample('0123456789', [], { source: 'one' }),
    sample('x', [span(0, 1, 'A')], { source: 'one' }),
    sample('0123456789a', [], { source: 'two' }),
  ]
  t.match(countsOf(samples, finding(span(0, 10, 'A'))), { A: { falsePositives: 2 } })
  t.match(
    countsOf(samples, finding(span(0, 10, 'B'))),
    { B: { falsePositives: 1 } },
    'two holds nothing at all',
  )
  t.end()
})

t.test('all secrets are one label, and a value that another row names is not wrong', (t) => {
  const samples = [
    sample('0123456789', [span(0, 4, 'SECRET:one')], { scope: ['SECRET:one'] }),
    sample('0123456789', [span(5, 10, 'SECRET:two')], { scope: ['SECRET:two'] }),
  ]
  t.same(countsOf(samples, finding(span(0, 4, 'SECRET'), span(5, 10, 'SECRET'))), {
    SECRET: { truePositives: 2, falsePositives: 0, falseNegatives: 0, masked: 2 },
  })
  t.equal(labelGroup('SECRETS'), 'SECRETS')
  t.equal(labelGroup('STREET_ADDRESS'), labelGroup('ADDRESS'))
  t.end()
})

t.test('precision, recall and F1, of a label and of all', (t) => {
  const samples = [
    sample('0123456789', [span(0, 10, 'A')]),
    sample('01234', [span(0, 5, 'A')]),
    sample('0123456789a', []),
    sample('0123456789b', []),
  ]
  const { labels, total, texts } = score(samples, finding(span(0, 10, 'A')))
  t.match(labels, [{ label: 'A', values: 2, precision: 1 / 3, recall: 1 / 2, f1: 2 / 5, maskedShare: 1 / 2 }])
  t.same(total, { ...labels[0], label: 'ALL' })
  t.equal(texts, 4)
  const nothing = score([sample('x', [], { scope: ['A'] })], () => undefined)
  t.same(nothing.labels, [])
  t.match(JSON.parse(JSON.stringify(nothing.total)), { values: 0, precision: null, recall: null, f1: null })
  t.end()
})

t.test('texts without a value are touched when a tool alters them or finds something', (t) => {
  const samples = [sample('aa', []), sample('bb', []), sample('cc', []), sample('dd', [span(0, 1, 'A')])]
  const detect = ({ text }: Sample): Detection | undefined => {
    if (text === 'aa') return { masked: '#' }
    return text === 'bb' ? { masked: 'bb', findings: [span(0, 1, 'A')] } : undefined
  }
  t.same(score(samples, detect).touched, { of: 3, count: 2, share: 2 / 3 })
  t.end()
})

t.test('what is touched is counted by what a text was searched for', (t) => {
  const samples = [
    sample('aa', [], { scope: ['A', 'B'] }),
    sample('bb', [], { scope: ['A'] }),
    sample('cc', []),
  ]
  const detect = ({ text }: Sample): Detection => ({ masked: text === 'aa' ? '#' : text })
  t.same(score(samples, detect).touchedByScope, {
    '': { of: 1, count: 0, share: 0 },
    A: { of: 1, count: 0, share: 0 },
    'A,B': { of: 1, count: 1, share: 1 },
  })
  t.end()
})

t.test('disguises are counted by class', (t) => {
  const samples = ['hex', 'hex', 'leet'].map((disguise, index) =>
    sample(`012345678${index}`, [span(0, 10, 'A')], { note: `evasion:${disguise}` }),
  )
  const detect = ({ text }: Sample) => (text.endsWith('0') ? { masked: '' } : undefined)
  t.same(score(samples, detect).evasion, {
    hex: { of: 2, count: 1, share: 0.5 },
    leet: { of: 1, count: 0, share: 0 },
  })
  t.end()
})

t.test('mistakes are told with their values, and labels can be chosen', (t) => {
  const samples = [sample('0123456789', [span(0, 3, 'A'), span(6, 10, 'B')])]
  const mistakes: Mistake[] = []
  const detect = finding(span(4, 6, 'B'))
  const { labels } = scoreCorpus({ name: 'tests', samples }, detect, {
    labels: ['B'],
    onMistake: (mistake) => mistakes.push(mistake),
  })
  t.match(labels, [{ label: 'B', falsePositives: 1, falseNegatives: 1 }])
  const { id } = samples[0] as Sample
  t.same(mistakes, [
    { kind: 'missed', id, label: 'B', value: '6789' },
    { kind: 'wrong', id, label: 'B', value: '45' },
  ])
  t.end()
})

t.test('several corpora add up by label', (t) => {
  const one = score([sample('01234', [span(0, 5, 'A')])], finding(span(0, 5, 'A')))
  const two = score([sample('01234', [span(0, 5, 'A')]), sample('x', [span(0, 1, 'B')])], () => undefined)
  const labels = sumByLabel([one, two])
  t.match(labels, [
    { label: 'A', values: 2, recall: 0.5, precision: 1 },
    { label: 'B', values: 1, recall: 0 },
  ])
  t.match(sumOf('ALL', labels), { label: 'ALL', values: 3, recall: 1 / 3 })
  t.end()
})
