// The page of faults shows the table that the tests in test/e2e/fault-*.test.ts hold the gateway to.
import t from 'tap'
import { refusals } from '../../src/refusal.ts'
import { faultThemes, page, rewritten } from '../support/fault-matrix.ts'
import { readDocument } from '../support/markdown.ts'

const markdown = readDocument(page)

t.test('the page is as the matrix makes it', (t) => {
  t.equal(markdown, rewritten(markdown), 'run: node test/support/fault-matrix.ts')
  t.end()
})

t.test('each fault stands once, with a status that its code has', (t) => {
  const names = Object.values(faultThemes).flatMap((rows) => Object.keys(rows))
  t.equal(new Set(names).size, names.length)
  for (const rows of Object.values(faultThemes)) {
    for (const [name, { caller }] of Object.entries(rows)) {
      const [status, code] = caller.split(' ')
      if (code === undefined || status === 'event') continue
      t.equal(refusals[code as keyof typeof refusals].status, Number(status), name)
    }
  }
  t.end()
})
