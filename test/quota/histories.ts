/**
 * Random lives of exchanges against a store and the naive limits beside it: admitted, settled (more or less than was
 * reserved, late, twice, never), admitted once more when they are over; time that passes, also over midnight, and a wall
 * clock that jumps over midnight and back.
 */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Limit } from '../../src/policy/limit.ts'
import type { Demand } from '../../src/quota/store.ts'
import { type Moment, NaiveLimits } from './naive-limits.ts'
import { limitOf } from './simulated-limit.ts'
import type { StoreSubject } from './store-subject.ts'

const limits: readonly Limit[] = [
  limitOf({ name: 'requests', per: 'second', amount: 3, burst: 4 }),
  limitOf({ name: 'tokens', counts: 'total_tokens', per: 'minute', amount: 700, burst: 90 }),
  limitOf({ name: 'budget', counts: 'total_tokens', per: 'day', amount: 300 }),
  limitOf({ name: 'slots', counts: 'in_flight', amount: 3 }),
  limitOf({ name: 'watched', counts: 'output_tokens', per: 'hour', amount: 400, burst: 60, mode: 'shadow' }),
]

type Step =
  | { readonly do: 'admit'; readonly tokens: number; readonly some: number }
  | { readonly do: 'settle'; readonly which: number; readonly used: number }
  | { readonly do: 'late'; readonly which: number }
  | { readonly do: 'pass'; readonly ms: number }
  | { readonly do: 'jump'; readonly ms: number }

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constant('admit' as const),
    tokens: fc.nat(110),
    some: fc.integer({ min: 1, max: 31 }),
  }),
  fc.record({ do: fc.constant('settle' as const), which: fc.nat(20), used: fc.nat(60) }),
  fc.record({
    do: fc.constant('pass' as const),
    ms: fc.constantFrom(0, 1, 7, 333, 2_000, 60_000, 40_000_000),
  }),
  fc.record({ do: fc.constant('late' as const), which: fc.nat(20) }),
  fc.record({ do: fc.constant('jump' as const), ms: fc.constantFrom(-43_200_000, 0, 43_200_000) }),
)

const unitsOf = ({ counts }: Limit, tokens: number): number =>
  counts === 'requests' || counts === 'in_flight' ? 1 : tokens

/** Rejects with the history that shows a difference. */
export function checkHistories(
  make: () => Promise<Clocked>,
  { numRuns, steps }: { readonly numRuns: number; readonly steps: number },
): Promise<void> {
  const property = fc.asyncProperty(fc.array(step, { maxLength: steps }), async (history) => {
    const subject = await make()
    try {
      await play(history, subject)
    } finally {
      await subject.close()
    }
  })
  return Promise.resolve(fc.assert(property, { numRuns }))
}

type Clocked = StoreSubject & {
  /** The store's clocks. */
  now(): Moment
  /** Sets the wall clock so far before or after where it would be. */
  jump(ms: number): void
}

async function play(history: readonly Step[], subject: Clocked): Promise<void> {
  const pair = new Pair(subject)
  for (const action of history) {
    if (action.do === 'pass') await subject.elapse(action.ms)
    else if (action.do === 'jump') subject.jump(action.ms)
    else if (action.do === 'late') await pair.late(pair.ids[action.which])
    else if (action.do === 'settle') await pair.settle(pair.ids[action.which], action.used)
    else await pair.admit(action.tokens, action.some)
    await compare(subject, pair.naive)
  }
  for (const id of pair.ids) await pair.settle(id, 0)
  await compare(subject, pair.naive)
  assert.equal(subject.store.size.leases, 0, 'an exchange is left')
  for (const limit of limits) if (limit.mode === 'enforce') checkWindows(limit, pair.taken.get(limit) ?? [])
}

interface Taken {
  readonly atMs: number
  readonly units: number
  /** By an admission, which may be refused; a settlement may not. */
  readonly asked: boolean
}

const periods: Readonly<Record<string, number>> = { second: 1_000, minute: 60_000, hour: 3_600_000 }

/** In every window that an admission ends, taken less returned is within the burst and what flows back meanwhile. */
function checkWindows({ name, per, amount, burst }: Limit, taken: readonly Taken[]): void {
  const period = periods[per ?? '']
  if (period === undefined) return
  for (const [end, { asked, atMs }] of taken.entries()) {
    if (!asked) continue
    let units = 0
    for (let from = end; from >= 0; from -= 1) {
      const first: Taken = taken[from] as Taken
      units += first.units
      const most: number = burst + (amount * (atMs - first.atMs)) / period
      assert.ok(units <= most, `${name}: ${units} in ${atMs - first.atMs} ms`)
    }
  }
}

/** The store and the naive limits, told the same. */
class Pair {
  readonly naive = new NaiveLimits()
  readonly ids: string[] = []
  readonly taken = new Map<Limit, Taken[]>()
  readonly #subject: Clocked
  readonly #demands = new Map<string, readonly Demand[]>()
  readonly #settled = new Set<string>()
  #next = 0

  constructor(subject: Clocked) {
    this.#subject = subject
  }

  /** `some`: a bit for each limit that is asked. */
  async admit(tokens: number, some: number): Promise<void> {
    const id = `e${this.#next}`
    this.#next += 1
    const demands = limits
      .filter((_, bit) => (some & (1 << bit)) !== 0)
      .map((limit) => ({ limit, amount: unitsOf(limit, tokens) }))
    const foreseen = this.#subject.store.foresee(demands)
    const { allowed, deciding } = await this.#subject.store.admit(id, demands)
    assert.equal(foreseen?.waitMs, deciding?.waitMs, 'what is foreseen')
    assert.equal(allowed ? 0 : deciding?.waitMs, this.naive.admit(id, demands, this.#subject.now()))
    if (!allowed) return
    this.ids.push(id)
    this.#demands.set(id, demands)
    for (const { limit, amount } of demands) if (amount > 0) this.#take(limit, amount, true)
  }

  /** An admission that comes after the settlement, or again. */
  async late(id: string | undefined): Promise<void> {
    const demands = this.#demands.get(id ?? '')
    if (id === undefined || demands === undefined) return
    const { allowed, deciding } = await this.#subject.store.admit(id, demands)
    assert.equal(allowed ? 0 : deciding?.waitMs, this.naive.admit(id, demands, this.#subject.now()))
  }

  async settle(id: string | undefined, tokens: number): Promise<void> {
    if (id === undefined) return
    const corrections = (this.#demands.get(id) ?? []).map(({ limit, amount }) => ({
      limit,
      reserved: amount,
      used: limit.counts === 'in_flight' ? 0 : unitsOf(limit, tokens),
    }))
    this.naive.settle(
      id,
      new Map(corrections.map(({ limit, used }) => [limit.key, used])),
      this.#subject.now(),
    )
    await this.#subject.store.settle(id, corrections)
    if (!this.#settled.has(id))
      for (const { limit, reserved, used } of corrections) this.#take(limit, used - reserved, false)
    this.#settled.add(id)
  }

  #take(limit: Limit, units: number, asked: boolean): void {
    const taken = this.taken.get(limit) ?? []
    taken.push({ atMs: this.#subject.now().monotonicMs, units, asked })
    this.taken.set(limit, taken)
  }
}

async function compare({ store, now }: Clocked, naive: NaiveLimits): Promise<void> {
  const states = await store.peek(limits)
  for (const { limit, used, remaining } of states) {
    assert.equal(used, naive.usedOf(limit, now()), limit.name)
    assert.ok(used <= limit.burst || limit.counts !== 'in_flight', `${limit.name} above its amount`)
    assert.ok(remaining >= 0 && remaining <= limit.burst)
  }
}
