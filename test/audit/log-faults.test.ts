import assert from 'node:assert/strict'

import fc from 'fast-check'
import t from 'tap'

import { startLog } from '../../src/audit/log.ts'
import type { AuditLog, AuditRecord } from '../../src/audit/record.ts'
import { verifyLines } from '../../src/audit/verify.ts'
import { fakeClock, sampleEvent } from './sample.ts'
import { type Operation, SimulatedDisk } from './simulated-disk.ts'

type Step =
  | { readonly do: 'append'; readonly count: number }
  | { readonly do: 'wait'; readonly turns: number }
  | { readonly do: 'fault'; readonly operation: Operation; readonly code: string }
  | { readonly do: 'short'; readonly bytes: number }
  | { readonly do: 'crash'; readonly keep: number }
  | { readonly do: 'kill' | 'restart' }

const operations: readonly Operation[] = ['write', 'sync', 'create', 'truncate', 'remove', 'close']

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant('append' as const), count: fc.integer({ min: 1, max: 4 }) }),
  },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('wait' as const), turns: fc.nat({ max: 25 }) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('fault' as const),
      operation: fc.constantFrom(...operations),
      code: fc.constantFrom('EIO', 'ENOSPC', ''),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('short' as const), bytes: fc.integer({ min: 1, max: 400 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('crash' as const), keep: fc.constantFrom(0, 0.3, 0.7, 1) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('kill' as const, 'restart' as const) }) },
)

/** Drives a log through steps and keeps what it acknowledged. */
class History {
  readonly disk = new SimulatedDisk()
  readonly acknowledged: AuditRecord[] = []
  readonly pending: Promise<void>[] = []
  #log: AuditLog | undefined
  #appended = 0

  async run(steps: readonly Step[]): Promise<void> {
    await this.#open()
    for (const next of steps) await this.#take(next)
    // The disk heals; one more append must go through, whatever happened.
    this.disk.faults.clear()
    this.disk.writeBytesMax = Number.POSITIVE_INFINITY
    this.#append(1)
    await this.#log?.close()
    await Promise.all(this.pending)
  }

  async #open(): Promise<void> {
    for (;;) {
      try {
        this.#log = await startLog(this.disk.mount(), { segmentBytesMax: 900, clock: fakeClock })
        return
      } catch (error) {
        // Faults that were set may hit the start; each is used up by that. A broken chain would never go
        // away.
        assert.notEqual((error as Error).name, 'AuditChainError', String(error))
      }
    }
  }

  #append(count: number): void {
    for (let left = count; left > 0; left--) {
      this.#appended += 1
      const append = (this.#log as AuditLog).append(sampleEvent(this.#appended))
      const kept = append.then(
        (record) => void this.acknowledged.push(record),
        () => undefined,
      )
      this.pending.push(kept)
    }
  }

  async #take(next: Step): Promise<void> {
    if (next.do === 'append') this.#append(next.count)
    else if (next.do === 'fault') this.disk.fail(next.operation, next.code)
    else if (next.do === 'short') this.disk.writeBytesMax = next.bytes
    else if (next.do === 'wait') for (let turn = 0; turn < next.turns; turn++) await Promise.resolve()
    else await this.#restart(next)
  }

  async #restart(next: Step): Promise<void> {
    if (next.do === 'crash') this.disk.crash(next.keep)
    else if (next.do === 'kill') this.disk.kill()
    else await this.#log?.close().catch(() => undefined)
    await Promise.all(this.pending)
    await this.#open()
  }
}

t.test(
  'whatever fails, every acknowledged append is in the log exactly once, in order, and the chain holds',
  async (t) => {
    const property = fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 30 }), async (steps) => {
      const history = new History()
      await history.run(steps)
      // Power loss at the very end: what was acknowledged has to be on the disk, not in the cache.
      history.disk.crash(0)
      const lines = history.disk.whole().split('\n').slice(0, -1)
      const report = await verifyLines(lines)
      assert.equal(report.intact, true, JSON.stringify(report.error))
      const logged = lines.map((line) => JSON.parse(line) as AuditRecord)
      const { acknowledged } = history
      for (const record of acknowledged)
        assert.deepEqual(logged[record.seq - 1], JSON.parse(JSON.stringify(record)))
      const order = acknowledged.map(({ seq }) => seq)
      assert.deepEqual(
        order,
        [...new Set(order)].sort((a, b) => a - b),
      )
      const ids = logged.map(({ request_id }) => request_id).filter((id) => id !== undefined)
      assert.equal(new Set(ids).size, ids.length, 'no append twice')
      assert.equal(acknowledged.at(-1)?.seq, report.head.seq, 'the append after the disk healed went through')
    })
    await t.resolves(fc.assert(property, { numRuns: 1000 }))
  },
)
