import assert from 'node:assert/strict'

import fc from 'fast-check'
import t from 'tap'

import { canonical } from '../../src/audit/canonical.ts'
import type { AuditValue } from '../../src/audit/record.ts'

const value = (json: string): AuditValue => JSON.parse(json) as AuditValue

t.test('RFC 8785 §3.2.2: literals, numbers and strings of the sample object', async (t) => {
  const input = String.raw`{
    "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
    "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
    "literals": [null, true, false]
  }`
  // §3.2.4 gives the result byte by byte.
  const bytes = `
    7b 22 6c 69 74 65 72 61 6c 73 22 3a 5b 6e 75 6c 6c 2c 74 72
    75 65 2c 66 61 6c 73 65 5d 2c 22 6e 75 6d 62 65 72 73 22 3a
    5b 33 33 33 33 33 33 33 33 33 2e 33 33 33 33 33 33 33 2c 31
    65 2b 33 30 2c 34 2e 35 2c 30 2e 30 30 32 2c 31 65 2d 32 37
    5d 2c 22 73 74 72 69 6e 67 22 3a 22 e2 82 ac 24 5c 75 30 30
    30 66 5c 6e 41 27 42 5c 22 5c 5c 5c 5c 5c 22 2f 22 7d`
  t.equal(Buffer.from(canonical(value(input))).toString('hex'), bytes.replaceAll(/\s/g, ''))
})

t.test('RFC 8785 §3.2.3: members sorted by UTF-16 code unit', async (t) => {
  const input = String.raw`{
    "\u20ac": "Euro Sign", "\r": "Carriage Return", "\ufb33": "Hebrew Letter Dalet With Dagesh", "1": "One",
    "\ud83d\ude00": "Emoji: Grinning Face", "\u0080": "Control",
    "\u00f6": "Latin Small Letter O With Diaeresis"
  }`
  const order = Object.values(JSON.parse(canonical(value(input))) as object)
  // JSON.parse moves "1" to the front, so compare positions in the text.
  const text = canonical(value(input))
  const expected = [
    'Carriage Return',
    'One',
    'Control',
    'Latin Small Letter O With Diaeresis',
    'Euro Sign',
    'Emoji: Grinning Face',
    'Hebrew Letter Dalet With Dagesh',
  ]
  t.equal(order.length, expected.length)
  t.same(
    expected.toSorted((a, b) => text.indexOf(a) - text.indexOf(b)),
    expected,
  )
})

// RFC 8785 Appendix B: IEEE 754 bits and their JSON form.
const numbers: readonly (readonly [bits: string, text: string])[] = [
  ['0000000000000000', '0'],
  ['0000000000000001', '5e-324'],
  ['8000000000000001', '-5e-324'],
  ['7fefffffffffffff', '1.7976931348623157e+308'],
  ['ffefffffffffffff', '-1.7976931348623157e+308'],
  ['4340000000000000', '9007199254740992'],
  ['c340000000000000', '-9007199254740992'],
  ['4430000000000000', '295147905179352830000'],
  ['44b52d02c7e14af5', '9.999999999999997e+22'],
  ['44b52d02c7e14af6', '1e+23'],
  ['44b52d02c7e14af7', '1.0000000000000001e+23'],
  ['444b1ae4d6e2ef4e', '999999999999999700000'],
  ['444b1ae4d6e2ef4f', '999999999999999900000'],
  ['444b1ae4d6e2ef50', '1e+21'],
  ['3eb0c6f7a0b5ed8c', '9.999999999999997e-7'],
  ['3eb0c6f7a0b5ed8d', '0.000001'],
  ['41b3de4355555553', '333333333.3333332'],
  ['41b3de4355555554', '333333333.33333325'],
  ['41b3de4355555555', '333333333.3333333'],
  ['41b3de4355555556', '333333333.3333334'],
  ['41b3de4355555557', '333333333.33333343'],
  ['becbf647612f3696', '-0.0000033333333333333333'],
  ['43143ff3c1cb0959', '1424953923781206.2'],
]

const double = (bits: string): number => Buffer.from(bits, 'hex').readDoubleBE()

t.test('RFC 8785 Appendix B: number samples', async (t) => {
  for (const [bits, text] of numbers) t.equal(canonical(double(bits)), text, bits)
})

t.test('what has no canonical form is refused', async (t) => {
  const cycle: { self?: AuditValue } = {}
  cycle.self = cycle as AuditValue
  const refused: readonly (readonly [string, unknown])[] = [
    ['NaN', double('7fffffffffffffff')],
    ['Infinity', double('7ff0000000000000')],
    ['minus zero', double('8000000000000000')],
    ['a lone surrogate', 'a\ud800'],
    ['a lone surrogate in a key', { '\udc00': 1 }],
    ['a bigint', 1n],
    ['a function', () => 1],
    ['undefined in an array', [undefined]],
    ['a cycle', cycle],
  ]
  for (const [name, input] of refused) t.throws(() => canonical(input as AuditValue), TypeError, name)
})

t.test('members that are undefined are left out, __proto__ is a name like any other', async (t) => {
  t.equal(canonical({ b: undefined, a: 1 }), '{"a":1}')
  t.equal(canonical(value('{"__proto__":{"x":1},"a":2}')), '{"__proto__":{"x":1},"a":2}')
})

t.test('any JSON value: the form parses back to the value and is a fixed point, on one line', async (t) => {
  const json = fc.jsonValue({ maxDepth: 4 }).map((input) => JSON.parse(JSON.stringify(input)) as AuditValue)
  const property = fc.property(json, (input) => {
    const text = canonical(input)
    assert.equal(canonical(value(text)), text)
    assert.deepEqual(value(text), input)
    assert.doesNotMatch(text, /[\n\r]/)
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 50 }))
})
