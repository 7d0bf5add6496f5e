import fc from 'fast-check'
import t from 'tap'
import { VerifiedTokens } from '../../src/identity/verified-tokens.ts'
import { FakeClock } from './fake-clock.ts'

type Step =
  | { readonly kind: 'remember'; readonly token: string; readonly ttlMs: number }
  | { readonly kind: 'recall' | 'forget'; readonly token: string }
  | { readonly kind: 'advance'; readonly ms: number }

const token = fc.constantFrom('a', 'b', 'c', 'd', 'e')
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    fc.record({
      kind: fc.constant('remember' as const),
      token,
      ttlMs: fc.integer({ min: -5, max: 120_000 }),
    }),
    fc.record({ kind: fc.constantFrom('recall' as const, 'forget' as const), token }),
    fc.record({ kind: fc.constant('advance' as const), ms: fc.integer({ min: 0, max: 40_000 }) }),
  ),
  { maxLength: 40 },
)

interface Remembered {
  readonly token: string
  readonly until: number
}

/** One step; says which property it broke. */
async function walk(step: Step, tokens: VerifiedTokens<Remembered>, clock: FakeClock): Promise<void> {
  if (step.kind === 'advance') return clock.advance(step.ms)
  if (step.kind === 'forget') return tokens.forget(step.token)
  if (step.kind === 'remember') {
    const until = clock.monotonic() + Math.min(60_000, step.ttlMs)
    return tokens.remember(step.token, { token: step.token, until }, step.ttlMs)
  }
  const value = tokens.recall(step.token)
  if (value && clock.monotonic() >= value.until) throw new Error('2: given out past its time')
  if (value && value.token !== step.token) throw new Error('3: another token')
}

t.test('properties 1-3: bounded, never past its time, never another token', async (t) => {
  const held = fc.assert(
    fc.asyncProperty(steps, async (script) => {
      const clock = new FakeClock()
      const tokens = new VerifiedTokens<Remembered>({ clock, entriesMax: 3 })
      for (const step of script) {
        await walk(step, tokens, clock)
        if (tokens.size > 3) throw new Error('1: too many entries')
      }
    }),
    { numRuns: 60 },
  )
  await t.resolves(held)
})

t.test('the one that was used longest ago goes first', async (t) => {
  const tokens = new VerifiedTokens<number>({ clock: new FakeClock(), entriesMax: 2 })
  tokens.remember('a', 1, 1000)
  tokens.remember('b', 2, 1000)
  t.equal(tokens.recall('a'), 1)
  tokens.remember('c', 3, 1000)
  t.equal(tokens.recall('b'), undefined)
  t.equal(tokens.recall('a'), 1)
  t.equal(tokens.recall('c'), 3)
})

t.test('a wall clock that is set back does not lengthen a life; a minute is the most', async (t) => {
  const clock = new FakeClock()
  const tokens = new VerifiedTokens<number>({ clock, entriesMax: 2 })
  tokens.remember('a', 1, 3_600_000)
  clock.setWall(0)
  await clock.advance(59_999)
  t.equal(tokens.recall('a'), 1)
  await clock.advance(1)
  t.equal(tokens.recall('a'), undefined)
})

t.test('none is remembered when none may be', async (t) => {
  const tokens = new VerifiedTokens<number>({ clock: new FakeClock(), entriesMax: 0 })
  tokens.remember('a', 1, 1000)
  t.equal(tokens.recall('a'), undefined)
})
