// The simulations of `npm run bench:balance`, short: they are deterministic, so what they find is the same everywhere.
import t from 'tap'
import { mooncakeArrivals } from '../../../scripts/balance/mooncake-trace.ts'
import { prefixTrace } from '../../../scripts/balance/prefix-trace.ts'
import { besideOracle, unevenPool } from '../../../scripts/balance/uneven-pool.ts'

t.test('one of four servers is four times slower', (t) => {
  const pool = { slowness: [4, 1, 1, 1], utilization: 0.75, calls: 2_000, seeds: [5] }
  const rows = unevenPool({ ...pool, gateways: 1 })
  t.ok(besideOracle(rows, 'sallyport') <= 1.3, `beside the oracle: ${besideOracle(rows, 'sallyport')}`)
  t.ok(besideOracle(rows, 'least requests') > 1.8)
  t.ok(besideOracle(rows, 'round robin') > 10)
  const slow = rows.find(({ policy }) => policy === 'sallyport')?.slowShare ?? 1
  t.ok(slow > 0.02 && slow < 0.12, `a quarter of the work of each of the others is 0.077, and it had ${slow}`)
  t.end()
})

t.test('conversations find their prefixes, and no server has too much', (t) => {
  const pool = { servers: 8, cacheBlocks: Number.POSITIVE_INFINITY, gateways: 1 }
  const [own, random] = prefixTrace(mooncakeArrivals(4_000), pool, ['sallyport', 'random'])
  t.ok((own?.ofInfinite ?? 0) >= 0.85, `of one infinite cache: ${own?.ofInfinite}`)
  t.ok((own?.load ?? 9) <= 1.25, `load: ${own?.load}`)
  t.ok((own?.windowLoad ?? 9) <= 1.5, `load in five minutes: ${own?.windowLoad}`)
  t.ok((random?.ofInfinite ?? 1) < 0.6)
  t.end()
})
