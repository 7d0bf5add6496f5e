import type { Limit } from '../policy/limit.ts'
import type { Price } from '../policy/rules.ts'
import { costOf } from './demands.ts'
import { outputBound } from './output-bound.ts'

/** How large a call is, as its reservation counts it. */
export interface CallSize {
  /** Estimated. */
  readonly inputTokens: number
  /** Of each choice. */
  readonly outputTokensMax: number
  /** Over all prompts. */
  readonly choices: number
  readonly price?: Price | undefined
}

/** What to lower, and to what, so that a call fits into its limits: never empty, a value of 0 says that nothing fits. */
export type Smaller =
  | { readonly max_tokens: number }
  | { readonly max_tokens: number; readonly n: 1 }
  | { readonly prompt_tokens: number }

/** The least change that makes a call fit into the bursts of all its limits. */
export function smallerCall(limits: readonly Limit[], size: CallSize): Smaller {
  const { inputTokens, outputTokensMax, choices, price } = size
  const inputMax = inputBound(limits, size)
  if (inputTokens > inputMax || outputTokensMax === 0) return { prompt_tokens: inputMax }
  const room = Math.floor(outputBound(limits, inputTokens, price))
  if (room < 1) return { prompt_tokens: 0 }
  if (room >= choices) return { max_tokens: Math.min(outputTokensMax, Math.floor(room / choices)) }
  return { max_tokens: Math.min(outputTokensMax, room), n: 1 }
}

/** Longest prompt that leaves room for one token of output, or for none when none is asked for. */
function inputBound(limits: readonly Limit[], { outputTokensMax, price }: CallSize): number {
  const outputTokens = Math.min(1, outputTokensMax)
  const rooms = limits
    .filter(({ mode }) => mode === 'enforce')
    .map(({ counts, burst }) => {
      if (counts === 'input_tokens') return burst
      if (counts === 'total_tokens') return burst - outputTokens
      return counts === 'cost'
        ? inputFor(burst - costOf({ inputTokens: 0, outputTokens }, price), price)
        : most
    })
  return Math.min(...rooms, most)
}

const most = Number.MAX_SAFE_INTEGER

/** Tokens of a prompt that this much buys. */
function inputFor(money: number, price: Price | undefined): number {
  const each = costOf({ inputTokens: 1, outputTokens: 0 }, price)
  if (money < 0) return 0
  return each === 0 ? most : Math.floor(money / each)
}
