/** What the operators' listener answers, read without belief: a field of another type counts as left out. */
import {
  type Fields,
  fields,
  foreign,
  isFields,
  listOf,
  many,
  number,
  text,
  texts,
  wait,
} from './answer-fields.ts'
import type { Rule } from './rule.ts'

export interface Quota {
  readonly name: string
  readonly rule: Rule
  /** `config`, `operator` or `role` */
  readonly source: string
  /** Of the operator's document; `0` when there is none. */
  readonly version: string
  readonly configured: Rule | undefined
  readonly changedBy: string
  readonly changedAt: string
}

export function quotaOf(body: unknown): Quota {
  const quota = fields(body)
  if (!isFields(quota['rule'])) throw foreign('rule')
  return {
    name: text(quota['name']),
    rule: quota['rule'],
    source: text(quota['source']),
    version: text(quota['version']) || '0',
    configured: isFields(quota['configured']) ? quota['configured'] : undefined,
    changedBy: text(quota['changed_by']),
    changedAt: text(quota['changed_at']),
  }
}

export const quotasOf = (body: unknown): Quota[] => listOf(body, 'quotas', quotaOf)

export interface Override {
  readonly id: string
  readonly limit: string
  readonly match: Readonly<Record<string, string>>
  readonly amount: string
  readonly burst: string
  readonly expiresAt: string
  readonly reason: string
  readonly createdBy: string
}

export const overrideOf = (body: unknown): Override => {
  const override = fields(body)
  return {
    id: text(override['id']),
    limit: text(override['limit']),
    match: texts(override['match']),
    amount: text(override['amount']),
    burst: text(override['burst']),
    expiresAt: text(override['expires_at'] ?? override['expiresAt']),
    reason: text(override['reason']),
    createdBy: text(override['created_by'] ?? override['createdBy']),
  }
}

export const overridesOf = (body: unknown): Override[] => listOf(body, 'overrides', overrideOf)

export interface Bucket {
  readonly key: string
  readonly limit: string
  readonly dimensions: Readonly<Record<string, string>>
  readonly counts: string
  readonly per: string
  readonly amount: number
  readonly burst: number
  readonly used: number
  readonly remaining: number
  /** Of the burst; above 1 when more was used than reserved. */
  readonly share: number
  readonly resetMs: number
  readonly source: string
  readonly mode: string
}

/** A bucket after it was emptied. */
export const emptiedOf = (body: unknown): Bucket => bucketOf(fields(body)['bucket'])

const bucketOf = (body: unknown): Bucket => {
  const bucket = fields(body)
  return {
    key: text(bucket['key']),
    limit: text(bucket['limit']),
    dimensions: texts(bucket['dimensions']),
    counts: text(bucket['counts']),
    per: text(bucket['per']),
    amount: number(bucket['amount']),
    burst: number(bucket['burst']),
    used: number(bucket['used']),
    remaining: number(bucket['remaining']),
    share: number(bucket['share']),
    resetMs: number(bucket['reset_ms']),
    source: text(bucket['source']),
    mode: text(bucket['mode']),
  }
}

export interface Throttled {
  readonly limit: string
  readonly tenant: string
  readonly refused: number
  readonly shadowed: number
  readonly lastAt: string
}

export interface StoreState {
  readonly kind: string
  readonly available: boolean
  readonly replicas: string
  readonly backlog: string
  /** RFC 3339; empty while it is there. */
  readonly awaySince: string
}

export interface Usage {
  readonly buckets: readonly Bucket[]
  /** Where the next page begins; empty at the end. */
  readonly cursor: string
  readonly throttled: readonly Throttled[]
  readonly store: StoreState
}

export function usageOf(body: unknown): Usage {
  const { cursor, throttled, store: stored } = fields(body)
  const store = fields(stored)
  return {
    buckets: listOf(body, 'buckets', bucketOf),
    cursor: text(cursor),
    throttled: many(throttled, (each) => ({
      limit: text(each['limit']),
      tenant: text(each['tenant']),
      refused: number(each['refused']),
      shadowed: number(each['shadowed']),
      lastAt: text(each['last_at']),
    })),
    store: {
      kind: text(store['kind']),
      available: store['available'] !== false,
      replicas: text(store['replicas']),
      backlog: text(store['backlog']),
      awaySince: text(store['away_since']),
    },
  }
}

/** A limit as it was asked: in a trace of `explain`, and in a recorded decision. */
export interface AskedLimit {
  readonly name: string
  readonly key: string
  readonly source: string
  readonly amount: number
  readonly used: number
  readonly remaining: number
  /** Undefined where it was not known yet. */
  readonly asked: number | undefined
  readonly resetMs: number
  readonly verdict: string
  readonly waitMs: number
  readonly overlay: Fields
}

const askedLimitOf = (limit: Fields): AskedLimit => ({
  name: text(limit['name']),
  key: text(limit['key']),
  source: text(limit['source']),
  amount: number(limit['amount']),
  used: number(limit['used']),
  remaining: number(limit['remaining']),
  asked: typeof limit['asked'] === 'number' ? limit['asked'] : undefined,
  resetMs: number(limit['reset_ms']),
  verdict: text(limit['verdict']),
  waitMs: wait(limit['wait_ms']),
  overlay: fields(limit['overlay']),
})

export interface TraceStep {
  readonly step: string
  readonly outcome: string
  readonly detail: string
  /** What the caller would be told; empty where nothing is refused. */
  readonly code: string
}

export interface Explained {
  readonly allowed: boolean
  readonly trace: readonly TraceStep[]
  readonly limits: readonly AskedLimit[]
  readonly redaction: {
    readonly profile: string
    readonly findings: readonly { readonly entity: string; readonly action: string; readonly count: number }[]
  }
}

export const explainedOf = (body: unknown): Explained => {
  const { allowed, limits, redaction } = fields(body)
  return {
    allowed: allowed === true,
    trace: listOf(body, 'trace', (step) => ({
      step: text(step['step']),
      outcome: text(step['outcome']),
      detail: text(step['detail']),
      code: text(step['code']),
    })),
    limits: many(limits, askedLimitOf),
    redaction: {
      profile: text(fields(redaction)['profile']),
      findings: many(fields(redaction)['findings'], ({ entity, action, count }) => ({
        entity: text(entity),
        action: text(action),
        count: number(count),
      })),
    },
  }
}

export interface Decision {
  readonly requestId: string
  readonly time: string
  readonly tenant: string
  readonly principal: string
  readonly roles: readonly string[]
  readonly endpoint: string
  readonly model: string
  readonly code: string
  readonly detail: string
  /** The one that decided comes first. */
  readonly limits: readonly AskedLimit[]
  readonly policy: string
}

export const decisionOf = (body: unknown): Decision => {
  const decision = fields(body)
  const { code, roles } = decision
  if (typeof code !== 'string') throw foreign('code')
  return {
    requestId: text(decision['request_id']),
    time: text(decision['time']),
    tenant: text(decision['tenant']),
    principal: text(decision['principal']),
    roles: Array.isArray(roles) ? roles.map(text) : [],
    endpoint: text(decision['endpoint']),
    model: text(decision['model']),
    code,
    detail: text(decision['detail']),
    limits: many(decision['limits'], askedLimitOf),
    policy: text(decision['policy']),
  }
}
