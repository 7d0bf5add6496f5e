import fc from 'fast-check'
import t from 'tap'
import { NotStrictJson, parseStrictJson } from '../../src/identity/strict-json.ts'

const bounds = { bytesMax: 1000, depthMax: 4 }
const parse = (text: string | Uint8Array) => parseStrictJson(Buffer.from(text), bounds)

t.test('reads JSON as JSON.parse does', async (t) => {
  for (const text of [
    '{}',
    '[]',
    'null',
    '"x"',
    ' {"a" : [1, {"b":"\\"}{"}]} ',
    '{"a":{"x":1},"b":{"x":2}}',
    '1e400',
  ]) {
    t.same(parse(text), JSON.parse(text), text)
  }
})

t.test('refuses what two parsers could read differently', async (t) => {
  const refused = [
    '{"sub":"a","sub":"admin"}',
    '{"sub":"a","s\\u0075b":"admin"}',
    '{"x":{"a":1,"b":2,"a" \n:3}}',
    '[{"a":1,"a":1}]',
    '{"__proto__":{"scope":"admin"}}',
    '{"\\u005f_proto__":1}',
    '\ufeff{}',
    '{"a":1}x',
    "{'a':1}",
    '{"a":1,}',
    '',
    'NaN',
    '[[[[[1]]]]]',
    ' '.repeat(1001),
  ]
  for (const text of refused) t.throws(() => parse(text), NotStrictJson, JSON.stringify(text))
  t.throws(() => parse(Buffer.from([0x22, 0xff, 0x22])), NotStrictJson, 'not UTF-8')
})

t.test('the error quotes nothing', async (t) => {
  t.throws(() => parse('{"secret":1,"secret":2}'), { message: 'not strict JSON' })
})

t.test('property: any JSON object passes, and the same with any member twice does not', async (t) => {
  const object = fc.dictionary(
    fc.string().filter((name) => name !== '__proto__'),
    fc.oneof(fc.string(), fc.integer(), fc.constant(null), fc.array(fc.string(), { maxLength: 2 })),
    { minKeys: 1, maxKeys: 6 },
  )
  const wide = { bytesMax: 100_000, depthMax: 4 }
  const run = () =>
    fc.assert(
      fc.property(object, fc.nat(), (value, nth) => {
        const text = JSON.stringify(value)
        const names = Object.keys(value)
        const twice = `${text.slice(0, -1)},${JSON.stringify(names[nth % names.length])}:0}`
        const read = JSON.stringify(parseStrictJson(Buffer.from(text), wide))
        try {
          parseStrictJson(Buffer.from(twice), wide)
          return false
        } catch (error) {
          return read === text && error instanceof NotStrictJson
        }
      }),
      { numRuns: 200 },
    )
  t.doesNotThrow(run)
})
