import fc from 'fast-check'
import t from 'tap'
import type { CallEnd } from '../../../src/upstream/health/call-end.ts'
import type { HealthTurn } from '../../../src/upstream/health/endpoint-health.ts'
import { type MemberSnapshot, PoolHealth } from '../../../src/upstream/health/pool-health.ts'
import { smallBounds } from './health-witness.ts'

type Step =
  | { readonly kind: 'add' | 'remove' | 'enter' | 'kill'; readonly origin: string }
  | { readonly kind: 'end'; readonly which: number; readonly end: CallEnd }
  | { readonly kind: 'probe'; readonly origin: string; readonly verdict: 'alive' | 'down' }
  | { readonly kind: 'pass'; readonly ms: number }

const origin = fc.constantFrom('a', 'b', 'c', 'd', 'e')
const end: fc.Arbitrary<CallEnd> = fc.constantFrom('answered', 'failed', 'failed', 'failed', 'overloaded')
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('add', 'add', 'remove'), origin }) },
  { weight: 10, arbitrary: fc.record({ kind: fc.constantFrom('enter', 'enter', 'enter', 'kill'), origin }) },
  { weight: 10, arbitrary: fc.record({ kind: fc.constant('end'), which: fc.nat(20), end }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('probe'),
      origin,
      verdict: fc.constantFrom('alive', 'down', 'down'),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('pass'), ms: fc.oneof(fc.nat(80), fc.nat(900)) }) },
)

interface Options {
  readonly ejectedPercentMax: number
  readonly panicPercent: number
}

const options: fc.Arbitrary<Options> = fc.record({
  ejectedPercentMax: fc.constantFrom(0, 10, 50, 100),
  panicPercent: fc.constantFrom(0, 0, 50, 100),
})

class PoolWorld {
  at = 0
  readonly open: HealthTurn[] = []
  readonly panics: string[] = []
  readonly pool: PoolHealth

  constructor(chosen: Options) {
    this.pool = new PoolHealth({
      ...chosen,
      bounds: smallBounds,
      clock: { monotonic: () => this.at },
      random: () => 0.5,
      observer: { changed: () => {}, panicked: (now) => this.panics.push(now) },
    })
  }

  take(step: Step): void {
    if (step.kind === 'pass') this.at += step.ms
    else if (step.kind === 'end') this.open.splice(step.which, 1)[0]?.ended(step.end)
    else if (step.kind === 'probe') this.pool.healthOf(step.origin)?.probed(step.verdict)
    else if (step.kind === 'add') this.pool.add(step.origin, 'full')
    else if (step.kind === 'remove') this.pool.remove(step.origin)
    else if (step.kind === 'enter') this.#enter(step.origin)
    else for (let i = 0; i < smallBounds.failuresMax; i += 1) this.#enter(step.origin)?.ended('failed')
  }

  /** Invariant 5. */
  #enter(origin: string): HealthTurn | undefined {
    const share = this.pool.shareOf(origin)
    const turn = this.pool.enter(origin)
    require(share > 0 === (turn !== undefined), { share, origin, entered: turn !== undefined })
    if (turn !== undefined) this.open.push(turn)
    return turn
  }
}

function require(holds: boolean, what: unknown): void {
  if (!holds) throw new Error(JSON.stringify(what))
}

const isDown = ({ probeFailures }: MemberSnapshot): boolean => probeFailures >= smallBounds.probeFailuresMax
const seen = { bounded: 0, panics: 0, lone: 0, proven: 0 }

/** Invariants 1 to 3, from what operators see alone. */
function checkPool({ pool, panics }: PoolWorld, { ejectedPercentMax, panicPercent }: Options): void {
  const members = pool.snapshot()
  const size = members.length
  const healthy = members.filter(({ state }) => state === 'healthy').length
  const shouldPanic = size > 1 && panicPercent > 0 && healthy / size < panicPercent / 100
  require(pool.panics === shouldPanic, { panics: pool.panics, healthy, size })
  require((panics.at(-1) ?? 'calm') === (pool.panics ? 'panic' : 'calm'), panics)
  if (size < 2) return
  const held = members.filter(({ heldBy }) => heldBy === 'calls')
  const out = members.filter((member) => member.state !== 'healthy' && !isDown(member))
  const heldMax = ejectedPercentMax === 0 ? 0 : Math.max(1, Math.floor((size * ejectedPercentMax) / 100))
  require(held.length === (shouldPanic ? 0 : Math.min(out.length, heldMax)), { held, out, heldMax })
  const least = Math.min(...held.map(({ ejectionsInRow }) => ejectionsInRow))
  const spared = out.filter((member) => !held.includes(member))
  if (!shouldPanic) require(spared.every(({ ejectionsInRow }) => ejectionsInRow <= least), { held, spared })
  for (const { origin } of spared) require(pool.shareOf(origin) > 0, { origin })
  const ejectedByProbes = members.filter((member) => member.state === 'ejected' && isDown(member))
  for (const { origin, heldBy } of ejectedByProbes)
    require(heldBy === 'probes' && pool.shareOf(origin) === 0, { origin, heldBy })
  seen.bounded += spared.length > 0 && !shouldPanic ? 1 : 0
  seen.panics += shouldPanic ? 1 : 0
  seen.proven += ejectedByProbes.length > 0 && shouldPanic ? 1 : 0
}

/** Invariant 4, and that there is a time to try again. */
function checkWait({ pool }: PoolWorld): void {
  const members = pool.snapshot()
  const { waitMs } = pool
  require((waitMs === undefined) === (members.length === 0), { waitMs })
  const isOpen = members.some(({ origin }) => pool.shareOf(origin) > 0)
  require(waitMs === undefined || (waitMs === 0) === isOpen, { waitMs, isOpen })
  if (members.length !== 1 || isOpen) return
  require(Number(waitMs) <= smallBounds.ejectionMs, { waitMs })
  seen.lone += 1
}

t.test('1 to 5: a pool holds out no more than it should, and what it shows is so', (t) => {
  fc.assert(
    fc.property(options, fc.array(step, { minLength: 30, maxLength: 150 }), (chosen, steps) => {
      const world = new PoolWorld(chosen)
      for (const next of steps) {
        world.take(next)
        checkPool(world, chosen)
        checkWait(world)
      }
    }),
    { numRuns: 1_500 },
  )
  t.ok(
    Object.values(seen).every((times) => times > 20),
    `each case came about: ${JSON.stringify(seen)}`,
  )
  t.end()
})

t.test('4: whoever asks one server alone is let in within twice ejectionMs', (t) => {
  const call = fc.record({
    gapMs: fc.integer({ min: 1, max: 60 }),
    takesMs: fc.oneof(fc.nat(20), fc.constant(5_000)),
    end,
    probe: fc.constantFrom('none', 'none', 'alive', 'down'),
  })
  fc.assert(
    fc.property(fc.array(call, { minLength: 50, maxLength: 200 }), (calls) => {
      const world = new PoolWorld({ ejectedPercentMax: 50, panicPercent: 50 })
      const health = world.pool.add('a', 'full')
      const ends: { readonly at: number; end(): void }[] = []
      let refusedFrom: number | undefined
      for (const { gapMs, takesMs, end, probe } of calls) {
        world.at += gapMs
        for (const due of ends.filter(({ at }) => at <= world.at)) due.end()
        if (probe !== 'none') health.probed(probe)
        const turn = world.pool.enter('a')
        if (turn === undefined) refusedFrom ??= world.at
        else {
          refusedFrom = undefined
          ends.push({ at: world.at + takesMs, end: () => turn.ended(end) })
        }
        const refusedMs = world.at - (refusedFrom ?? world.at)
        require(refusedMs <= 2 * smallBounds.ejectionMs, { refusedMs, snapshot: health.snapshot() })
      }
    }),
    { numRuns: 1_000 },
  )
  t.pass('no refusal was longer')
  t.end()
})
