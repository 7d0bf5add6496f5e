// What is kept is bounded, and empty buckets are forgotten. What a ledger decides is in embedded/.
import t from 'tap'
import { Ledger } from '../../src/quota/ledger.ts'
import { Refusal } from '../../src/refusal.ts'
import { limitOf } from './simulated-limit.ts'
import { ask, correct } from './store-subject.ts'

const moment = (ms: number) => ({ monotonicMs: ms, wallMs: Date.UTC(2026, 10, 28) + ms })
const each = (n: number) => limitOf({ key: `k${n}`, per: 'second', amount: 10, burst: 1 })

t.test(
  'buckets beyond the bound: refused while the others are in use, let in when they have flowed back',
  async (t) => {
    const ledger = new Ledger({ bucketsMax: 100 })
    for (let n = 0; n < 100; n += 1) ledger.admit(`e${n}`, [ask(each(n))], moment(0))
    t.equal(ledger.size.buckets, 100)
    const overloaded = () => ledger.admit('more', [ask(each(100))], moment(1))
    t.throws(overloaded, Refusal)
    t.throws(overloaded, { code: 'overloaded', retryAfterMs: 1_000 })
    t.ok(ledger.admit('later', [ask(each(101))], moment(500)).allowed)
    t.equal(ledger.size.buckets, 1)
  },
)

t.test('empty buckets are forgotten without a sweep', async (t) => {
  const ledger = new Ledger()
  for (let n = 0; n < 1_000; n += 1) {
    ledger.admit(`e${n}`, [ask(each(n))], moment(n * 50))
    ledger.settle(`e${n}`, [correct(each(n), 1, 1)], moment(n * 50))
  }
  t.ok(ledger.size.buckets < 20, `${ledger.size.buckets} are left`)
})

t.test('open exchanges are bounded, settling makes room', async (t) => {
  const ledger = new Ledger({ exchangesMax: 3 })
  const slots = limitOf({ counts: 'in_flight', amount: 100 })
  for (const id of ['a', 'b', 'c']) ledger.admit(id, [ask(slots)], moment(0))
  t.throws(() => ledger.admit('d', [ask(slots)], moment(0)), { code: 'overloaded' })
  ledger.settle('b', [correct(slots, 1, 0)], moment(0))
  t.ok(ledger.admit('d', [ask(slots)], moment(0)).allowed)
  t.equal(ledger.size.leases, 3)
})

t.test('settled exchanges are remembered, a bounded number of them', async (t) => {
  const ledger = new Ledger()
  const limit = limitOf({ per: 'hour', amount: 1_000_000 })
  for (let n = 0; n < 10_001; n += 1) ledger.settle(`e${n}`, [correct(limit, 0, 1)], moment(0))
  ledger.settle('e10000', [correct(limit, 0, 1)], moment(0))
  t.equal(ledger.peek([limit], moment(0))[0]?.used, 10_001)
})
