import t from 'tap'
import { catalogMachine, catalogStats, families } from '../../../src/redaction/catalog.ts'
import { buildAlphabet } from '../../../src/redaction/compiler/alphabet.ts'
import { rangesSet } from '../../../src/redaction/compiler/char-set.ts'
import { compile } from '../../../src/redaction/compiler/compile.ts'
import { parseClass } from '../../../src/redaction/pattern.ts'
import type { Recognizer, Rule } from '../../../src/redaction/recognizer.ts'

const recognizer = (rule: Rule): Recognizer => ({
  id: 'x',
  entity: 'X',
  category: 'secret',
  tier: 1,
  family: 'text',
  rules: [rule],
  examples: { match: [], miss: [] },
})
const one = (rule: Rule) => compile('text', [recognizer(rule)])

t.test('a rule without a bound, or with a wrong one, is refused', async (t) => {
  for (const [rule, reason] of [
    [{ pattern: 'a{5}', lengthMax: 4 }, /x: the pattern is at least 5 long, more than its lengthMax of 4/],
    [{ pattern: 'a', lengthMax: 1, left: { not: 'c', ['only']: 'b' } }, /either `only`, `not` or `none`/],
    [{ pattern: 'a{5}', lengthMax: 513 }, /lengthMax must be within 1 and 512; .* sure point/],
    [{ pattern: 'a', lengthMax: 0 }, /lengthMax must be within/],
    [{ pattern: 'a', lengthMax: Number.NaN }, /lengthMax must be within/],
    [{ pattern: 'a*', lengthMax: 9 }, /matches the empty text/],
    [
      { pattern: '@b', lengthMax: 300, head: { first: 'a', rest: 'a', lengthMax: 200 } },
      /a head may have 128 code units/,
    ],
    [
      { pattern: 'b+', lengthMax: 9, head: { first: 'a', rest: 'a', lengthMax: 9 } },
      /as long as the whole rule/,
    ],
    [
      { pattern: '@b', lengthMax: 9, head: { first: 'ac', rest: 'a', lengthMax: 4 } },
      /must be one of its rest/,
    ],
  ] as const) {
    t.throws(() => one(rule), reason)
  }
})

t.test('the machines of all recognizers stay small', async (t) => {
  for (const { family, states, classes, bytes } of catalogStats()) {
    t.ok(states <= 6000, `${family}: ${states} states`)
    t.ok(classes <= 128, `${family}: ${classes} classes`)
    t.ok(bytes <= 2 ** 21, `${family}: ${bytes} bytes`)
  }
  t.equal(catalogMachine('text'), catalogMachine('text'), 'compiled once')
})

t.test('every state but the dead one can still come to a match', async (t) => {
  for (const { family, table, shift, flags } of families.map(catalogMachine)) {
    const before = sources(table, shift, flags.length)
    const ends = new Set(flags.keys().filter((state) => flags[state] !== 0))
    for (const state of ends) for (const source of before[state] ?? []) ends.add(source)
    const dead = [...flags.keys()].filter((state) => state !== 0 && !ends.has(state))
    t.strictSame(dead, [], family)
  }
})

/** The states that lead to each state. */
function sources(table: Uint16Array, shift: number, states: number): Set<number>[] {
  const before = Array.from({ length: states }, () => new Set<number>())
  for (const [at, next] of table.entries()) if (next !== 0) before[next]?.add(at >> shift)
  return before
}

t.test('counts stand outside the states: a run of a hundred costs what a run of ten costs', async (t) => {
  const states = (count: number): number =>
    one({ pattern: `ab[a-z0-9]{${count}}`, lengthMax: 200 }).flags.length
  t.equal(states(100), states(10))
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
