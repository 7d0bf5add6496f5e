// What must come of each step of a server's health, said from the whole history instead of from a few counters.
import type { CallEnd } from '../../../src/upstream/health/call-end.ts'
import { EndpointHealth, type HealthTurn } from '../../../src/upstream/health/endpoint-health.ts'
import { type HealthBounds, healthBounds } from '../../../src/upstream/health/health-bounds.ts'
import type { HealthChange, HealthReason } from '../../../src/upstream/health/health-report.ts'

export const smallBounds: HealthBounds = {
  ...healthBounds,
  ...{ failuresMax: 3, probeFailuresMax: 2, ejectionMs: 100, ejectionMsMax: 1_000 },
  ...{ healthyMs: 2_000, probationMs: 300, slowStartMs: 500 },
}

export type Step =
  | { readonly kind: 'enter' }
  | { readonly kind: 'enterAnyway' }
  | { readonly kind: 'end'; readonly which: number; readonly end: CallEnd }
  | { readonly kind: 'head'; readonly which: number }
  | { readonly kind: 'probe'; readonly verdict: 'alive' | 'down' }
  | { readonly kind: 'pass'; readonly ms: number }

interface Call {
  readonly turn: HealthTurn
  readonly index: number
  hasHead: boolean
  readonly ejections: number
  readonly decides: boolean
  readonly at: number
  end?: { readonly how: CallEnd; readonly at: number }
}

/** Something that counts for the row of failed calls. */
interface Fact {
  readonly call: Call
  readonly what: 'failed' | 'head' | 'answered'
  /** Calls that had entered by then. */
  readonly entered: number
  /** Whether the head of this call had come. */
  readonly hasHead: boolean
}

/** Failed calls in a row at the end of these facts. */
function rowOf(facts: readonly Fact[]): number {
  let row: Fact[] = []
  for (const fact of facts) {
    const isNewer = row[0] !== undefined && fact.call.index >= row[0].entered
    if (fact.what === 'failed') row.push(fact)
    else if (isNewer) row = fact.what === 'head' ? row.filter(({ hasHead }) => hasHead) : []
  }
  return row.length
}

export interface Told extends HealthChange {
  readonly at: number
}

const trailing = <T>(list: readonly T[], value: T): number =>
  list.length - 1 - list.findLastIndex((item) => item !== value)

export class HealthWitness {
  at = 0
  readonly told: Told[] = []
  readonly calls: Call[] = []
  readonly health: EndpointHealth
  /** What counted of calls since the last ejection or recovery, and of probes. */
  #facts: Fact[] = []
  readonly #probes: ('alive' | 'down')[] = []

  constructor(random: () => number) {
    this.health = new EndpointHealth({
      bounds: smallBounds,
      clock: { monotonic: () => this.at },
      random,
      changed: (change) => this.told.push({ ...change, at: this.at }),
    })
  }

  get state() {
    return this.told.at(-1)?.to ?? 'healthy'
  }

  get ejections(): number {
    return this.told.filter(({ to }) => to === 'ejected').length
  }

  /** The k of invariant 4 for the ejections so far: a long healthy time begins the count anew. */
  get inRow(): number {
    let inRow = 0
    let healthySince = 0
    for (const { from, to, at } of this.told) {
      if (from === 'healthy' && at - healthySince >= smallBounds.healthyMs) inRow = 0
      if (to === 'healthy') healthySince = at
      if (to === 'ejected') inRow += 1
    }
    return inRow
  }

  get #isDown(): boolean {
    return trailing(this.#probes, 'down') >= smallBounds.probeFailuresMax
  }

  /** Calls that decide the probation that runs. */
  get #deciders(): Call[] {
    const { ejections } = this
    return this.calls.filter((call) => call.decides && call.ejections === ejections)
  }

  /** Whether a call may enter now, by invariant 1. */
  get mayEnter(): boolean {
    if (this.state !== 'probation') return this.state === 'healthy'
    const open = this.#deciders.filter(({ end }) => end === undefined)
    const newest = open.at(-1) ?? this.#deciders.at(-1)
    if (newest === undefined) return true
    const lastEntered = Math.max(...this.#deciders.map(({ at }) => at))
    if (open.length > 0) return this.at - lastEntered >= smallBounds.probationMs
    const last = this.#deciders.reduce((a, b) => (this.#endedAfter(b, a) ? b : a))
    const rests = last.end?.how === 'overloaded' && this.at - last.end.at < smallBounds.ejectionMs
    return !rests
  }

  readonly #order: Call[] = []
  #endedAfter(call: Call, other: Call): boolean {
    return this.#order.indexOf(call) > this.#order.indexOf(other)
  }

  /** Does the step; says which change must have come of it. */
  take(step: Step): HealthReason | undefined {
    if (step.kind === 'pass') {
      this.at += step.ms
      return undefined
    }
    if (step.kind === 'probe') return this.#probe(step.verdict)
    if (step.kind === 'enter' || step.kind === 'enterAnyway') {
      this.#enter(step.kind)
      return undefined
    }
    const call = this.calls[step.which % Math.max(1, this.calls.length)]
    if (call === undefined) return undefined
    return step.kind === 'head' ? this.#head(call) : this.#end(call, step.end)
  }

  #enter(kind: 'enter' | 'enterAnyway'): void {
    const { mayEnter, state, ejections, at } = this
    const turn = this.health[kind]()
    if ((turn !== undefined) !== (mayEnter || kind === 'enterAnyway')) throw new Error(`${kind} in ${state}`)
    if (turn === undefined) return
    const decides = mayEnter && state === 'probation'
    this.calls.push({ turn, index: this.calls.length, ejections, at, decides, hasHead: false })
  }

  #probe(verdict: 'alive' | 'down'): HealthReason | undefined {
    const { state, inRow } = this
    const isNews = this.#isDown || inRow <= 1
    this.#probes.push(verdict)
    this.health.probed(verdict)
    if (verdict === 'alive') return state === 'ejected' && isNews ? 'probe_answered' : undefined
    if (!this.#isDown || state !== 'healthy') return undefined
    this.#facts = []
    return 'probes_failed'
  }

  #head(call: Call): HealthReason | undefined {
    const { state, ejections } = this
    const isNew = call.end === undefined
    const expected = isNew ? this.#proof(call) : undefined
    if (isNew) call.hasHead = true
    if (isNew && call.ejections === ejections) this.#note(call, 'head')
    if (expected !== undefined && state !== 'healthy') this.#facts = []
    call.turn.answered()
    return expected
  }

  #end(call: Call, end: CallEnd): HealthReason | undefined {
    const { state } = this
    const isNew = call.end === undefined
    const isOfNow = call.ejections === this.ejections
    const expected = isNew ? this.#consequence(call, end) : undefined
    if (isNew) {
      call.end = { how: end, at: this.at }
      this.#order.push(call)
    }
    if (isNew && isOfNow && end === 'answered') this.#note(call, 'answered')
    if (expected !== undefined && state !== 'ejected') this.#facts = []
    call.turn.ended(end)
    return expected
  }

  #consequence(call: Call, end: CallEnd): HealthReason | undefined {
    if (end === 'answered') return this.#proof(call)
    if (end !== 'failed' || call.ejections !== this.ejections) return undefined
    if (this.state === 'probation') return call.decides ? 'probation_failed' : undefined
    if (this.state === 'ejected') return undefined
    this.#note(call, 'failed')
    return rowOf(this.#facts) >= smallBounds.failuresMax ? 'calls_failed' : undefined
  }

  #note(call: Call, what: Fact['what']): void {
    this.#facts.push({ call, what, entered: this.calls.length, hasHead: call.hasHead })
  }

  /** An answer, or the head of one. */
  #proof(call: Call): HealthReason | undefined {
    if (call.ejections === this.ejections) {
      this.#probes.push('alive')
      return this.state === 'healthy' ? undefined : 'call_answered'
    }
    if (this.state !== 'ejected' || !this.#isDown) return undefined
    this.#probes.push('alive')
    return 'call_answered'
  }
}
