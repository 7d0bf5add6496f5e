import fc from 'fast-check'
import t from 'tap'
import { KnownNames, nameKinds, namesMax, other } from '../../src/telemetry/known-names.ts'

t.test('names that were not learned fold, and a kind never holds more than its bound (property)', (t) => {
  const rounds = fc.array(fc.tuple(fc.constantFrom(...nameKinds), fc.array(fc.string(), { maxLength: 90 })), {
    maxLength: 8,
  })
  fc.assert(
    fc.property(rounds, fc.string(), (learned, stranger) => {
      const names = new KnownNames()
      const given = new Map(nameKinds.map((kind) => [kind, new Set<string>()]))
      for (const [kind, list] of learned) {
        names.learn(kind, list)
        for (const name of list) given.get(kind)?.add(name)
      }
      for (const kind of nameKinds) {
        t.ok(names.size(kind) <= namesMax)
        const folded = names.fold(kind, stranger)
        t.ok(folded === other || given.get(kind)?.has(stranger))
      }
    }),
    { numRuns: 60 },
  )
  t.end()
})

t.test('the names beyond the bound are reported and fold; those before stay', (t) => {
  const names = new KnownNames()
  t.equal(
    names.learn(
      'model',
      Array.from({ length: namesMax + 7 }, (_, index) => `m${index}`),
    ),
    7,
  )
  t.equal(names.fold('model', 'm0'), 'm0')
  t.equal(names.fold('model', `m${namesMax}`), other)
  t.equal(names.learn('model', ['m0']), 0, 'known already')
  t.equal(names.learn('pool', ['p'.repeat(1000), other]), 2, 'too long, and the fold itself')
  for (const odd of [undefined, 5, null, {}, '__proto__', 'constructor'])
    t.equal(names.fold('model', odd), other)
  t.end()
})
