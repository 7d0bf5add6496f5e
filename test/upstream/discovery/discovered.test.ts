import fc from 'fast-check'
import t from 'tap'
import {
  changeBetween,
  type DiscoveredEndpoint,
  orderedSet,
} from '../../../src/upstream/discovery/discovered.ts'

const endpoint = fc.record({
  origin: fc.integer({ min: 1, max: 12 }).map((host) => `https://10.0.0.${host}:8000`),
  serverName: fc.constantFrom('vllm.test', undefined),
  priority: fc.integer({ min: 0, max: 2 }),
  weight: fc.integer({ min: 0, max: 3 }),
})
const endpoints = fc.array(endpoint, { maxLength: 20 })
const origins = (list: readonly DiscoveredEndpoint[]): string[] => list.map(({ origin }) => origin)

t.test('one endpoint for each origin, the most preferred, cut at the bound', (t) => {
  fc.assert(
    fc.property(endpoints, fc.integer({ min: 1, max: 8 }), (found, endpointsMax) => {
      const set = orderedSet(found, endpointsMax)
      const distinct = new Set(origins(found)).size
      t.equal(set.endpoints.length, Math.min(distinct, endpointsMax))
      t.equal(set.cut, distinct - set.endpoints.length)
      t.equal(new Set(origins(set.endpoints)).size, set.endpoints.length)
      for (const { origin, priority } of set.endpoints) {
        const best = Math.min(
          ...found.filter((other) => other.origin === origin).map((other) => other.priority),
        )
        t.equal(priority, best)
      }
    }),
    { numRuns: 200 },
  )
  t.end()
})

t.test('the order of the records does not matter', (t) => {
  const unique = fc.uniqueArray(endpoint, { selector: ({ origin }) => origin })
  const shuffled = unique.chain((list) =>
    fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })),
  )
  fc.assert(
    fc.property(shuffled, ([list, other]) => {
      t.same(orderedSet(other, 5), orderedSet(list, 5))
    }),
    { numRuns: 200 },
  )
  t.end()
})

t.test('changes lead from one set to the other', (t) => {
  fc.assert(
    fc.property(endpoints, endpoints, (first, second) => {
      const before = orderedSet(first, 64).endpoints
      const after = orderedSet(second, 64).endpoints
      const change = changeBetween(before, after)
      const members = new Map(before.map((member) => [member.origin, member]))
      for (const { origin } of change?.removed ?? []) t.ok(members.delete(origin))
      for (const added of change?.added ?? []) {
        t.notOk(members.has(added.origin))
        members.set(added.origin, added)
      }
      for (const altered of change?.altered ?? []) {
        t.ok(members.has(altered.origin))
        members.set(altered.origin, altered)
      }
      t.same(orderedSet([...members.values()], 64).endpoints, after)
      t.equal(changeBetween(after, after), undefined)
    }),
    { numRuns: 200 },
  )
  t.end()
})
