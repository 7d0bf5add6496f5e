import {
  budgetAmountMax,
  type Counted,
  type Dimension,
  isBudget,
  isRate,
  type LimitMode,
  type OnStoreFailure,
  type Period,
  rateAmountMax,
} from './limit.ts'

/** Whom a limit is about. Globs; a field that is left out means everybody, several fields must all agree. */
export interface LimitScope {
  readonly organizations?: readonly string[] | undefined
  readonly tenants?: readonly string[] | undefined
  readonly principals?: readonly string[] | undefined
  readonly roles?: readonly string[] | undefined
  readonly models?: readonly string[] | undefined
}

/** One limit as an operator writes it. The configuration's own type and the quotas of the admin API fit. */
export interface LimitRule {
  readonly counts: Counted
  /** Absent for `in_flight` alone. */
  readonly per?: Period | undefined
  /** In units of `counts`; for `cost` in units of the currency, with up to nine decimals. */
  readonly amount: number
  /** Rates only. Left out: the amount, and for requests a sixth of it. */
  readonly burst?: number | undefined
  readonly by: readonly Dimension[]
  readonly where?: LimitScope | undefined
  readonly mode: LimitMode
  readonly onStoreFailure: OnStoreFailure
  readonly timeZone: string
}

/**
 * Another amount for some buckets of a limit, for a time. `match` names dimensions that tell the buckets of the limit
 * apart: an override never changes a bucket that others share.
 */
export interface LimitOverride {
  readonly limit: string
  readonly match: Readonly<Partial<Record<Dimension, string>>>
  readonly amount: number
  readonly burst?: number | undefined
  /** Milliseconds since the epoch. */
  readonly expiresAt: number
}

const nano = 1_000_000_000

/** Amount in the unit that buckets hold: cost in nano units. */
export const unitsOf = (counts: Counted, amount: number): number =>
  counts === 'cost' ? Math.round(amount * nano) : amount

/** Units at once when a limit does not say: a whole period's worth of tokens, ten seconds' worth of requests a minute. */
export function burstOf({
  counts,
  per,
  amount,
  burst,
}: Pick<LimitRule, 'counts' | 'per' | 'amount' | 'burst'>): number {
  if (!isRate({ per })) return unitsOf(counts, amount)
  if (burst !== undefined) return burst
  return counts === 'requests' && per !== 'second' ? Math.max(1, Math.ceil(amount / 6)) : amount
}

/**
 * What is wrong with a rule that has the right shape; undefined when nothing is. The path is that of the field.
 * Asked by the configuration check and by the admin API alike.
 */
export function ruleFault(
  rule: LimitRule,
): { readonly field: keyof LimitRule; readonly message: string } | undefined {
  return periodFault(rule) ?? amountFault(rule) ?? zoneFault(rule)
}

type Fault = ReturnType<typeof ruleFault>

function periodFault({ counts, per }: LimitRule): Fault {
  if (counts === 'in_flight')
    return per === undefined
      ? undefined
      : { field: 'per', message: 'has no meaning for in_flight: leave it out' }
  if (per === undefined) return { field: 'per', message: 'is missing: second, minute, hour, day or month' }
  if (counts === 'cost' && !isBudget({ per }))
    return { field: 'per', message: 'of a cost limit is day or month' }
  return undefined
}

function amountFault(rule: LimitRule): Fault {
  const { counts, amount, burst } = rule
  if (burst !== undefined && !isRate(rule))
    return { field: 'burst', message: 'has a meaning for limits per second, minute or hour only' }
  if (counts === 'cost')
    return amount * nano > Number.MAX_SAFE_INTEGER
      ? { field: 'amount', message: 'of a cost limit is at most 9000000' }
      : undefined
  if (!Number.isInteger(amount) || amount < 1)
    return { field: 'amount', message: 'is a whole number of at least 1; only cost has decimals' }
  const most = isBudget(rule) ? budgetAmountMax : rateAmountMax
  if (amount > most) return { field: 'amount', message: `is at most ${most}` }
  return undefined
}

function zoneFault({ timeZone }: LimitRule): Fault {
  try {
    new Intl.DateTimeFormat('en', { timeZone })
    return undefined
  } catch {
    return {
      field: 'timeZone',
      message: 'is not a time zone of this machine: an IANA name such as Europe/Berlin',
    }
  }
}
