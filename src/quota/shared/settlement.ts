import type { BudgetCalendar } from '../budget-window.ts'
import type { Correction } from '../store.ts'
import type { Settlement } from './backlog.ts'
import type { Keys } from './keys.ts'
import type { OpenExchange } from './open-exchanges.ts'
import { windowOf } from './wire.ts'

export interface Ended {
  readonly exchangeId: string
  readonly shard: string
  readonly corrections: readonly Correction[]
  /** Undefined: it was not admitted, or nobody here remembers. */
  readonly open: OpenExchange | undefined
}

export interface SettlementParts {
  readonly keys: Keys
  readonly calendar: BudgetCalendar
  /** What Redis's clock says. */
  readonly nowMs: number
}

/** What Redis is told of an exchange that has ended. */
export function settlementOf(
  { exchangeId, shard, corrections, open }: Ended,
  { keys, calendar, nowMs }: SettlementParts,
): Settlement {
  const isOwn = open?.by === 'here'
  const counted = corrections.filter(({ limit }) => !open?.uncharged.has(limit.key))
  return {
    exchangeId,
    marker: isOwn ? keys.localMarker(shard, exchangeId) : keys.marker(shard, exchangeId),
    corrections: counted.map((correction) => ({
      ...correction,
      window: open?.windows.get(correction.limit.key) ?? windowOf(correction.limit, calendar, nowMs),
    })),
    slots: (open?.slots ?? []).map((limit) => keys.bucket(limit)),
    // What passed here was charged as a part of its bucket: Redis has no marker of it.
    unknown: isOwn ? 'difference' : 'used',
  }
}
