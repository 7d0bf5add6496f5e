/** The limits that the benchmarks of limits ask, and what each exchange asks of them. */
import type { Counted, Limit, Period } from '../src/policy/limit.ts'
import type { Correction, Demand } from '../src/quota/store.ts'

const kinds: readonly [Counted, Period | undefined][] = [
  ['requests', 'minute'],
  ['in_flight', undefined],
  ['total_tokens', 'minute'],
  ['total_tokens', 'day'],
  ['output_tokens', 'hour'],
  ['cost', 'month'],
]
export const limitCountMax = kinds.length
const reservedTokens = 500
const usedTokens = 120

/** Limits of one tenant, so large that they refuse nothing. */
export const benchLimits = (tenant: number, count: number): readonly Limit[] =>
  kinds.slice(0, count).map(([counts, per]) => ({
    name: `${counts}-${per}`,
    key: `${counts}-${per}|${counts}/${per}|tenant=t${tenant}`,
    shard: `t${tenant}`,
    counts,
    per,
    amount: 1_000_000_000,
    burst: 1_000_000_000,
    mode: 'enforce',
    onStoreFailure: 'lease',
    timeZone: 'UTC',
    source: 'config',
  }))

const amountOf = ({ counts }: Limit, tokens: number): number =>
  counts === 'requests' || counts === 'in_flight' ? 1 : tokens

export const demandsOf = (limits: readonly Limit[]): readonly Demand[] =>
  limits.map((limit) => ({ limit, amount: amountOf(limit, reservedTokens) }))

export const correctionsOf = (limits: readonly Limit[]): readonly Correction[] =>
  limits.map((limit) => ({
    limit,
    reserved: amountOf(limit, reservedTokens),
    used: amountOf(limit, usedTokens),
  }))
