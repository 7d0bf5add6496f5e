import type { Limit } from '../../src/policy/limit.ts'

/** A limit as the book of limits would make it: 60 requests a minute, unless the test says otherwise. */
export function limitOf(fields: Partial<Limit> = {}): Limit {
  const { name = 'it', counts = 'requests', amount = 60 } = fields
  const per = 'per' in fields ? fields.per : counts === 'in_flight' ? undefined : 'minute'
  return {
    name,
    key: `${name}|${counts}${per === undefined ? '' : `/${per}`}|tenant=acme`,
    shard: 'acme',
    counts,
    amount,
    burst: amount,
    mode: 'enforce',
    onStoreFailure: 'lease',
    timeZone: 'UTC',
    source: 'config',
    ...fields,
    per,
  }
}
