import { assert, double, integer, property } from 'fast-check'
import t from 'tap'
import type { EndpointPool } from '../../src/upstream/pool.ts'
import { legsFor, type WeightedLeg } from '../../src/upstream/routes.ts'

const legOf = (name: string, weight = 1, order = 1): WeightedLeg => ({
  pool: { name } as EndpointPool,
  upstreamModel: name,
  weight,
  order,
})
const namesFor = (legs: readonly WeightedLeg[], key: string): string[] =>
  legsFor({ legs, model: 'demo' }, key).map(({ upstreamModel }) => upstreamModel)
const keys = Array.from({ length: 4_000 }, (_, index) => `tenant-${index}`)
const shareOf = (legs: readonly WeightedLeg[], name: string): number =>
  keys.filter((key) => namesFor(legs, key)[0] === name).length / keys.length

t.test('by order, each leg once, always the same for the same key', (t) => {
  const legs = [legOf('cpu', 1, 2), legOf('gpu', 9), legOf('canary', 1), legOf('last', 1, 3)]
  for (const key of keys.slice(0, 50)) {
    const names = namesFor(legs, key)
    t.same(names.slice(0, 2).sort(), ['canary', 'gpu'])
    t.same(names.slice(2), ['cpu', 'last'])
    t.same(namesFor(legs, key), names)
  }
  t.end()
})

t.test('the first leg has its part of the keys; without weight it has none, and is tried last', (t) => {
  assert(
    property(integer({ min: 1, max: 99 }), (percent) => {
      const legs = [legOf('gpu', 100 - percent), legOf('canary', percent), legOf('off', 0)]
      const share = shareOf(legs, 'canary')
      return Math.abs(share - percent / 100) < 0.04 && keys.every((key) => namesFor(legs, key)[2] === 'off')
    }),
    { numRuns: 10 },
  )
  t.pass('within 4 points')
  t.end()
})

t.test('a weight that grows takes keys from the others and moves none between them', (t) => {
  assert(
    property(double({ min: 0.1, max: 5, noNaN: true }), (weight) => {
      const before = [legOf('a'), legOf('b'), legOf('c', weight)]
      const after = [legOf('a'), legOf('b'), legOf('c', weight * 2)]
      return keys.slice(0, 500).every((key) => {
        const [was, is] = [namesFor(before, key)[0], namesFor(after, key)[0]]
        return was === is || is === 'c'
      })
    }),
    { numRuns: 20 },
  )
  t.pass('no other key moved')
  t.end()
})
