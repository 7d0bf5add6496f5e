import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { type JsonBounds, jsonBounds, parseStrictJson } from '../../src/openai/strict-json.ts'
import { Refusal } from '../../src/refusal.ts'

const suite = join(import.meta.dirname, '../vectors/jsontestsuite/test_parsing')
const bytesOf = (text: string): Buffer => Buffer.from(text)
const read = (text: string, bounds: Partial<JsonBounds> = {}) =>
  parseStrictJson(bytesOf(text), { ...jsonBounds, ...bounds })

function refusalOf(act: () => unknown): { code: string; detail: string } {
  try {
    act()
  } catch (error) {
    if (error instanceof Refusal) return error
    throw error
  }
  return { code: 'accepted', detail: '' }
}

const codeOf = (text: string, bounds: Partial<JsonBounds> = {}): string =>
  refusalOf(() => read(text, bounds)).code

/** Valid JSON by the RFC that we refuse on purpose: parsers disagree on which duplicate wins. */
const deliberate = new Set(['y_object_duplicated_key.json', 'y_object_duplicated_key_and_value.json'])
/** Left open by the RFC, and read by us: the double that every parser gets is what is sent on. */
const openAndTaken = new Set(['i_number_double_huge_neg_exp.json', 'i_number_real_underflow.json'])

t.test('JSONTestSuite', (t) => {
  const files = readdirSync(suite).sort()
  t.equal(files.length, 318)
  for (const file of files) {
    const bytes = readFileSync(join(suite, file))
    const { code } = refusalOf(() => parseStrictJson(bytes))
    const taken = file.startsWith('y_') ? !deliberate.has(file) : openAndTaken.has(file)
    if (taken) {
      t.equal(code, 'accepted', file)
      t.same(parseStrictJson(bytes), JSON.parse(bytes.toString()), `${file} reads as in JSON.parse`)
    } else t.match(code, /^(invalid_json|json_too_complex)$/, file)
  }
  t.end()
})

/** A property as one assertion: fast-check throws with the smallest counterexample. */
const holds = (t: Test, property: fc.IRawProperty<unknown>, numRuns: number): unknown =>
  t.doesNotThrow(() => fc.assert(property, { numRuns }))

t.test('reads what JSON.stringify writes', (t) => {
  const doubles = fc
    .double({ noNaN: true, noDefaultInfinity: true })
    .filter((value) => !/^-?\d+$/.test(String(value)) || Number.isSafeInteger(value))
  const leaf = fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.boolean(),
    fc.constant(null),
    fc.maxSafeInteger(),
    doubles,
  )
  const key = fc.string({ unit: 'grapheme' }).filter((name) => name !== '__proto__' && name !== 'constructor')
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof({ depthSize: 'small' }, leaf, fc.array(tie('tree')), fc.dictionary(key, tie('tree'))),
  }))
  const property = fc.property(tree, fc.constantFrom(undefined, 1, '\t'), (value, space) => {
    const text = JSON.stringify(value, null, space)
    assert.deepEqual(read(text), JSON.parse(text))
  })
  holds(t, property, 150)
  t.end()
})

t.test('takes no text that JSON.parse refuses, and reads the rest alike', (t) => {
  const pieces = [
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"a"',
    '"b"',
    '""',
    '1',
    '-',
    '0',
    '.5',
    'e1',
    'true',
    'null',
    ' ',
    '\\',
    '"',
    '\\u00e9',
  ]
  const property = fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 9 }), (parts) => {
    const text = parts.join('')
    if (codeOf(text) === 'accepted') assert.deepEqual(read(text), JSON.parse(text))
  })
  holds(t, property, 800)
  t.end()
})

t.test('one reading only', (t) => {
  const refused = {
    'duplicate key': '{"model":"allowed","model":"forbidden"}',
    'duplicate key in depth': '[{"a":{"b":1,"c":2,"b":3}}]',
    'duplicate key by escape': '{"model":1,"mod\\u0065l":2}',
    'duplicate empty key': '{"":1,"":2}',
    __proto__: '{"__proto__":{"admin":true}}',
    '__proto__ by escape': '{"\\u005f_proto__":1}',
    'constructor.prototype': '{"constructor":{"prototype":{"admin":true}}}',
    'high surrogate alone': '"\\ud83d"',
    'high surrogate and a letter': '"\\ud83dx"',
    'low surrogate alone': '"\\ude00"',
    'surrogates in reverse': '"\\ude00\\ud83d"',
    'lone surrogate in a key': '{"\\ud800":1}',
    overflow: '1e400',
    'integer beyond 2^53': '9007199254740993',
    'negative integer beyond 2^53': '-9007199254740993',
    'integer with an exponent, beyond 2^53': '1e20',
    'byte order mark': '\ufeff{}',
    'trailing text': '{} {}',
    'trailing comma': '[1,]',
    'control character': '"a\nb"',
    'NUL after the value': '1\u0000',
    'no value': '',
    'space of Unicode': '\u00a01',
    'form feed': '\f1',
    NaN: 'NaN',
    'single quotes': "{'a':1}",
    comment: '{}//',
    'leading zero': '01',
    'plus sign': '+1',
    'hex escape': '"\\x41"',
    'unfinished string': '"abc',
    'unfinished escape': '"abc\\',
    'unfinished \\u': '"\\u12',
    'bad hex': '"\\u12g4"',
    'unfinished word': 'tru',
  }
  for (const [name, text] of Object.entries(refused)) t.equal(codeOf(text), 'invalid_json', name)
  t.equal(
    refusalOf(() => parseStrictJson(Uint8Array.of(0x22, 0xed, 0xa0, 0x80, 0x22))).code,
    'invalid_json',
    'raw surrogate',
  )
  t.equal(
    refusalOf(() => parseStrictJson(Uint8Array.of(0x22, 0xc0, 0xaf, 0x22))).code,
    'invalid_json',
    'overlong form',
  )
  t.end()
})

t.test('keys that only look dangerous', (t) => {
  t.same(Object.keys(read('{"constructor":{"type":"string"},"toString":1,"hasOwnProperty":2}') as object), [
    'constructor',
    'toString',
    'hasOwnProperty',
  ])
  t.same(read('{"prototype":1}'), { prototype: 1 })
  t.same(read('"\\ud83d\\ude00 \\u0000"'), '😀 \u0000')
  t.same(read('[1e22,1.5e308,20e1]'), [1e22, 1.5e308, 200])
  t.same(read('9007199254740991'), Number.MAX_SAFE_INTEGER)
  t.end()
})

t.test('the detail is an offset in bytes and never the text', (t) => {
  t.equal(refusalOf(() => read('{"é":1,"é":2}')).detail, 'duplicate key at byte 12')
  t.equal(refusalOf(() => read('["secret" "b"]')).detail, 'no comma or closing bracket at byte 10')
  for (const text of ['{"secret"}', '["secret', '{"a":"secret","a":1}', 'secret', '1secret', '"secret\\q"']) {
    const { code, detail } = refusalOf(() => read(text))
    t.equal(code, 'invalid_json')
    t.notMatch(detail, /secret/, text)
  }
  t.end()
})

t.test('bounds', (t) => {
  const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth)
  t.equal(codeOf(nested(64)), 'accepted')
  t.equal(codeOf(nested(65)), 'json_too_complex')
  t.equal(codeOf('[{"a":[{}]}]', { depthMax: 3 }), 'json_too_complex')
  t.equal(codeOf('[[],[],[]]', { depthMax: 2 }), 'accepted', 'depth is not a count')
  t.equal(codeOf('{"a":1,"b":{"c":2}}', { keysMax: 3 }), 'accepted')
  t.equal(codeOf('{"a":1,"b":{"c":2}}', { keysMax: 2 }), 'json_too_complex')
  t.equal(codeOf('[1,2,3]', { valuesMax: 4 }), 'accepted')
  t.equal(codeOf('[1,2,3]', { valuesMax: 3 }), 'json_too_complex')
  t.equal(codeOf('"abc"', { stringLengthMax: 3 }), 'accepted')
  t.equal(codeOf('"abcd"', { stringLengthMax: 3 }), 'json_too_complex')
  t.equal(codeOf('{"abcd":1}', { keyLengthMax: 3 }), 'json_too_complex')
  t.equal(codeOf('0.1234', { numberLengthMax: 6 }), 'accepted')
  t.equal(codeOf('0.12345', { numberLengthMax: 6 }), 'json_too_complex')
  t.end()
})

t.test('hostile sizes stop at the first violation', (t) => {
  t.match(refusalOf(() => read('['.repeat(400_000))).detail, /at byte 64$/)
  t.match(refusalOf(() => read('{"a":'.repeat(400_000))).code, 'json_too_complex')
  const keys = Array.from({ length: 60_000 }, (_, index) => `"k${index}":0`).join(',')
  t.equal(codeOf(`{${keys}}`), 'json_too_complex')
  t.equal(codeOf(`[${'0,'.repeat(60_000)}0]`), 'json_too_complex')
  t.equal(codeOf('1'.repeat(100_000)), 'json_too_complex')
  t.equal(codeOf(`"${'\\'.repeat(100_001)}`), 'invalid_json')
  t.end()
})
