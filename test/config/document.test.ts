import t from 'tap'
import { readDocument } from '../../src/config/document.ts'

t.test('values and the places of their keys', async (t) => {
  const { value, faults, place } = readDocument('a: 1\nb:\n  - x\n  - c: {d: 2}\n"e f": &n [1]\ng: *n\n')
  t.same(faults, [])
  t.same(value, { a: 1, b: ['x', { c: { d: 2 } }], 'e f': [1], g: [1] })
  t.same(place([]), { line: 1, column: 1 })
  t.same(place(['b']), { line: 2, column: 1 })
  t.same(place(['b', 0]), { line: 3, column: 5 })
  t.same(place(['b', 1, 'c', 'd']), { line: 4, column: 9 })
  t.same(place(['e f', 0]), { line: 5, column: 12 })
  t.same(place(['g', 0]), { line: 5, column: 12 }, 'through an alias')
  t.same(place(['b', 1, 'c', 'missing']), { line: 4, column: 5 }, 'nearest above')
  t.same(place(['nothing']), { line: 1, column: 1 })
})

t.test('YAML 1.2 core: no surprises of 1.1', async (t) => {
  t.same(readDocument('a: no\nb: on\nc: 0o17\nd: 017\ne: 1_000\n').value, {
    a: 'no',
    b: 'on',
    c: 15,
    d: 17,
    e: '1_000',
  })
  t.same(readDocument('<<: {a: 1}\n').value, { '<<': { a: 1 } }, 'no merge keys')
})

t.test('what is refused', async (t) => {
  const bomb = `${Array.from({ length: 12 }, (_, i) => `a${i}: &a${i} [${i ? `*a${i - 1}, `.repeat(9) : ''}x]`).join('\n')}\n`
  const refused: Record<string, [string, RegExp, number]> = {
    'duplicate key': ['a: 1\nb: 2\na: 3\n', /unique/, 3],
    'custom tag': ['a: 1\nb: !include /etc/passwd\n', /tag/, 2],
    'tag of another language': ['a: !!js/function "x"\n', /tag/, 1],
    'tag of YAML 1.1': ['a: !!binary aGk=\n', /tag/, 1],
    'another version': ['%YAML 1.1\n---\na: no\n', /YAML 1.2/, 1],
    'alias explosion': [bomb, /aliases/, 1],
    'alias to nothing': ['a: *b\n', /alias/i, 1],
    'two documents': ['a: 1\n---\nb: 2\n', /document/, 2],
    'key that is a list': ['? [a]\n: 1\n', /key/i, 1],
    'nested too deeply': [`a: ${'['.repeat(20_000)}`, /nested too deeply/, 1],
    'broken flow': ['a: [1, 2\nb: 3\n', /./, 2],
  }
  for (const [name, [text, message, line]] of Object.entries(refused)) {
    const { value, faults } = readDocument(text)
    t.equal(value, undefined, name)
    t.match(faults[0]?.message, message, name)
    t.equal(faults[0]?.line, line, name)
  }
})

t.test('a key named __proto__ is data', async (t) => {
  const { value } = readDocument('__proto__: {polluted: true}\n')
  t.ok(Object.hasOwn(value as object, '__proto__'))
  t.equal(({} as { polluted?: boolean }).polluted, undefined)
})
