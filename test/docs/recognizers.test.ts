import t from 'tap'
import { proofs } from '../../scripts/recognizers/proofs.ts'
import { page, proofOf, rewritten } from '../../scripts/recognizers/table.ts'
import { recognizers } from '../../src/redaction/catalog.ts'
import { readDocument } from '../support/markdown.ts'

const markdown = readDocument(page)

t.test('the table is fresh; write it with scripts/generate-recognizers.ts', (t) => {
  t.equal(markdown, rewritten(markdown))
  t.throws(() => rewritten('# Recognizers\n'), /lost its marks/)
  t.end()
})

t.test('every recognizer has a row that says what proves it', (t) => {
  const rows = new Map([...markdown.matchAll(/^\| `([^`]+)` \|.*$/gm)].map(([row, id]) => [id, row]))
  for (const recognizer of recognizers) {
    const proof = proofOf(recognizer)
    t.ok(proof, recognizer.id)
    t.ok(rows.get(recognizer.id)?.includes(` | ${recognizer.tier} | ${proof} | `), recognizer.id)
  }
  t.end()
})

t.test('nothing is said of a recognizer that is not there', (t) => {
  const known = new Set(recognizers.map(({ id }) => id))
  t.same(
    Object.keys(proofs).filter((id) => !known.has(id)),
    [],
  )
  t.end()
})
