import fc from 'fast-check'
import t from 'tap'
import { costOf, demandsOf } from '../../src/quota/demands.ts'
import { outputBound } from '../../src/quota/output-bound.ts'
import { limitOf } from './simulated-limit.ts'

t.test('each dimension asks for what it counts', async (t) => {
  const counted = ['requests', 'in_flight', 'input_tokens', 'output_tokens', 'total_tokens', 'cost'] as const
  const limits = counted.map((counts) => limitOf({ counts }))
  const price = { input: 0.15, output: 0.6 }
  const demands = demandsOf(limits, { inputTokens: 1_000, outputTokens: 10 }, price)
  t.same(
    demands.map(({ amount }) => amount),
    [1, 1, 1_000, 10, 1_010, 156_000],
  )
})

t.test('cost is exact: a price per million tokens, in nano units a token', async (t) => {
  const million = { inputTokens: 1_000_000, outputTokens: 0 }
  t.equal(costOf(million, { input: 0.15, output: 9 }), 150_000_000)
  t.equal(costOf({ inputTokens: 1, outputTokens: 1 }, { input: 0.001, output: 2.5 }), 2_501)
  t.equal(costOf(million, undefined), 0)
  const price = fc.integer({ min: 0, max: 100_000_000 }).map((thousandths) => thousandths / 1000)
  fc.assert(
    fc.property(
      price,
      price,
      fc.nat(100_000),
      fc.nat(100_000),
      (input, output, inputTokens, outputTokens) => {
        const cost = costOf({ inputTokens, outputTokens }, { input, output })
        const exact =
          BigInt(Math.round(input * 1000)) * BigInt(inputTokens) +
          BigInt(Math.round(output * 1000)) * BigInt(outputTokens)
        return exact > BigInt(Number.MAX_SAFE_INTEGER) || BigInt(cost) === exact
      },
    ),
  )
})

t.test('the bound that limits could ever hold: they let it pass, and one token more never', async (t) => {
  const counts = fc.constantFrom('output_tokens', 'total_tokens', 'cost', 'input_tokens', 'requests')
  const limit = fc
    .record({ counts, amount: fc.integer({ min: 1, max: 1_000_000 }) })
    .map(({ counts, amount }) => limitOf({ counts, amount, burst: amount }))
  const price = { input: 0.002, output: 0.003 }
  fc.assert(
    fc.property(fc.array(limit, { maxLength: 4 }), fc.nat(1_000), (limits, inputTokens) => {
      const bound = Math.floor(outputBound(limits, inputTokens, price))
      if (bound === Number.POSITIVE_INFINITY || bound < 1) return true
      const holds = (outputTokens: number) =>
        demandsOf(limits, { inputTokens, outputTokens }, price)
          .filter(({ limit: { counts } }) => ['output_tokens', 'total_tokens', 'cost'].includes(counts))
          .every(({ amount, limit }) => amount <= limit.burst)
      return holds(bound) && !holds(bound + 1)
    }),
  )
  const shadow = limitOf({ counts: 'output_tokens', amount: 5, burst: 5, mode: 'shadow' })
  t.equal(outputBound([shadow], 1, undefined), Number.POSITIVE_INFINITY)
  t.equal(outputBound([], 1, undefined), Number.POSITIVE_INFINITY)
})
