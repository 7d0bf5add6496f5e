import t from 'tap'
import { gaugeOf, meanOf, requestsOf, shareOf } from '../../../src/upstream/load/gauge.ts'

t.test('numbers as servers write them', (t) => {
  const table = { '0': 0, '3.0': 3, '+4': 4, '1e3': 1_000, '2.5E-1': 0.25, '-0': -0 }
  for (const [text, value] of Object.entries(table)) t.equal(gaugeOf(text), value, text)
  t.end()
})

t.test('what is no reading', (t) => {
  const junk = [
    '',
    ' ',
    'NaN',
    'nan',
    '+Inf',
    '-Inf',
    'Infinity',
    '-1',
    '1e999',
    '0x10',
    '1_000',
    '1 2',
    '--1',
    'e',
    '.',
  ]
  for (const text of [...junk, '9'.repeat(33)]) t.equal(gaugeOf(text), undefined, JSON.stringify(text))
  t.end()
})

t.test('counts and shares are plausible, or nothing', (t) => {
  t.same([0, 1_000_000, 1_000_001, -1, Number.NaN, undefined].map(requestsOf), [0, 1_000_000, ...Array(4)])
  t.same([0, 0.5, 1, 1.01, 42, -0.1, Number.NaN, undefined].map(shareOf), [0, 0.5, 1, ...Array(5)])
  t.equal(meanOf([]), undefined)
  t.equal(meanOf([1, 2]), 1.5)
  t.end()
})
