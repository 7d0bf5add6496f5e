import t from 'tap'
import { deviations } from '../identity/wycheproof.deviations.ts'
import { looser, stricter } from '../identity/x509-limbo.deviations.ts'
import { counts, lineOf, page, ranges, rewritten, rows } from '../support/conformance-table.ts'
import { readDocument } from '../support/markdown.ts'

const markdown = readDocument(page)
const linesOf = (pattern: RegExp): string[] => markdown.split('\n').filter((line) => pattern.test(line))

t.test('the page has one table, with a row for each deviation of the tests and no other', (t) => {
  t.equal(linesOf(/^\|-/).length, 1)
  const shown = linesOf(/^\|/).slice(2)
  const expected = rows().map(lineOf)
  for (const [at, line] of expected.entries()) t.equal(shown[at], line)
  t.equal(shown.length, expected.length)
  t.end()
})

t.test('each case stands in it once, on the side that its test has it', (t) => {
  const idsOf = (ours: string): string[] =>
    rows()
      .filter((row) => row.suite === 'x509-limbo' && row.ours === ours)
      .flatMap(({ ids }) => [...ids])
  t.same(
    idsOf('refuse'),
    stricter.flatMap(({ ids }) => [...ids]),
  )
  t.same(
    idsOf('accept'),
    looser.flatMap(({ ids }) => [...ids]),
  )
  const keys = rows().flatMap(({ suite, ids }) => ids.map((id) => `${suite} ${id}`))
  t.equal(new Set(keys).size, keys.length)
  const wycheproof = keys.filter((key) => /^Wycheproof json_web_(?!encryption)/.test(key))
  t.same(
    wycheproof.map((key) => key.replace('Wycheproof json_web_', '')),
    Object.keys(deviations),
  )
  t.notOk(rows().some(({ reason }) => reason.length < 20))
  t.end()
})

t.test('the counts are those of the vectors less the deviations', (t) => {
  t.same(linesOf(/^- /), counts())
  t.same(
    counts().map((line) => line.replace(/^.*: /, '')),
    [
      '393 of 401 (6 stricter, 2 looser)',
      '26 of 26 (0 stricter, 0 looser)',
      '81 of 83 (2 stricter, 0 looser)',
      '74 of 139 (65 stricter, 0 looser)',
      '139 of 193 (11 stricter, 43 looser)',
    ],
  )
  t.end()
})

t.test('numbers that follow one another are shown as a range', (t) => {
  t.equal(ranges(['1', '23', '28', '29', '30', '35', '36']), '1, 23, 28-30, 35-36')
  t.equal(ranges(['7']), '7')
  t.end()
})

t.test('the page is what its program writes', (t) => {
  t.equal(markdown, rewritten(markdown))
  t.throws(() => rewritten('# Conformance\n'), /lost its mark/)
  t.end()
})
