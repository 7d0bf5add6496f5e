import type { Limit } from '../policy/limit.ts'
import type { Price } from '../policy/rules.ts'
import { costOf } from './demands.ts'

/**
 * Most output tokens that every enforced limit could ever hold beside this prompt, however long one waited.
 * Below 1 when the prompt alone is too large; `Infinity` without a limit on output.
 */
export function outputBound(limits: readonly Limit[], inputTokens: number, price: Price | undefined): number {
  const rooms = limits
    .filter(({ mode }) => mode === 'enforce')
    .map((limit) => roomIn(limit, inputTokens, price))
  return Math.min(...rooms, Number.POSITIVE_INFINITY)
}

function roomIn({ counts, burst }: Limit, inputTokens: number, price: Price | undefined): number {
  if (counts === 'output_tokens') return burst
  if (counts === 'total_tokens') return burst - inputTokens
  if (counts !== 'cost') return Number.POSITIVE_INFINITY
  const each = costOf({ inputTokens: 0, outputTokens: 1 }, price)
  return each === 0
    ? Number.POSITIVE_INFINITY
    : (burst - costOf({ inputTokens, outputTokens: 0 }, price)) / each
}
