import t from 'tap'
import { recordDecision } from '../../../src/exchange/settle/record-decision.ts'
import type { Trail } from '../../../src/exchange/trail.ts'
import { LimitRefusal } from '../../../src/quota/limit-refusal.ts'
import { Pace } from '../../../src/quota/pace.ts'
import { Throttled } from '../../../src/quota/throttled.ts'
import { Refusal } from '../../../src/refusal.ts'
import { simulatedPrincipal } from '../../policy/simulated-call.ts'
import { fakeClock } from '../../quota/fake-clock.ts'
import { limitOf } from '../../quota/simulated-limit.ts'

const principal = simulatedPrincipal(['app'])
const limit = limitOf({
  name: 'money',
  counts: 'cost',
  per: 'day',
  amount: 2_000_000_000,
  burst: 2_000_000_000,
})
const state = { limit, used: 1_500_000_000, remaining: 500_000_000, resetMs: 60_000 }
const verdict = { state, asked: 3_000_000_000, waitMs: Number.POSITIVE_INFINITY }

function stage() {
  const kept = new Map<string, Record<string, unknown>>()
  const clock = fakeClock()
  const throttled = new Throttled({ clock })
  const decisions = {
    keep: (id: string, text: string) => void kept.set(id, JSON.parse(text)),
    find: async () => undefined,
  }
  const rules = {
    quota: { store: { decisions } },
    throttled,
    decisionPace: new Pace({ clock, perSecond: 1, burst: 3 }),
    policy: { hash: 'abc' },
  }
  const end = (fields: object): void =>
    recordDecision({ id: 'r-1', endpoint: 'models', isoNow: 'now', summed: false, ...fields } as Trail, rules)
  return { kept, throttled, end }
}

t.test('a refusal by a limit is kept with the limit that decided, in units of the currency', (t) => {
  const { kept, throttled, end } = stage()
  end({ principal, refusal: new LimitRefusal(verdict, [state]) })
  t.match(kept.get('r-1'), {
    tenant: principal.tenant,
    model: null,
    limits: [{ name: 'money', amount: 2, used: 1.5, remaining: 0.5, asked: 3, wait_ms: null }],
    policy: 'abc',
  })
  t.match(throttled.list(), [{ limit: 'money', tenant: principal.tenant, refused: 1 }])
  t.end()
})

t.test('what passed is not kept, and what a shadow would have refused is counted', (t) => {
  const { kept, throttled, end } = stage()
  end({ principal, refusal: undefined, decision: { shadowed: [verdict] } })
  t.equal(kept.size, 0)
  t.match(throttled.list(), [{ limit: 'money', refused: 0, shadowed: 1 }])
  t.end()
})

t.test('what nobody is known for is kept only where it has a record of its own', (t) => {
  const { kept, end } = stage()
  end({ id: 'framing', refusal: new Refusal('malformed_request', 'odd') })
  end({ id: 'summed', refusal: new Refusal('missing_token', 'none'), summed: true })
  end({ id: 'alone', refusal: new Refusal('missing_token', 'none') })
  t.same([...kept.keys()], ['alone'])
  t.end()
})

t.test('a tenant that is refused over and over pushes out nobody', (t) => {
  const { kept, end } = stage()
  for (let index = 0; index < 100; index += 1)
    end({ id: `r-${index}`, principal, refusal: new Refusal('model_not_found', 'none') })
  end({
    id: 'other',
    principal: { ...principal, tenant: 'other' },
    refusal: new Refusal('model_not_found', 'none'),
  })
  t.same([...kept.keys()], ['r-0', 'r-1', 'r-2', 'other'])
  t.end()
})
