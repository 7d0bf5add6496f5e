import t from 'tap'
import * as words from '../../src/config/schema/limit-words.ts'
import { budgetPeriods, counted, dimensions, ratePeriods } from '../../src/policy/limit.ts'
import { burstOf, type LimitRule, ruleFault, unitsOf } from '../../src/policy/limit-rule.ts'

const rule = (fields: Partial<LimitRule>): LimitRule => ({
  counts: 'requests',
  per: 'minute',
  amount: 10,
  by: [],
  mode: 'enforce',
  onStoreFailure: 'lease',
  timeZone: 'UTC',
  ...fields,
})

t.test('the words of the schema are those of the policy', async (t) => {
  t.same({ ...words }, { budgetPeriods, counted, dimensions, ratePeriods })
})

t.test('what no schema says', async (t) => {
  const cases: [Partial<LimitRule>, keyof LimitRule | undefined][] = [
    [{}, undefined],
    [{ counts: 'in_flight', per: undefined }, undefined],
    [{ counts: 'in_flight' }, 'per'],
    [{ per: undefined }, 'per'],
    [{ counts: 'cost' }, 'per'],
    [{ counts: 'cost', per: 'month', amount: 0.5 }, undefined],
    [{ counts: 'cost', per: 'month', amount: 9_100_000 }, 'amount'],
    [{ amount: 1.5 }, 'amount'],
    [{ amount: 1_000_000_001 }, 'amount'],
    [{ per: 'day', amount: 1_000_000_001 }, undefined],
    [{ per: 'day', burst: 5 }, 'burst'],
    [{ counts: 'in_flight', per: undefined, burst: 5 }, 'burst'],
    [{ burst: 5 }, undefined],
    [{ timeZone: 'Europe/Berlin' }, undefined],
    [{ timeZone: 'Mars/Olympus' }, 'timeZone'],
  ]
  for (const [fields, field] of cases) t.equal(ruleFault(rule(fields))?.field, field, JSON.stringify(fields))
})

t.test('burst when a rule does not say', async (t) => {
  t.equal(burstOf(rule({ amount: 60 })), 10)
  t.equal(burstOf(rule({ amount: 60, per: 'second' })), 60)
  t.equal(burstOf(rule({ counts: 'total_tokens', amount: 60 })), 60)
  t.equal(burstOf(rule({ per: 'day', amount: 60 })), 60)
  t.equal(burstOf(rule({ amount: 60, burst: 3 })), 3)
})

t.test('cost in nano units, everything else as it is', async (t) => {
  t.equal(unitsOf('cost', 0.1), 100_000_000)
  t.equal(unitsOf('requests', 7), 7)
})
