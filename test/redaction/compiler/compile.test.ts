import t from 'tap'
import { catalogAutomaton } from '../../../src/redaction/catalog.ts'
import { buildAlphabet } from '../../../src/redaction/compiler/alphabet.ts'
import { rangesSet } from '../../../src/redaction/compiler/char-set.ts'
import { compile } from '../../../src/redaction/compiler/compile.ts'
import { parseClass } from '../../../src/redaction/pattern.ts'
import type { Rule } from '../../../src/redaction/recognizer.ts'

const one = (rule: Rule) => compile([{ entity: 'X', rules: [rule], examples: { match: [], miss: [] } }])

t.test('a rule without a bound, or with a wrong one, is refused', async (t) => {
  for (const [rule, reason] of [
    [{ pattern: 'a{5}', lengthMax: 4 }, /X: the pattern is up to 5 long, more than its lengthMax of 4/],
    [{ pattern: 'a{5}', lengthMax: 513 }, /lengthMax must be within 1 and 512; .* sure point/],
    [{ pattern: 'a', lengthMax: 0 }, /lengthMax must be within/],
    [{ pattern: 'a', lengthMax: Number.NaN }, /lengthMax must be within/],
    [{ pattern: 'a*', lengthMax: 9 }, /matches the empty text/],
    [
      { pattern: '@b', lengthMax: 9, head: { first: 'a', rest: 'a', lengthMax: 9 } },
      /more than its lengthMax/,
    ],
    [
      { pattern: 'b+', lengthMax: 9, head: { first: 'a', rest: 'a', lengthMax: 9 } },
      /as long as the whole rule/,
    ],
    [
      { pattern: '@b', lengthMax: 9, head: { first: 'ac', rest: 'a', lengthMax: 4 } },
      /must be one of its rest/,
    ],
    [{ pattern: 'ab', lengthMax: 9, head: { first: 'a', rest: 'a', lengthMax: 4 } }, /not one of its rest/],
  ] as const) {
    t.throws(() => one(rule), reason)
  }
})

t.test('the automaton of all recognizers stays small', async (t) => {
  const automaton = catalogAutomaton()
  t.ok(automaton.flags.length < 3000, `${automaton.flags.length} states`)
  t.ok(automaton.table.byteLength < 512 * 1024)
  t.equal(automaton.table.length, automaton.flags.length << automaton.shift)
  t.equal(automaton, catalogAutomaton(), 'compiled once')
})

t.test('every state but the dead one can still come to a match', async (t) => {
  const { table, shift, flags } = catalogAutomaton()
  const ends = new Set(flags.keys().filter((state) => flags[state] !== 0))
  for (let grown = true; grown; ) {
    grown = false
    for (let state = 1; state < flags.length; state++) {
      const row = table.subarray(state << shift, (state + 1) << shift)
      if (ends.has(state) || !row.some((next) => ends.has(next))) continue
      ends.add(state)
      grown = true
    }
  }
  t.strictSame(
    [...flags.keys()].filter((state) => state !== 0 && !ends.has(state)),
    [],
  )
})

t.test('the alphabet tells apart what a set tells apart, and nothing else', async (t) => {
  const sets = [parseClass('a-z'), parseClass('a-f0-9'), parseClass('@')]
  const { classes, size, edge, classesOf } = buildAlphabet([...sets, rangesSet([97, 122])])
  t.equal(size, 6, 'a-f, g-z, 0-9, @, all others, and the edge')
  t.equal(edge, size - 1)
  for (const set of sets) {
    const inside = new Set(classesOf(set))
    t.ok(set.every((member, symbol) => (member === 1) === inside.has(classes[symbol] as number)))
  }
})
