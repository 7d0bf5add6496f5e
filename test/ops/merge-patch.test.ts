import fc from 'fast-check'
import t from 'tap'
import { mergePatch } from '../../src/ops/merge-patch.ts'

t.test('the examples of RFC 7396, appendix A', (t) => {
  const examples: [unknown, unknown, unknown][] = [
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [
      ['a', 'b'],
      ['c', 'd'],
      ['c', 'd'],
    ],
    [{ a: 'b' }, ['c'], ['c']],
    [{ a: 'foo' }, null, null],
    [{ a: 'foo' }, 'bar', 'bar'],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1, 2], { a: 'b', c: null }, { a: 'b' }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ]
  for (const [target, patch, merged] of examples)
    t.same(mergePatch(target, patch), merged, JSON.stringify([target, patch]))
  t.end()
})

t.test('changes neither value, reaches no prototype, and a second time changes nothing', (t) => {
  const json = fc.jsonValue({ maxDepth: 3 })
  fc.assert(
    fc.property(json, json, (target, patch) => {
      const [before, asked] = [JSON.stringify(target), JSON.stringify(patch)]
      const once = mergePatch(target, patch)
      const twice = mergePatch(once, patch)
      return (
        JSON.stringify(target) === before &&
        JSON.stringify(patch) === asked &&
        JSON.stringify(once) === JSON.stringify(twice)
      )
    }),
  )
  const merged = mergePatch({}, JSON.parse('{"__proto__":{"polluted":true}}'))
  t.equal(({} as { polluted?: boolean }).polluted, undefined)
  t.equal(Object.getPrototypeOf(merged), Object.prototype)
  t.end()
})
