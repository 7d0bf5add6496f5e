import type { Clock } from '../clock.ts'
import type { Principal } from '../identity/principal.ts'
import type { Call, Endpoint, Usage } from '../openai/call.ts'
import type { Permit } from '../policy/permit.ts'
import { LimitRefusal } from '../quota/limit-refusal.ts'
import type { Admission, Reservation } from '../quota/quota.ts'
import type { Decision, LimitState } from '../quota/store.ts'
import type { InjectionCount } from '../redaction/injection/signal-count.ts'
import type { RestoreCount } from '../redaction/replacement/rehydration-window.ts'
import { Refusal, type RefusalCode } from '../refusal.ts'
import type { GapHistogram } from '../telemetry/histogram.ts'
import type { OpenExchange } from '../telemetry/metrics.ts'
import { type Outcome, outcomeOf } from '../telemetry/outcome.ts'
import type { Leg } from '../upstream/routes.ts'
import type { Arrival } from './arrival.ts'
import { endpointLabel } from './inbound/find-endpoint.ts'
import { PromptBlocked, type ScreenedCall } from './inbound/screen-prompt.ts'
import type { Located } from './located-findings.ts'
import type { HeldAnswer } from './outbound/attempt.ts'
import type { Target } from './outbound/dispatch.ts'
import type { Itinerary } from './outbound/route.ts'

/** Durations in milliseconds of the parts of an exchange; a part that was not reached is absent. */
export interface Phases {
  authenticate?: number
  admit?: number
  read?: number
  parse?: number
  authorize?: number
  examine?: number
  screen?: number
  reserve?: number
  queue?: number
  record?: number
  upstream?: number
}

/** A server that a call was sent to in vain. */
export interface FailedAttempt {
  readonly upstream: string
  readonly code: RefusalCode
}

/** What the relay saw pass. */
export interface Relayed {
  readonly usage: Usage
  /** Whether the model server reported the usage (otherwise we counted it). */
  readonly usageReported: boolean
  /** Events that carried text, tool calls or a reason to end. */
  readonly events: number
  readonly found: Located
  /** How the pseudonyms of the prompt fared in the reply. */
  readonly pseudonyms: Readonly<RestoreCount>
  readonly gaps: GapHistogram | undefined
  /** A stream that went on beyond what the limits set aside was ended there. */
  readonly outputCut: boolean
  /** Most code units that the windows held back at one time. */
  readonly heldCharsMax: number
  /** Time that the reply's text spent in the scanner. */
  readonly scanMs: number
}

/**
 * What happened in one exchange, filled in as it happens: the one mutable value of the path. Quota, audit record,
 * metrics and the log line are all written from it, once, at the end.
 */
export class Trail {
  readonly id: string
  readonly method: string
  readonly remoteAddress: string | undefined
  readonly endpoint: Endpoint | 'unmatched'
  readonly startedAtMonotonic: number
  readonly phases: Phases = {}
  principal: Principal | undefined
  limits: readonly LimitState[] = []
  call: Call | undefined
  permit: Permit | undefined
  injection: readonly InjectionCount[] = []
  promptFound: Located = { findings: [], tallies: [], places: [] }
  reservation: Pick<Reservation, 'inputTokens' | 'outputTokens'> | undefined
  /** What the limits said when they let the exchange go on. */
  decision: Decision | undefined
  pool: string | undefined
  /** The server that the call was sent to last, or whose answer is relayed. */
  target: Target | undefined
  /** The place at the pool; what is metered is charged to it. */
  turn: Pick<HeldAnswer, 'produced'> | undefined
  /** Times that the call was sent. */
  attempts = 0
  /** Servers that failed before another one was tried, or none was left. */
  readonly failedAttempts: FailedAttempt[] = []
  admissionRecorded = false
  relayed: Relayed | undefined
  /** Milliseconds from arrival until the first bytes of the reply were on their way to the caller. */
  firstByteMs: number | undefined
  /** The same for the first text or tool call of a stream: a role chunk is no token. */
  firstTokenMs: number | undefined
  status = 0
  /** Stands until something goes wrong. */
  outcome: Outcome = 'completed'
  refusal: Refusal | undefined
  /** Counted in metrics, but without a record or a log line of its own. */
  summed = false
  /** What broke, when it was neither the caller's fault nor a limit. */
  failure: unknown
  /** The exchange as metrics count it. */
  readonly metered: OpenExchange
  readonly #arrival: Pick<Arrival, 'peer'>
  readonly #clock: Clock
  #phaseAt: number

  constructor(
    arrival: Pick<Arrival, 'id' | 'method' | 'remoteAddress' | 'peer'>,
    endpoint: Endpoint | 'unmatched',
    clock: Clock,
    open: OpenExchange,
  ) {
    this.id = arrival.id
    this.method = arrival.method
    this.remoteAddress = arrival.remoteAddress
    this.#arrival = arrival
    this.endpoint = endpoint
    this.#clock = clock
    this.metered = open
    this.startedAtMonotonic = clock.monotonic()
    this.#phaseAt = this.startedAtMonotonic
  }

  authenticated(principal: Principal): Principal {
    this.#ends('authenticate')
    this.principal = principal
    return principal
  }

  admitted(admission: Admission): Admission {
    this.#ends('admit')
    return admission
  }

  read<T>(body: T): T {
    this.#ends('read')
    return body
  }

  parsed(call: Call): Call {
    this.#ends('parse')
    this.call = call
    return call
  }

  permitted(permit: Permit): Permit {
    this.#ends('authorize')
    this.permit = permit
    return permit
  }

  examined(injection: readonly InjectionCount[]): void {
    this.#ends('examine')
    this.injection = injection
  }

  screened(screened: ScreenedCall): ScreenedCall {
    this.#ends('screen')
    this.promptFound = screened.found
    return screened
  }

  reserved(reservation: Reservation): Reservation {
    this.#ends('reserve')
    this.reservation = reservation
    this.decision = reservation.decision
    this.limits = reservation.decision.states
    return reservation
  }

  /**
   * What the exchange costs. A caller who hung up pays for what was metered until then. One who hung up before the first
   * byte pays for the prompt, which the model server was working on; a server that refused or failed has cost nothing.
   */
  get charged(): Pick<Usage, 'inputTokens' | 'outputTokens'> {
    if (this.relayed !== undefined) return this.relayed.usage
    const cut = this.outcome === 'client_abort' || this.outcome === 'timeout' || this.outcome === 'drain'
    const inputTokens = cut && this.attempts > 0 ? (this.reservation?.inputTokens ?? 0) : 0
    return { inputTokens, outputTokens: 0 }
  }

  /** The admission record is durable: an ending record must follow. */
  recorded(): void {
    this.#ends('record')
    this.admissionRecorded = true
  }

  routed(itinerary: Itinerary): Itinerary {
    this.pool = itinerary.legs[0]?.pool.name
    return itinerary
  }

  /** A place at a server of this pool was given. */
  queued({ pool }: Leg): void {
    this.#ends('queue')
    this.pool = pool.name
  }

  /** The request goes to a model server, once more: counted here, because it may end without an answer. */
  sent(target: Target): void {
    this.attempts += 1
    this.target = target
  }

  /** A server failed, before the caller had a byte. */
  attemptFailed(upstream: string, error: unknown): void {
    this.#ends('upstream')
    this.failedAttempts.push({ upstream, code: error instanceof Refusal ? error.code : 'internal_error' })
  }

  answered(answer: HeldAnswer): HeldAnswer {
    this.#ends('upstream')
    this.target = answer.target
    this.turn = answer
    return answer
  }

  /** The head of a stream has been sent. */
  streamBegan(): void {
    this.status = 200
    this.metered.streamBegan()
  }

  firstByte(): void {
    this.firstByteMs ??= this.elapsedMs
  }

  firstToken(): void {
    this.firstTokenMs ??= this.elapsedMs
  }

  /** Records why the exchange ended early and returns the refusal that the caller is told. */
  failed(error: unknown): Refusal {
    const refusal =
      error instanceof Refusal ? error : new Refusal('internal_error', 'failure', { cause: error })
    if (!(error instanceof Refusal)) this.failure = error
    if (error instanceof LimitRefusal) this.limits = error.states
    if (error instanceof PromptBlocked) this.promptFound = error.found
    this.refusal = refusal
    this.outcome = outcomeOf(error)
    return refusal
  }

  /** Fingerprint of the caller's certificate, also when its token was refused; none when the certificate itself was. */
  get certificate(): string | undefined {
    try {
      return this.#arrival.peer().fingerprint
    } catch {
      return undefined
    }
  }

  /** The same for a request that was not admitted: a caller who is refused over and over has no record for each time. */
  refusedEarly(error: unknown, records: { sums(refusal: Refusal, certificate?: string): boolean }): Refusal {
    const refusal = this.failed(error)
    this.summed = records.sums(refusal, this.certificate)
    return refusal
  }

  /** The time of a record: now, so that records follow one another in time. */
  get isoNow(): string {
    return new Date(this.#clock.now()).toISOString()
  }

  get elapsedMs(): number {
    return this.#clock.monotonic() - this.startedAtMonotonic
  }

  #ends(phase: keyof Phases): void {
    const now = this.#clock.monotonic()
    // A call that is sent again is queued for and waited for again.
    this.phases[phase] = (this.phases[phase] ?? 0) + now - this.#phaseAt
    this.#phaseAt = now
  }
}

interface Recorder {
  readonly clock: Clock
  readonly metrics: { exchangeStarted(): OpenExchange }
}

/** Begins the trail of an exchange; metrics count it as in flight from here. */
export const openTrail = (arrival: Arrival, { clock, metrics }: Recorder): Trail =>
  new Trail(arrival, endpointLabel(arrival.target), clock, metrics.exchangeStarted())
