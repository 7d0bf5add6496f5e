import fc from 'fast-check'
import t from 'tap'
import { HealthWitness, type Step, smallBounds, type Told } from './health-witness.ts'

const end = fc.constantFrom('answered', 'failed', 'failed', 'failed', 'overloaded', 'abandoned')
const which = fc.nat(11)
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom('enter', 'enter', 'enterAnyway') }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('end'), which, end }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('head'), which }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('probe'), verdict: fc.constantFrom('alive', 'down', 'down') }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('pass'),
      ms: fc.oneof(fc.nat(120), fc.nat(600), fc.constantFrom(100, 300, 500, 2_000)),
    }),
  },
)

/** Runs the steps; `look` sees the witness before and after each. */
function run(steps: readonly Step[], chance: number, look: (witness: HealthWitness) => void): HealthWitness {
  const witness = new HealthWitness(() => chance)
  for (const next of steps) {
    const before = witness.told.length
    const until = witness.health.snapshot().ejectedUntil
    const expected = witness.take(next)
    const waitWasOver = witness.state === 'ejected' && until !== undefined && witness.at >= until
    // Looking is what ends a wait.
    const { state } = witness.health
    const reasons = witness.told.slice(before).map(({ reason }) => reason)
    const all = [...(expected === undefined ? [] : [expected]), ...(waitWasOver ? ['wait_over'] : [])]
    if (reasons.join() !== all.join())
      throw new Error(`${JSON.stringify(next)}: ${reasons} instead of ${all}`)
    if (state !== witness.state) throw new Error(`${state}, but told ${witness.state}`)
    look(witness)
  }
  return witness
}

const steps = fc.array(step, { minLength: 20, maxLength: 120 })
const chance = fc.constantFrom(0, 0.5, 0.999)
const numRuns = 600

t.test('1, 2, 3, 5: calls, probes and time change the state as the history says', (t) => {
  const seen = new Set<string>()
  fc.assert(
    fc.property(steps, chance, (all, random) => {
      const { told } = run(all, random, () => {})
      for (const { from, to, reason } of told) seen.add(`${from} ${to} ${reason}`)
    }),
    // The rarest change comes about once in 40 runs.
    { numRuns: 5_000 },
  )
  t.same(
    [...seen].sort(),
    [
      'ejected healthy call_answered',
      'ejected probation call_answered',
      'ejected probation probe_answered',
      'ejected probation wait_over',
      'healthy ejected calls_failed',
      'healthy ejected probes_failed',
      'probation ejected probation_failed',
      'probation healthy call_answered',
    ],
    'every change that there is, and no other',
  )
  t.end()
})

const require = (holds: boolean, what: unknown): void => {
  if (!holds) throw new Error(JSON.stringify(what))
}

/** Checks the wait that has just begun; gives its end. */
function lengthOfWait({ told, health, inRow }: HealthWitness): number {
  const { at, waitMs } = told.at(-1) as Told
  const fullMs = Math.min(smallBounds.ejectionMsMax, smallBounds.ejectionMs * 2 ** (inRow - 1))
  require(waitMs <= fullMs && waitMs >= 0.8 * fullMs - 1e-9, { waitMs, fullMs })
  require(health.ejectionsInRow === inRow, { is: health.ejectionsInRow, inRow })
  return at + waitMs
}

t.test('4: a wait is of its length, and nothing prolongs it', (t) => {
  let waits = 0
  fc.assert(
    fc.property(steps, chance, (all, random) => {
      let last = { ejections: 0, until: 0 }
      run(all, random, (witness) => {
        const { ejections } = witness
        if (ejections > last.ejections) {
          waits += 1
          last = { ejections, until: lengthOfWait(witness) }
        }
        const { ejectedUntil } = witness.health.snapshot()
        require(ejectedUntil === (witness.state === 'ejected' ? last.until : undefined), {
          ejectedUntil,
          last,
        })
      })
    }),
    { numRuns },
  )
  t.ok(waits > 100, 'waits were looked at')
  t.end()
})

interface Share {
  readonly share: number
  readonly changes: number
}

/** Checks the share now beside the last one of the same healthy time. */
function shareAfter(witness: HealthWitness, last: Share): Share {
  const { share, waitMs } = witness.health
  require(share > 0 === witness.mayEnter && (waitMs === 0) === witness.mayEnter, { share, waitMs })
  require(share === 0 || (share >= smallBounds.slowStartFloor && share <= 1), { share })
  const changes = witness.told.length
  if (witness.state !== 'healthy') return { share, changes }
  if (changes === last.changes) require(share >= last.share, { share, last })
  const recovery = witness.told.at(-1)
  const isWarm = recovery === undefined || witness.at - recovery.at >= smallBounds.slowStartMs
  require((share === 1) === isWarm, { share, isWarm })
  return { share, changes }
}

t.test('6: the share says who may enter, and only grows while healthy', (t) => {
  let grew = 0
  fc.assert(
    fc.property(steps, chance, (all, random) => {
      let last = { share: 0, changes: -1 }
      run(all, random, (witness) => {
        const now = shareAfter(witness, last)
        if (now.changes === last.changes && now.share > last.share) grew += 1
        last = now
      })
    }),
    { numRuns },
  )
  t.ok(grew > 0, 'slow starts were looked at')
  t.end()
})

t.test('7: changes are told once and in order', (t) => {
  fc.assert(
    fc.property(steps, chance, (all, random) => {
      const { told } = run(all, random, () => {})
      let [state, at] = ['healthy', 0]
      for (const change of told) {
        if (change.from !== state || change.to === state || change.at < at)
          throw new Error(JSON.stringify(told))
        state = change.to
        at = change.at
      }
    }),
    { numRuns },
  )
  t.pass('no change was lost, doubled or late')
  t.end()
})
