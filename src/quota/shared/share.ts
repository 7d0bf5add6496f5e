import { isBudget, isRate, type Limit } from '../../policy/limit.ts'

/** Which of how many gateways this one is: `rank` from 0. */
export interface Place {
  readonly rank: number
  readonly replicas: number
}

/** A part of a whole number. The parts of all ranks add up to the whole, exactly. */
export function partOf(whole: number, { rank, replicas }: Place): number {
  const upTo = (ranks: number): bigint => (BigInt(whole) * BigInt(ranks)) / BigInt(replicas)
  return Number(upTo(rank + 1) - upTo(rank))
}

/** While nobody can say what others use: a twentieth of what is left of a budget may be used, by all together. */
const budgetShare = 20

/** A limit as one gateway keeps it alone. `remaining`: what was last known to be left of a budget's present period. */
export function shareOf(limit: Limit, place: Place, remaining: number | undefined): Limit {
  const whole = isBudget(limit) ? Math.floor((remaining ?? limit.amount) / budgetShare) : limit.amount
  const amount = partOf(whole, place)
  return { ...limit, amount, burst: isRate(limit) ? partOf(limit.burst, place) : amount }
}
