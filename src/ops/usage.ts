import { parseBucketKey } from '../policy/bucket-key.ts'
import type { Limit } from '../policy/limit.ts'
import type { LimitState, QuotaStore } from '../quota/store.ts'
import type { ThrottledCount } from '../quota/throttled.ts'
import { Refusal } from '../refusal.ts'
import { type Changes, fromStore, type Operator, storeAway } from './changes.ts'
import { isoTime } from './documents.ts'
import type { OpsView } from './view.ts'

export interface UsageParts {
  readonly store: Pick<QuotaStore, 'peek' | 'keys' | 'reset' | 'health' | 'kind'>
  readonly changes: Changes
  readonly throttled: { list(): readonly ThrottledCount[] }
  readonly view: OpsView
}

const countDefault = 100
/** Pages that are looked through for buckets of one tenant before the caller is given what there is, with a cursor. */
const pagesMax = 20

/** What is in use, and emptying it. */
export class Usage {
  readonly #parts: UsageParts

  constructor(parts: UsageParts) {
    this.#parts = parts
  }

  async page(query: ReadonlyMap<string, string>): Promise<object> {
    const { throttled } = this.#parts
    const limit = query.get('limit')
    const tenant = query.get('tenant')
    const prefix = query.get('prefix') ?? (limit === undefined ? '' : `${limit}|`)
    const count = Number(query.get('count') ?? countDefault)
    const limits: Limit[] = []
    let cursor = query.get('cursor') ?? ''
    for (let pages = 0; pages < pagesMax; pages += 1) {
      const page = await fromStore(this.#parts.store.keys(prefix, cursor, count))
      limits.push(...page.keys.flatMap((key) => this.#wanted(key, { limit, tenant })))
      cursor = page.cursor
      if (cursor === '' || limits.length >= count) break
    }
    const states = await fromStore(this.#parts.store.peek(limits))
    return {
      buckets: states.map(bucketAnswer),
      cursor,
      throttled: throttled
        .list()
        .filter((each) => isAbout(each, { limit, tenant }))
        .map(throttledAnswer),
      store: storeAnswer(this.#parts.store),
    }
  }

  /** Throws `not_found` for a key of no limit. */
  reset(key: string, reason: string | undefined, operator: Operator): Promise<object> {
    const { store, changes, view } = this.#parts
    const limit = view.book.limitAt(key)
    if (limit === undefined) throw new Refusal('not_found', 'no limit has such a bucket', { param: 'key' })
    return changes.alone(async () => {
      const [before] = await fromStore(store.peek([limit]))
      const after = { used: 0 }
      const change = {
        event: 'bucket.reset' as const,
        name: key,
        before: { used: before?.used ?? null },
        after,
        reason,
      }
      await changes.make(operator, change, async () => {
        await store.reset(limit)
        return true
      })
      const [state] = await fromStore(store.peek([limit]))
      if (state === undefined) throw storeAway(new Error('no state'))
      return { bucket: bucketAnswer(state) }
    })
  }

  /** A bucket whose limit is gone is no longer asked by anybody: it ages away and is not shown. */
  #wanted(key: string, { limit, tenant }: Filter): readonly Limit[] {
    if (tenant !== undefined && parseBucketKey(key)?.values.tenant !== tenant) return []
    const found = this.#parts.view.book.limitAt(key)
    return found === undefined || (limit !== undefined && found.name !== limit) ? [] : [found]
  }
}

interface Filter {
  readonly limit: string | undefined
  readonly tenant: string | undefined
}

const isAbout = (each: ThrottledCount, { limit, tenant }: Filter): boolean =>
  (limit === undefined || each.limit === limit) && (tenant === undefined || each.tenant === tenant)

/** Cost in units of the currency, as operators write it. */
export const shown = ({ counts }: Pick<Limit, 'counts'>, units: number): number =>
  counts === 'cost' ? units / 1e9 : units

const bucketAnswer = ({ limit, used, remaining, resetMs }: LimitState) => ({
  key: limit.key,
  limit: limit.name,
  dimensions: { ...parseBucketKey(limit.key)?.values },
  counts: limit.counts,
  per: limit.per ?? null,
  amount: shown(limit, limit.amount),
  burst: shown(limit, limit.burst),
  used: shown(limit, used),
  remaining: shown(limit, remaining),
  share: limit.burst === 0 ? 0 : Math.round((used / limit.burst) * 1e4) / 1e4,
  reset_ms: Math.ceil(resetMs),
  source: limit.source,
  mode: limit.mode,
})

const throttledAnswer = ({ lastAt, ...counted }: ThrottledCount) => ({ ...counted, last_at: isoTime(lastAt) })

const storeAnswer = ({ kind, health }: UsageParts['store']) => ({
  kind,
  available: health.available,
  replicas: health.replicas,
  backlog: health.backlog,
  away_since: health.awaySince === undefined ? null : isoTime(health.awaySince),
})
