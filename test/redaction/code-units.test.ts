import fc from 'fast-check'
import t from 'tap'
import { CodeUnits } from '../../src/redaction/code-units.ts'

const unitsOf = (text: string): number[] =>
  Array.from({ length: text.length }, (_, at) => text.charCodeAt(at))

t.test('the code units of any text, lone surrogates included, short or long', (t) => {
  const codeUnits = new CodeUnits(64)
  const anyText = fc
    .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 300 })
    .map((units) => String.fromCharCode(...units))
  const property = fc.property(anyText, fc.nat(40), (text, from) => {
    const cut = text.slice(from)
    t.same([...codeUnits.of(cut).subarray(0, cut.length)], unitsOf(cut))
  })
  fc.assert(property, { numRuns: 300 })
  t.end()
})

t.test('a short text after a long one says nothing of the long one before its end', (t) => {
  const codeUnits = new CodeUnits(0)
  codeUnits.of('x'.repeat(1_000))
  t.same([...codeUnits.of('ab').subarray(0, 2)], [97, 98])
  t.end()
})
