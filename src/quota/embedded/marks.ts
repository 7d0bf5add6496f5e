/**
 * High-water marks of budgets: an admission never waits for the disk to learn what it took, only, now and then, for the
 * disk to promise more than anybody has taken. Invariants:
 *
 * 1. At every moment the mark on the disk is at or above what was charged: after a crash a budget begins at its mark,
 *    so nothing that was used is forgotten. But for what settlements charge above a reservation while the disk takes
 *    nothing: the exchange has taken it already.
 * 2. A mark is above what was charged by at most a hundredth of the limit, or by a few reservations, while nothing is
 *    being settled; by at most twice that after settlements. That much may be lost in a crash.
 * 3. Marks of one counter follow one another on the disk in the order in which they were asked for; none is lowered
 *    while another is on its way.
 */
import type { Limit } from '../../policy/limit.ts'
import type { Budget, Budgets } from '../budgets.ts'
import type { Demand } from '../store.ts'
import type { Journal } from './journal.ts'

const marksPerBudget = 100
const reservationsAhead = 4

export class Marks {
  readonly #journal: Journal
  readonly #budgets: Budgets

  constructor(journal: Journal, budgets: Budgets) {
    this.#journal = journal
    this.#budgets = budgets
  }

  /** Whether the demand can be charged now. One that the limit will refuse anyway needs no mark. */
  covers({ limit, amount }: Demand, nowMs: number): boolean {
    const budget = this.#budgets.find(limit, nowMs)
    const next = (budget?.used ?? 0) + amount
    return next <= (budget?.marks.durable ?? 0) || next > limit.amount
  }

  /**
   * Raises the mark so that the demand can be charged. Rejects when the disk does not take it. Those that wait already
   * are counted in, so that one writing serves a crowd.
   */
  async raise({ limit, amount }: Demand, nowMs: number): Promise<void> {
    const budget = this.#budgets.at(limit, nowMs)
    const { marks, used } = budget
    marks.waiting += amount
    marks.ahead = Math.max(Math.ceil(limit.amount / marksPerBudget), amount * reservationsAhead)
    const mark = Math.min(limit.amount, used + marks.waiting + marks.ahead)
    try {
      await this.#write(budget, Math.max(used + amount, mark))
    } finally {
      marks.waiting -= amount
    }
  }

  /**
   * After a settlement: raises the mark when more was charged than was reserved, lowers it when much was returned.
   * Undefined when there is nothing to wait for.
   */
  follow(budget: Budget): Promise<void> | undefined {
    const { used, marks } = budget
    if (used > marks.durable) return this.#write(budget, used)
    if (marks.asked - used > 2 * marks.ahead) this.#lower(budget)
    return undefined
  }

  async reset(limit: Limit, nowMs: number): Promise<void> {
    await this.#write(this.#budgets.reset(limit, nowMs), 0)
  }

  /** The last entry of a counter counts, so none is lower than one that somebody waits for. */
  async #write({ bucket, endMs, marks }: Budget, mark: number): Promise<void> {
    const used = Math.max(mark, marks.asked)
    marks.asked = used
    marks.writing += 1
    try {
      await this.#journal.append({ kind: 'budget', bucket, used, endMs })
      marks.durable = Math.max(marks.durable, used)
    } finally {
      marks.writing -= 1
    }
  }

  /** Counts as lowered before it is, so nobody relies on what may be gone. A disk that does not take it has more. */
  #lower({ bucket, endMs, used, marks }: Budget): void {
    if (marks.writing > 0) return
    marks.asked = used + marks.ahead
    marks.durable = marks.asked
    this.#journal.append({ kind: 'budget', bucket, used: marks.asked, endMs }).catch(() => {})
  }
}
