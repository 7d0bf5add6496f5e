// Two gateways share the limits of one tenant in Redis, and many callers want more than there is. Calls: exactly as many
// as the budget has pass. Tokens: never more than the budget, and no more left over than one call sets aside.
import { check } from 'k6'
import { Counter } from 'k6/metrics'
import { callerOf, stream } from '../calls.ts'
import { checked } from '../measures.ts'
import { report, type SummaryData } from '../report.ts'
import { fact, settings } from '../settings.ts'
import { arrival, suite } from '../suite.ts'

const passedCalls = new Counter('quota_passed_calls')
const usedTokens = new Counter('quota_used_tokens')

const { rate, seconds } = settings
const calls = fact('calls')
const tokens = fact('tokens')
const reservedTokens = fact('reservedTokens')
const reply = { words: 8, firstTokenMs: 20, gapMs: 5 }
const refusals = [429]

export const options = suite(
  {
    calls: arrival({ exec: 'countedCalls', rate: rate / 2, seconds, callSeconds: 0.5 }),
    tokens: arrival({ exec: 'countedTokens', rate: rate / 2, seconds, callSeconds: 0.5 }),
  },
  {
    quota_passed_calls: [`count==${calls}`],
    quota_used_tokens: [`count<=${tokens}`, `count>${tokens - reservedTokens}`],
    refused_calls: ['count>0'],
    ...checked,
  },
)

export function countedCalls(): void {
  const { status } = stream(
    callerOf(({ tenant }) => tenant === 'calls'),
    { reply, refusals },
  )
  if (status === 200) passedCalls.add(1)
}

/** What the model server says that a call used is what is charged in the end. */
export function countedTokens(): void {
  const caller = callerOf(({ tenant }) => tenant === 'tokens')
  let used = 0
  const fields = { stream_options: { include_usage: true } }
  const outcome = stream(caller, { reply, refusals, fields }, ({ data }) => {
    const usage = data === '[DONE]' ? undefined : JSON.parse(data).usage
    used = usage?.total_tokens ?? used
    return true
  })
  if (outcome.status !== 200) return
  usedTokens.add(used)
  check(used, { 'the usage is told': (count) => count > 0 })
}

export function handleSummary(data: SummaryData): Record<string, string> {
  const count = (name: string): number => data.metrics[name]?.values['count'] ?? 0
  const over = (used: number, budget: number): number => Math.max(0, used - budget)
  const [passed, used] = [count('quota_passed_calls'), count('quota_used_tokens')]
  return report(data, [
    `${passed} of ${calls} calls of the budget passed: overshoot ${over(passed, calls)}`,
    `${used} of ${tokens} tokens of the budget were used: overshoot ${over(used, tokens)}`,
  ])
}
