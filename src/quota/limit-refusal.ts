import { isBudget, type Limit } from '../policy/limit.ts'
import { type ErrorType, type LimitFigures, Refusal, type RefusalCode } from '../refusal.ts'
import { limitFigures, limitMessage } from './limit-message.ts'
import { type CallSize, type Smaller, smallerCall } from './smaller-call.ts'
import type { LimitState, Verdict } from './store.ts'

/**
 * A refusal by a limit, with the limit that decided and the state of every limit that was asked, so that the answer can
 * carry its headers and say what to do.
 */
export class LimitRefusal extends Refusal {
  readonly verdict: Verdict
  readonly states: readonly LimitState[]
  readonly #smaller: Smaller | undefined

  /** With the size of the call, one that no wait helps is told what to lower. */
  constructor(verdict: Verdict, states: readonly LimitState[], size?: CallSize) {
    const { state, asked, waitMs } = verdict
    const never = waitMs === Number.POSITIVE_INFINITY
    const limits = states.map(({ limit }) => limit)
    const smaller = never && size !== undefined ? smallerCall(limits, size) : undefined
    const param = smaller !== undefined && 'max_tokens' in smaller ? { param: 'max_tokens' } : {}
    super(codeOf(state.limit, asked), detailOf(verdict), never ? param : { retryAfterMs: waitMs })
    this.verdict = verdict
    this.states = states
    this.#smaller = smaller
  }

  override get told(): string {
    return limitMessage(this.verdict, this.#smaller)
  }

  /** OpenAI tells limits of tokens and of requests apart by the type. */
  override get type(): ErrorType {
    const ofTokens = this.verdict.state.limit.counts.endsWith('_tokens')
    return ofTokens && this.code === 'rate_limit_exceeded' ? 'tokens' : super.type
  }

  override get limit(): LimitFigures {
    return limitFigures(this.verdict, this.#smaller)
  }
}

/** A budget that is used up is no matter of seconds; a call that is larger than its limit will never pass. */
function codeOf(limit: Limit, asked: number): RefusalCode {
  if (limit.counts === 'in_flight') return 'concurrency_limit_exceeded'
  if (asked > limit.burst) return 'request_above_limit'
  return isBudget(limit) ? 'insufficient_quota' : 'rate_limit_exceeded'
}

const detailOf = ({ state: { limit, used }, asked }: Verdict): string => {
  const per = limit.per === undefined ? 'at a time' : `a ${limit.per}`
  const burst = limit.burst === limit.amount ? '' : `, burst ${limit.burst}`
  return `limit ${limit.key}: ${limit.amount} ${limit.counts} ${per}${burst}; used ${used}, asked ${asked}`
}
