/** What a limit counts. `cost` is in nano units (10^-9) of the operator's currency: integers only, so that sums are exact. */
export const counted = [
  'requests',
  'input_tokens',
  'output_tokens',
  'total_tokens',
  'cost',
  'in_flight',
] as const
export type Counted = (typeof counted)[number]

/** The three shorter periods are rates (GCRA), the two longer ones budgets (calendar counters). */
export const ratePeriods = ['second', 'minute', 'hour'] as const
export const budgetPeriods = ['day', 'month'] as const
export type Period = (typeof ratePeriods)[number] | (typeof budgetPeriods)[number]

/** What buckets of a limit are told apart by; a limit without any has one bucket for everybody. */
export const dimensions = ['organization', 'tenant', 'principal', 'role', 'model'] as const
export type Dimension = (typeof dimensions)[number]

/** `shadow`: counts and reports what it would have refused, and refuses nothing. */
export type LimitMode = 'enforce' | 'shadow'

/** What happens while the shared store is away: go on with this replica's share, refuse, or let pass uncounted. */
export type OnStoreFailure = 'lease' | 'closed' | 'open'

/**
 * Who set the amount: the configuration, an operator's quota (`/admin/v1/quotas`), or a temporary override. The later
 * in this list wins.
 */
export type LimitSource = 'config' | 'operator' | 'override'

/** A limit as it applies to one exchange: one bucket, shared by everyone with the same `key`. */
export interface Limit {
  /** The rule's name: `role:app/requests`, `tenant-tokens`. Bounded set, a metric label. */
  readonly name: string
  /**
   * The bucket: name, what is counted, period and the values of the dimensions, `tpm|total_tokens/minute|tenant=acme,model=llama`.
   * A limit that counts something else has another bucket; one whose amount changes keeps it. Safe for logs.
   */
  readonly key: string
  /** Buckets that one exchange asks share it: the hash tag of their keys in a Redis Cluster. */
  readonly shard: string
  readonly counts: Counted
  /** Absent for `in_flight`. */
  readonly per: Period | undefined
  /** Units of `counts` in one period, or at the same time. A whole number. */
  readonly amount: number
  /** Rates: most units at once (GCRA burst tolerance); otherwise the amount. A whole number. */
  readonly burst: number
  readonly mode: LimitMode
  readonly onStoreFailure: OnStoreFailure
  /** IANA name; budgets begin at its midnight. */
  readonly timeZone: string
  readonly source: LimitSource
}

type Periodic = { readonly per?: Period | undefined }

export const isRate = ({ per }: Periodic): boolean => per === 'second' || per === 'minute' || per === 'hour'
export const isBudget = ({ per }: Periodic): boolean => per === 'day' || per === 'month'

/** Largest amount and burst of a rate: with an hour in milliseconds, products stay exact below 2^53. */
export const rateAmountMax = 1_000_000_000
/** Largest amount of a budget of anything but cost. */
export const budgetAmountMax = 9_000_000_000_000
