/**
 * A gateway that is killed, as far as its budgets are concerned: admits and settles without pause, and says on stdout
 * what is charged once it is. Arguments: the folder; and, when the disk will be full, what limits do then. What is used
 * beyond a reservation has no mark on a disk that takes nothing: such a run has none.
 */
import { writeSync } from 'node:fs'
import { systemClock } from '../../../src/clock.ts'
import type { OnStoreFailure } from '../../../src/policy/limit.ts'
import { openEmbeddedStore } from '../../../src/quota/embedded/open.ts'
import { limitOf } from '../simulated-limit.ts'
import { ask, correct } from '../store-subject.ts'

const [directory = '', onStoreFailure] = process.argv.slice(2)
const store = await openEmbeddedStore({ directory, clock: systemClock })
const limits = [1, 2].map((n) =>
  limitOf({
    name: `monthly-${n}`,
    counts: 'total_tokens',
    per: 'month',
    amount: 1_000_000,
    onStoreFailure: (onStoreFailure ?? 'lease') as OnStoreFailure,
  }),
)

async function exchanges(writer: number): Promise<void> {
  for (let n = 1; ; n += 1) {
    const id = `${process.pid}-${writer}-${n}`
    const units = 1 + ((n * 7919 + writer) % 40)
    const { allowed, by } = await store.admit(
      id,
      limits.map((limit) => ask(limit, units)),
    )
    if (!allowed) {
      writeSync(1, `refused by ${by}, healthy ${store.health.available}\n`)
      return
    }
    // One write(2) for a line: what the parent can read was charged before the kill. Some are never settled.
    const used = n % 3 === 0 || onStoreFailure !== undefined ? units : units + (n % 7)
    if (n % 3 !== 0)
      await store.settle(
        id,
        limits.map((limit) => correct(limit, units, used)),
      )
    writeSync(1, `${used}\n`)
    if (n % 50 === 0) await store.documents.put(`quota/${id}`, `text of ${id}`, 0).catch(() => undefined)
    if (!store.health.available) writeSync(1, 'unhealthy\n')
  }
}

await Promise.all([1, 2, 3, 4, 5].map(exchanges))
process.exit(0)
