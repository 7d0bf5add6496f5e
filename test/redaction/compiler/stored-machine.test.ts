import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { Machine } from '../../../src/redaction/automaton.ts'
import { compile } from '../../../src/redaction/compiler/compile.ts'
import { storedMachine } from '../../../src/redaction/compiler/stored-machine.ts'
import type { Guard, Recognizer, Rule } from '../../../src/redaction/recognizer.ts'

const recognizer = (id: string, rules: readonly Rule[]): Recognizer => ({
  id,
  entity: id.toUpperCase(),
  category: 'secret',
  tier: 1,
  family: 'text',
  rules,
  examples: { match: [], miss: [] },
})
const guard: Guard = (text, start) => text.charCodeAt(start - 1) === 58
const other: Guard = (text, start) => text.charCodeAt(start - 1) === 59
const recognizers = (second: Guard = guard, pattern = '[a-f]{6,40}'): Recognizer[] => [
  recognizer('a', [
    { pattern, lengthMax: 40, left: { not: 'a-z' }, right: { not: 'a-z' }, guard, validate: () => true },
    { pattern: 'x[0-9]{2}', lengthMax: 3, guard: second, score: 0.2, context: ['number'] },
  ]),
  recognizer('b', [
    { pattern: '@[a-z]{3}', lengthMax: 60, head: { first: 'a-z', rest: 'a-z.', lengthMax: 20 } },
    { pattern: 'k[0-9]{8}', lengthMax: 9, ignoreCase: true, sure: { kind: 'run', members: '0-9' } },
  ]),
]

/** What a machine is, the time aside that it took; functions and objects of rules are compared by identity. */
const partsOf = ({ buildMs: _, ...machine }: Machine) => machine
const same = (t: Test, found: Machine, wanted: Machine): void => {
  t.strictSame(partsOf(found), partsOf(wanted))
  for (const [index, { guard, head }] of found.launches.entries()) {
    t.equal(guard, wanted.launches[index]?.guard)
    t.strictSame(head, wanted.launches[index]?.head)
  }
  for (const [index, rule] of found.rules.entries()) t.equal(rule.recognizer, wanted.rules[index]?.recognizer)
}
const keptIn = (folder: string): string[] => readdirSync(folder).toSorted()

t.test('what is read is what would be compiled', async (t) => {
  const folder = join(t.testdir({}), 'machines')
  const rules = recognizers()
  const made = storedMachine(folder, 'text', rules)
  same(t, made, compile('text', rules))
  const [name = ''] = keptIn(folder)
  const bytes = readFileSync(join(folder, name))
  const read = storedMachine(folder, 'text', rules)
  same(t, read, made)
  t.equal(read.buildMs, made.buildMs, 'it was not compiled again')
  t.strictSame(readFileSync(join(folder, name)), bytes)
})

t.test('invariant 1: other rules, other guards and another family are other machines', async (t) => {
  const folder = t.testdir({})
  storedMachine(folder, 'text', recognizers())
  for (const [rules, count] of [
    [recognizers(guard, '[a-f]{7,40}'), 2],
    [recognizers(other), 3],
  ] as const) {
    same(t, storedMachine(folder, 'text', rules), compile('text', rules))
    t.equal(keptIn(folder).length, count)
  }
  t.equal(storedMachine(folder, 'shape', recognizers()).rules.length, 0)
  t.equal(keptIn(folder).length, 4)
})

t.test('invariant 2: bytes that were changed, cut or left empty are not used', async (t) => {
  const folder = t.testdir({})
  const rules = recognizers()
  const wanted = storedMachine(folder, 'text', rules)
  const path = join(folder, keptIn(folder)[0] ?? '')
  const bytes = readFileSync(path)
  const places = [0, 31, 32, 200, bytes.length - 1]
  const flipped = places.map((place) =>
    Buffer.from(bytes.map((byte, at) => (at === place ? byte ^ 1 : byte))),
  )
  for (const broken of [...flipped, bytes.subarray(0, -1), bytes.subarray(0, 32), Buffer.alloc(0)]) {
    writeFileSync(path, broken)
    same(t, storedMachine(folder, 'text', rules), wanted)
    t.notSame(readFileSync(path), broken, 'it is written anew')
  }
})

t.test('where nothing can be written, it is compiled', async (t) => {
  const file = join(t.testdir({ file: '' }), 'file')
  const rules = recognizers()
  same(t, storedMachine(file, 'text', rules), compile('text', rules))
})

t.test('what is kept is bounded', async (t) => {
  const folder = t.testdir({})
  for (let length = 10; length < 30; length++)
    storedMachine(folder, 'text', recognizers(guard, `[a-f]{${length}}`))
  t.equal(keptIn(folder).length, 8)
})
