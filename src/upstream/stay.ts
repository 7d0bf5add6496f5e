import type { Clock } from '../clock.ts'
import type { CallEnd } from './health/call-end.ts'
import type { HealthTurn } from './health/endpoint-health.ts'
import { orcaLoad } from './load/orca.ts'
import type { Member } from './member.ts'
import type { Place, PlaceAsked } from './pool.ts'
import type { Turn } from './queue/held-turn.ts'
import type { EndpointHandle } from './upstream.ts'
import type { Work } from './work.ts'

export interface StayParts {
  readonly clock: Pick<Clock, 'monotonic'>
  readonly member: Member
  readonly turn: Turn
  readonly health: HealthTurn
  readonly work: Work
  readonly asked: PlaceAsked
  /** It was given back: there may be room for others. */
  left(): void
}

type Used = { readonly inputTokens: number; readonly outputTokens: number }

/**
 * A call at a server, and what the server is known by afterwards: its health, its load, how many calls it can have.
 *
 * 1. The place is given back once; nothing that comes later changes anything.
 * 2. A head below 500 that is not 429 makes the server healthy at once, however long the reply takes; what breaks later
 *    counts against it once.
 */
export class Stay implements Place {
  readonly #parts: StayParts
  readonly #startedAt: number
  readonly #inFlight: number
  #firstTokenAt: number | undefined
  #lastTokenAt = 0
  #tokens = 0
  #isHeld = true

  constructor(parts: StayParts) {
    this.#parts = parts
    this.#startedAt = parts.clock.monotonic()
    parts.member.held += 1
    this.#inFlight = parts.member.held
  }

  get endpoint(): EndpointHandle {
    return this.#parts.member.endpoint
  }

  get waitedMs(): number {
    return this.#parts.turn.waitedMs
  }

  answered(status: number, loadReport: string | undefined): void {
    const { member, health, clock, asked } = this.#parts
    if (status === 429 || status === 503) member.limit.overloaded()
    else if (status < 500) health.answered()
    const report = orcaLoad(loadReport, { at: clock.monotonic(), runningElse: member.held })
    if (report !== undefined) member.load.reported(report)
    // Embeddings make no tokens: their answer is all that there is to time.
    if (status === 200 && asked.outputTokens === 0) this.#sample({ ttftMs: this.#elapsedMs })
  }

  produced(tokens: number): void {
    if (!this.#isHeld) return
    const { turn, work, clock, asked } = this.#parts
    turn.produced(tokens)
    work.produced(tokens)
    this.#tokens += tokens
    this.#lastTokenAt = clock.monotonic()
    if (this.#firstTokenAt !== undefined) return
    this.#firstTokenAt = this.#lastTokenAt
    if (!asked.stream) return
    work.firstToken()
    this.#sample({ ttftMs: this.#elapsedMs })
  }

  end(end: CallEnd, used?: Used): void {
    if (!this.#isHeld) return
    this.#isHeld = false
    const { member, turn, health, work } = this.#parts
    if (end === 'answered') this.#learn(used)
    if (end === 'overloaded') member.limit.overloaded()
    member.held -= 1
    health.ended(end)
    work.end(used)
    turn.end(used)
    this.#parts.left()
  }

  /** How long tokens took, where a whole reply came. */
  #learn(used: Used | undefined): void {
    const { asked } = this.#parts
    const outputTokens = Math.max(this.#tokens, used?.outputTokens ?? 0)
    if (!asked.stream && asked.outputTokens > 0 && outputTokens > 0)
      this.#sample({ replyMs: this.#elapsedMs, outputTokens })
    else if (this.#firstTokenAt !== undefined && outputTokens > 1)
      this.#sample({ tpotMs: (this.#lastTokenAt - this.#firstTokenAt) / (outputTokens - 1) })
  }

  #sample(times: { ttftMs?: number; tpotMs?: number; replyMs?: number; outputTokens?: number }): void {
    const { member, asked } = this.#parts
    member.limit.sample({ ...times, inputTokens: asked.inputTokens, inFlight: this.#inFlight })
  }

  get #elapsedMs(): number {
    return this.#parts.clock.monotonic() - this.#startedAt
  }
}
