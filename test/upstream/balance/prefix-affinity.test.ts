import fc from 'fast-check'
import t from 'tap'
import { PrefixAffinity } from '../../../src/upstream/balance/prefix-affinity.ts'

const origins = ['https://a:1', 'https://b:1', 'https://c:1', 'https://d:1']
const withServers = (names: readonly string[], prefixesMax = 1_000): PrefixAffinity => {
  const affinity = new PrefixAffinity({ prefixesMax })
  for (const name of names) affinity.joined(name)
  return affinity
}
const favorite = (affinity: PrefixAffinity, names: readonly string[], block: number): string =>
  names.reduce((a, b) => (affinity.weight(b, block) > affinity.weight(a, block) ? b : a))

t.test('1. what is remembered is bounded, whoever joins', (t) => {
  const step = fc.oneof(
    fc.record({ to: fc.nat(3), prefix: fc.array(fc.nat(500), { maxLength: 30 }) }),
    fc.record({ joins: fc.nat(3) }),
    fc.record({ leaves: fc.nat(3) }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const affinity = withServers(origins.slice(0, 1), 50)
      for (const step of steps) {
        if ('to' in step) affinity.sent(origins[step.to] as string, step.prefix)
        else if ('joins' in step) affinity.joined(origins[step.joins] as string)
        else affinity.left(origins[step.leaves] as string)
        if (affinity.size > 50) return false
      }
      return true
    }),
  )
  t.pass('checked by property')
  t.end()
})

t.test('2. a server has what it was sent, from the first block on', (t) => {
  const affinity = withServers(origins)
  affinity.sent('https://a:1', [1, 2, 3])
  t.equal(affinity.matched('https://a:1', [1, 2, 3, 4]), 3)
  t.equal(affinity.matched('https://a:1', [1, 2, 9]), 2)
  t.equal(affinity.matched('https://a:1', [2, 3]), 2)
  t.equal(affinity.matched('https://a:1', [9, 2, 3]), 0)
  t.equal(affinity.matched('https://b:1', [1, 2, 3]), 0)
  t.equal(affinity.matched('https://unknown:1', [1]), 0)
  affinity.sent('https://unknown:1', [1])
  t.equal(affinity.matched('https://unknown:1', [1]), 0)
  affinity.sent('https://a:1', [1, 2, 5])
  t.equal(affinity.timesSent('https://a:1', 2), 2)
  t.equal(affinity.timesSent('https://a:1', 3), 1)
  t.equal(affinity.timesSent('https://b:1', 1), 0)
  affinity.left('https://a:1')
  affinity.joined('https://a:1')
  t.equal(affinity.matched('https://a:1', [1]), 0, 'who comes back comes back empty')
  t.end()
})

t.test('2. the end of a prompt is forgotten before its beginning', (t) => {
  const affinity = withServers(['https://a:1'], 5)
  affinity.sent('https://a:1', [1, 2, 3, 4])
  affinity.sent('https://a:1', [11, 12, 13])
  t.equal(affinity.matched('https://a:1', [11, 12, 13]), 3)
  t.equal(affinity.matched('https://a:1', [1, 2, 3, 4]), 2)
  t.end()
})

t.test('3. who joins or leaves moves only its own favorites, and all have their part', (t) => {
  const affinity = withServers(origins)
  const three = origins.slice(0, 3)
  const counts = new Map<string, number>()
  let moved = 0
  for (let i = 0; i < 8_000; i++) {
    const block = i * 0x1_0000_0001 + 7
    const [before, after] = [favorite(affinity, three, block), favorite(affinity, origins, block)]
    if (before !== after && after !== origins[3]) moved++
    counts.set(after, (counts.get(after) ?? 0) + 1)
  }
  t.equal(moved, 0)
  t.ok(
    [...counts.values()].every((count) => count > 1_800 && count < 2_200),
    [...counts.values()].join(' '),
  )
  t.end()
})
