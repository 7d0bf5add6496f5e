import fc from 'fast-check'
import t from 'tap'
import { canonicalJson, versionHash } from '../../src/config/canonical.ts'

t.test('sorted keys, no white space', async (t) => {
  t.equal(
    canonicalJson({ b: [1, 'x"', null], a: { d: true, c: undefined } }),
    '{"a":{"d":true},"b":[1,"x\\"",null]}',
  )
  t.match(versionHash({ a: 1 }), /^[0-9a-f]{16}$/)
  t.equal(versionHash({}), '44136fa355b3678a', 'SHA-256 of {}')
})

t.test('property: the order of keys does not matter, every value does', async (t) => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
      const reversed = Object.fromEntries(Object.entries(value).reverse())
      return (
        versionHash(reversed) === versionHash(value) &&
        versionHash({ ...value, added: 1, more: {} }) !== versionHash({ ...value, added: 2, more: {} })
      )
    }),
    { numRuns: 100 },
  )
  t.pass()
})
