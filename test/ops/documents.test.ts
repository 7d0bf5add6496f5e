import fc from 'fast-check'
import t from 'tap'
import { documentShapes } from '../../src/gateway/ops-shapes.ts'
import {
  readOverride,
  readQuota,
  takenAway,
  UnreadableDocument,
  writeOverride,
  writeQuota,
} from '../../src/ops/documents.ts'
import type { LimitRule } from '../../src/policy/limit-rule.ts'

const rule: LimitRule = {
  counts: 'total_tokens',
  per: 'hour',
  amount: 10,
  by: ['tenant', 'model'],
  where: { tenants: ['a*'] },
  mode: 'shadow',
  onStoreFailure: 'closed',
  timeZone: 'Europe/Berlin',
}
const said = { changedBy: 'i/bob', changedAt: '2030-01-01T00:00:00.000Z' }

t.test('what is written is read again', (t) => {
  t.same(readQuota({ version: 3, text: writeQuota({ rule, ...said }) }, 'q', documentShapes), {
    version: 3,
    rule,
    ...said,
  })
  t.equal(readQuota({ version: 4, text: takenAway(said) }, 'q', documentShapes), undefined)
  const override = {
    limit: 'tpm',
    match: { tenant: 'acme', model: 'demo' },
    amount: 5.5,
    burst: undefined,
    expiresAt: 1_900_000_000_123,
    reason: 'because',
    createdBy: 'i/bob',
    createdAt: 1_890_000_000_000,
  }
  t.same(readOverride({ version: 1, text: writeOverride(override) }, 'x', documentShapes), {
    id: 'x',
    version: 1,
    ...override,
  })
  t.end()
})

t.test('whatever stands in the store, reading it gives a document or says that there is none', (t) => {
  const text = fc.oneof(
    fc.string(),
    fc.json(),
    fc
      .record({ rule: fc.jsonValue({ maxDepth: 2 }), changed_by: fc.string(), changed_at: fc.string() })
      .map((value) => JSON.stringify(value)),
  )
  const unreadable = (read: () => unknown): boolean => {
    try {
      read()
      return true
    } catch (error) {
      return error instanceof UnreadableDocument
    }
  }
  fc.assert(
    fc.property(
      text,
      (text) =>
        unreadable(() => readQuota({ version: 1, text }, 'q', documentShapes)) &&
        unreadable(() => readOverride({ version: 1, text }, 'o', documentShapes)),
    ),
  )
  t.pass('no other failure')
  t.end()
})
