import assert from 'node:assert/strict'

import fc from 'fast-check'

import type { Limit } from '../../src/policy/policy.ts'
import type { Admission } from '../../src/quota/quota.ts'
import { Refusal } from '../../src/refusal.ts'
import { inFlight, release, requests, type Subject } from './subject.ts'

const keys = ['tenant:a', 'tenant:b'] as const

type Step =
  | { readonly do: 'admit'; readonly limits: readonly Limit[] }
  | { readonly do: 'release' | 'settle'; readonly which: number }
  | { readonly do: 'elapse'; readonly ms: number }

const rates = keys.map((key, index) => requests(key, 600, 3 + index))
const slots = keys.map((key, index) => inFlight(key, 2 + index))

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant('admit' as const), limits: fc.subarray([...rates, ...slots]) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom('release' as const, 'settle' as const),
      which: fc.nat({ max: 30 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('elapse' as const), ms: fc.integer({ min: 1, max: 150 }) }),
  },
)

interface Entry {
  readonly id: string
  readonly admission: Admission
  readonly limits: readonly Limit[]
}

/** What a history has done so far, kept beside the store. */
class Ledger {
  readonly #subject: Subject
  readonly #entries: Entry[] = []
  readonly #live = new Set<Entry>()
  readonly #passed: { readonly key: string; readonly atMs: number }[] = []
  #nowMs = 0

  constructor(subject: Subject) {
    this.#subject = subject
  }

  async take(next: Step, index: number): Promise<void> {
    if (next.do === 'admit') await this.#admit(`e${index}`, next.limits)
    else if (next.do === 'elapse') await this.#elapse(next.ms)
    else await this.#end(next.do, this.#entries[next.which % Math.max(1, this.#entries.length)])
    assert.equal(this.#subject.quota.inFlight, this.#live.size)
    for (const limit of slots) assert.ok(this.#held(limit) <= limit.amount)
  }

  async releaseAll(): Promise<void> {
    for (const { admission } of this.#entries) await release(admission)
    assert.equal(this.#subject.quota.inFlight, 0)
  }

  #held(limit: Limit): number {
    return [...this.#live].filter(({ limits }) => limits.includes(limit)).length
  }

  async #elapse(ms: number): Promise<void> {
    await this.#subject.elapse(ms)
    this.#nowMs += ms
  }

  async #end(how: 'release' | 'settle', entry: Entry | undefined): Promise<void> {
    if (entry === undefined) return
    if (how === 'settle') return this.#subject.quota.settle(entry.id, { inputTokens: 1, outputTokens: 1 })
    await release(entry.admission)
    this.#live.delete(entry)
  }

  async #admit(id: string, limits: readonly Limit[]): Promise<void> {
    const noSlot = limits.some((limit) => limit.name === 'in_flight' && this.#held(limit) >= limit.amount)
    try {
      const entry = { id, limits, admission: await this.#subject.quota.admit(id, limits) }
      assert.equal(noSlot, false, 'let in without a slot')
      this.#entries.push(entry)
      this.#live.add(entry)
      for (const limit of limits) if (limit.name === 'requests') this.#count(limit)
    } catch (error) {
      assert.ok(error instanceof Refusal, String(error))
      if (error.code === 'concurrency_limit_exceeded')
        assert.equal(noSlot, true, 'refused although there was a slot')
    }
  }

  #count({ key, amount, burst }: Limit): void {
    this.#passed.push({ key, atMs: this.#nowMs })
    const own = this.#passed.filter((passed) => passed.key === key)
    own.forEach(({ atMs }, index) => {
      assert.ok(
        own.length - index <= burst + ((this.#nowMs - atMs) * amount) / 60_000,
        'more than the limit says',
      )
    })
  }
}

/** Runs random histories, each on a store of its own; rejects with the smallest one that breaks a rule. */
export async function checkHistories(make: () => Promise<Subject>): Promise<void> {
  const property = fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (history) => {
    const subject = await make()
    try {
      const ledger = new Ledger(subject)
      for (const [index, next] of history.entries()) await ledger.take(next, index)
      await ledger.releaseAll()
    } finally {
      await subject.close()
    }
  })
  await fc.assert(property, { numRuns: 60 })
}
