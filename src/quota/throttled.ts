/**
 * Who was refused by which limit lately, or would have been by one in shadow mode: for `usage` of the admin API.
 *
 * 1. Counts what happened in this process in the last five minutes, to ten seconds.
 * 2. At most `entriesMax` pairs of limit and tenant are remembered; the one that was touched least recently is forgotten.
 */
import type { Clock } from '../clock.ts'

export interface ThrottledCount {
  readonly limit: string
  readonly tenant: string
  readonly refused: number
  readonly shadowed: number
  /** Milliseconds since the epoch. */
  readonly lastAt: number
}

export interface ThrottledOptions {
  readonly clock: Pick<Clock, 'now' | 'monotonic'>
  readonly entriesMax?: number
}

const slotMs = 10_000
const slots = 30

interface Slot {
  readonly index: number
  refused: number
  shadowed: number
}

interface Entry {
  readonly limit: string
  readonly tenant: string
  lastAt: number
  /** Newest last. */
  readonly recent: Slot[]
}

export class Throttled {
  readonly #clock: ThrottledOptions['clock']
  readonly #entriesMax: number
  readonly #entries = new Map<string, Entry>()

  constructor({ clock, entriesMax = 1_000 }: ThrottledOptions) {
    this.#clock = clock
    this.#entriesMax = entriesMax
  }

  refused(limit: string, tenant: string): void {
    this.#slotOf(limit, tenant).refused += 1
  }

  shadowed(limit: string, tenant: string): void {
    this.#slotOf(limit, tenant).shadowed += 1
  }

  /** Most refused first. */
  list(): readonly ThrottledCount[] {
    const oldest = this.#index() - slots
    return [...this.#entries.values()]
      .map(({ limit, tenant, lastAt, recent }) => {
        const counted = recent.filter(({ index }) => index > oldest)
        const sum = (of: 'refused' | 'shadowed') => counted.reduce((total, slot) => total + slot[of], 0)
        return { limit, tenant, refused: sum('refused'), shadowed: sum('shadowed'), lastAt }
      })
      .filter(({ refused, shadowed }) => refused + shadowed > 0)
      .sort((a, b) => b.refused - a.refused || b.shadowed - a.shadowed || b.lastAt - a.lastAt)
  }

  #index(): number {
    return Math.floor(this.#clock.monotonic() / slotMs)
  }

  #slotOf(limit: string, tenant: string): Slot {
    const key = JSON.stringify([limit, tenant])
    const entry = this.#entries.get(key) ?? { limit, tenant, lastAt: 0, recent: [] }
    this.#entries.delete(key)
    this.#entries.set(key, entry)
    const [first] = this.#entries.keys()
    if (this.#entries.size > this.#entriesMax) this.#entries.delete(first as string)
    entry.lastAt = this.#clock.now()
    const index = this.#index()
    const newest = entry.recent.at(-1)
    if (newest?.index === index) return newest
    const slot = { index, refused: 0, shadowed: 0 }
    if (entry.recent.length === slots) entry.recent.shift()
    entry.recent.push(slot)
    return slot
  }
}
