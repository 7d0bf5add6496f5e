import type { Counted, Limit } from '../policy/limit.ts'
import type { LimitFigures } from '../refusal.ts'
import { goDuration } from './go-duration.ts'
import type { Smaller } from './smaller-call.ts'
import type { Verdict } from './store.ts'

/**
 * What a caller is told about the limit that refused: what it counts, how much of it, how long to wait or what to make
 * smaller. Never the limit's name or key: they name roles, and may name tenants.
 */

const words = {
  requests: 'requests',
  input_tokens: 'input tokens',
  output_tokens: 'output tokens',
  total_tokens: 'tokens',
  cost: 'cost',
  in_flight: 'requests in flight',
} as const satisfies Record<Counted, string>

const belongsToCaller = /[|,](?:organization|tenant|principal)=/

/** A bucket that no other tenant shares (an organization is its tenants' own): its counts are the caller's to see. */
export const isOwn = ({ key }: Pick<Limit, 'key'>): boolean =>
  belongsToCaller.test(key.slice(key.lastIndexOf('|')))

/** The wording is OpenAI's where OpenAI has one; clients search it for `try again in 6s` and `quota exhausted`. */
export function limitMessage(verdict: Verdict, smaller: Smaller | undefined): string {
  const { state, waitMs } = verdict
  const { counts, per } = state.limit
  const figures = figuresOf(verdict)
  const subject = per === undefined ? words[counts] : `${words[counts]} per ${per}`
  if (waitMs === Number.POSITIVE_INFINITY)
    return `This call is too large for your limit on ${subject}: ${figures}. ${advice(smaller)}`
  const wait = goDuration(waitMs)
  if (per === 'day' || per === 'month')
    return `Quota exhausted on ${subject}: ${figures}. It begins anew in ${wait}.`
  return `Rate limit reached on ${subject}: ${figures}. Please try again in ${wait}.`
}

function figuresOf({ state: { limit, used }, asked }: Verdict): string {
  const shown = (units: number): string => amountText(units, limit)
  const burst = limit.burst === limit.amount ? '' : ` (at most ${shown(limit.burst)} at once)`
  const use = isOwn(limit) ? `, used ${shown(used)}` : ', which all callers share'
  return `limit ${shown(limit.amount)}${burst}${use}, requested ${shown(asked)}`
}

function advice(smaller: Smaller | undefined): string {
  if (smaller === undefined) return 'Make it smaller.'
  if ('prompt_tokens' in smaller)
    return smaller.prompt_tokens > 0
      ? `Shorten the prompt to ${smaller.prompt_tokens} tokens or less.`
      : 'No call fits into it: ask for a higher limit.'
  const bound = `Lower max_tokens (or max_completion_tokens) to ${smaller.max_tokens} or less`
  return 'n' in smaller ? `${bound}, with n at 1 and one prompt.` : `${bound}.`
}

/** Nano units as units of the currency, without an exponent. */
const amountText = (units: number, { counts }: Pick<Limit, 'counts'>): string =>
  counts === 'cost' ? (units / 1e9).toFixed(9).replace(/\.?0+$/, '') : String(units)

/** The same for programs. Cost in units of the currency, as the configuration has it. */
export function limitFigures(verdict: Verdict, smaller: Smaller | undefined): LimitFigures {
  const {
    state: { limit, used },
    asked,
    waitMs,
  } = verdict
  const shown = (units: number): number => Number(amountText(units, limit))
  return {
    counts: limit.counts,
    per: limit.per ?? null,
    amount: shown(limit.amount),
    burst: shown(limit.burst),
    ...(isOwn(limit) && { used: shown(used) }),
    asked: shown(asked),
    ...(waitMs === Number.POSITIVE_INFINITY ? smaller && { lower: smaller } : { wait_ms: Math.ceil(waitMs) }),
  }
}
