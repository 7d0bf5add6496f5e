/**
 * Several replicas and one Redis over a simulated network, in simulated time: what `Outage` promises in any history. The
 * rate of Redis is the arithmetic of src/quota/rate.ts, which the scripts share (the contract suite runs those).
 */

import type { Limit } from '../../../src/policy/limit.ts'
import { BudgetCalendar } from '../../../src/quota/budget-window.ts'
import { charged, type Debt, levelOf, returned, unitOf, waitOf } from '../../../src/quota/rate.ts'
import { HeldSlots } from '../../../src/quota/shared/held-slots.ts'
import { KnownBuckets } from '../../../src/quota/shared/known-buckets.ts'
import { Outage, type OutageMoment } from '../../../src/quota/shared/outage.ts'
import { type Place, partOf } from '../../../src/quota/shared/share.ts'

interface Exchange {
  readonly id: string
  readonly replica: number
  readonly units: number
}

interface Happened {
  readonly atMs: number
  /** Units that passed; negative: that were returned. */
  readonly units: number
}

interface Cut {
  readonly replica: number
  readonly fromMs: number
  untilMs: number
  /** What it let pass was lost with it. */
  died: boolean
}

class SimulatedReplica {
  readonly place: Place
  readonly slots = new HeldSlots()
  readonly known = new KnownBuckets()
  readonly calendar = new BudgetCalendar()
  outage: Outage | undefined

  constructor(place: Place) {
    this.place = place
  }

  cut(): void {
    this.outage = new Outage({
      calendar: this.calendar,
      slots: this.slots,
      place: () => this.place,
      known: (key) => this.known.of(key),
      retryMs: () => 100,
    })
  }
}

export class SimulatedReplicas {
  readonly limit: Limit
  readonly replicas: readonly SimulatedReplica[]
  readonly happened: Happened[] = []
  readonly cuts: Cut[] = []
  readonly open: Exchange[] = []
  nowMs = 1_000_000
  #redis: Debt = { debt: 0, atMs: 0 }
  #last = 0
  readonly #lostMs: number[] = []

  constructor(limit: Limit, count: number) {
    this.limit = limit
    this.replicas = Array.from(
      { length: count },
      (_, rank) => new SimulatedReplica({ rank, replicas: count }),
    )
  }

  get now(): OutageMoment {
    return { monotonicMs: this.nowMs, redisMs: this.nowMs }
  }

  get redisLevel() {
    return levelOf(this.#redis, this.nowMs, this.limit)
  }

  advance(ms: number): void {
    this.nowMs += ms
  }

  admit(index: number, units: number): boolean {
    const replica = this.#replica(index)
    this.#last += 1
    const id = `e${this.#last}`
    const passes =
      replica.outage === undefined
        ? this.#admitThere(replica, units)
        : replica.outage.admit(id, [{ limit: this.limit, amount: units }], this.now).allowed
    if (!passes) return false
    this.open.push({ id, replica: index, units })
    this.happened.push({ atMs: this.nowMs, units })
    return true
  }

  /** An exchange ends, having used a part of what was reserved. */
  settle(number: number, part: number): void {
    const [exchange] = this.open.splice(number % Math.max(1, this.open.length), 1)
    if (exchange === undefined) return
    const unused = Math.floor(exchange.units * part)
    const { outage } = this.#replica(exchange.replica)
    if (outage === undefined) this.#change(-unused)
    else outage.add({ limit: this.limit, units: -unused, window: undefined }, this.now)
    this.happened.push({ atMs: this.nowMs, units: -unused })
  }

  cut(index: number): void {
    const replica = this.#replica(index)
    if (replica.outage !== undefined) return
    replica.cut()
    this.cuts.push({ replica: index, fromMs: this.nowMs, untilMs: Number.POSITIVE_INFINITY, died: false })
  }

  /** The end of an outage: what passed there is charged to Redis. */
  join(index: number): void {
    const replica = this.#replica(index)
    for (const { units } of replica.outage?.drain(this.now) ?? []) this.#change(units)
    this.#end(index)
  }

  /** The replica dies and another takes its place: nobody knows what it let pass. */
  die(index: number): void {
    const cut = this.cuts.findLast(({ replica, untilMs }) => replica === index && untilMs > this.nowMs)
    if (cut !== undefined) cut.died = true
    this.open.splice(0, this.open.length, ...this.open.filter(({ replica }) => replica !== index))
    this.#end(index)
  }

  /** Redis comes back empty; only while nobody reaches it. */
  lose(): void {
    if (this.replicas.some(({ outage }) => outage === undefined)) return
    this.#redis = { debt: 0, atMs: this.nowMs }
    this.#lostMs.push(this.nowMs)
  }

  /** What may pass between two moments, by the invariants of outage.ts, in units of debt. */
  boundOf(fromMs: number, untilMs: number): number {
    const unit = unitOf(this.limit)
    const { amount, burst } = this.limit
    const lost = this.#lostMs.filter((ms) => ms >= fromMs && ms <= untilMs).length
    let bound = (1 + lost) * burst * unit + amount * (untilMs - fromMs)
    for (const cut of this.cuts) {
      const [from, until] = [Math.max(cut.fromMs, fromMs), Math.min(cut.untilMs, untilMs)]
      if (until < from) continue
      const { place } = this.#replica(cut.replica)
      const bursts = cut.died ? 2 : 1
      bound += bursts * partOf(burst, place) * unit
      bound += partOf(amount, place) * (until - from - this.#alone(from, until))
    }
    return bound
  }

  /** Milliseconds in which nobody reached Redis. */
  #alone(fromMs: number, untilMs: number): number {
    const moments = [fromMs, untilMs, ...this.cuts.flatMap((cut) => [cut.fromMs, cut.untilMs])]
    const inside = [...new Set(moments)].filter((ms) => ms >= fromMs && ms <= untilMs).sort((a, b) => a - b)
    let alone = 0
    for (const [index, ms] of inside.entries()) {
      const next = inside[index + 1]
      if (next === undefined) continue
      const covering = new Set(
        this.cuts.filter((cut) => cut.fromMs <= ms && cut.untilMs >= next).map(({ replica }) => replica),
      )
      if (covering.size === this.replicas.length) alone += next - ms
    }
    return alone
  }

  #admitThere(replica: SimulatedReplica, units: number): boolean {
    const waitMs = waitOf(this.#redis, units, this.nowMs, this.limit)
    if (waitMs === 0) this.#change(units)
    const state = { limit: this.limit, ...this.redisLevel }
    replica.known.learn({ states: [state] }, [undefined], { sentMs: this.nowMs, nowMs: this.nowMs })
    return waitMs === 0
  }

  #change(units: number): void {
    this.#redis =
      units > 0
        ? charged(this.#redis, units, this.nowMs, this.limit)
        : returned(this.#redis, -units, this.nowMs, this.limit)
  }

  #end(index: number): void {
    this.#replica(index).outage = undefined
    const cut = this.cuts.findLast(({ replica, untilMs }) => replica === index && untilMs > this.nowMs)
    if (cut !== undefined) cut.untilMs = this.nowMs
  }

  #replica(index: number): SimulatedReplica {
    return this.replicas[index % this.replicas.length] as SimulatedReplica
  }
}
