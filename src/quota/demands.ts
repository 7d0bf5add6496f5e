import type { Limit } from '../policy/limit.ts'
import type { Price } from '../policy/rules.ts'
import type { Demand } from './store.ts'

/** Tokens of one exchange, over all its choices and prompts. */
export interface Consumption {
  readonly inputTokens: number
  readonly outputTokens: number
}

/** A price is per million tokens, a bucket holds nano units (10^-9): a thousand nano units a token for each unit. */
const nanoPerToken = 1000

/** What tokens cost, in nano units of the currency. Exact for prices with up to three decimals. */
export const costOf = ({ inputTokens, outputTokens }: Consumption, price: Price | undefined): number =>
  price === undefined
    ? 0
    : inputTokens * Math.round(price.input * nanoPerToken) +
      outputTokens * Math.round(price.output * nanoPerToken)

/** A request alone. */
export const demandOf = (limit: Limit): Demand => ({ limit, amount: 1 })

/** What one exchange asks of each of its limits. */
export const demandsOf = (
  limits: readonly Limit[],
  tokens: Consumption,
  price: Price | undefined,
): readonly Demand[] => limits.map((limit) => ({ limit, amount: amountOf(limit, tokens, price) }))

function amountOf({ counts }: Limit, tokens: Consumption, price: Price | undefined): number {
  switch (counts) {
    case 'requests':
    case 'in_flight':
      return 1
    case 'input_tokens':
      return tokens.inputTokens
    case 'output_tokens':
      return tokens.outputTokens
    case 'total_tokens':
      return tokens.inputTokens + tokens.outputTokens
    case 'cost':
      return costOf(tokens, price)
  }
}
