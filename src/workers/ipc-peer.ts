/**
 * Calls over the channel between the primary process and a worker, in both directions. Invariants:
 *
 * 1. Every call ends once: with its answer, or with `PeerAway` when the other side does not answer in time, is gone, or
 *    has so much to read already that nothing more is sent.
 * 2. At most `callsMax` calls wait for an answer, and no call is made while `unsentMax` messages have not left this process.
 * 3. An answer that comes late or twice changes nothing, nor does a message that is none of ours.
 * 4. A call that is late because this process was busy is not late: what has arrived is read before it is given up.
 * 5. A `Refusal` is the same on both sides; of any other error only the message passes.
 */
import { setImmediate as afterReading } from 'node:timers/promises'
import type { Clock } from '../clock.ts'
import { Refusal, type RefusalCode, refusals } from '../refusal.ts'
import type { IpcPort } from './ipc-port.ts'

/** `not_sent`: the other side has heard nothing of it. `unanswered`: it may have done, or may yet do, what was asked. */
export type AwayReason = 'not_sent' | 'unanswered'

export class PeerAway extends Error {
  readonly reason: AwayReason

  constructor(reason: AwayReason, what: string) {
    super(what)
    this.name = 'PeerAway'
    this.reason = reason
  }
}

/** Answers one kind of call. What it throws, the caller gets. */
export type Answerer = (args: readonly unknown[]) => unknown

export interface IpcPeerOptions {
  readonly port: IpcPort
  readonly clock: Pick<Clock, 'monotonic' | 'sleep'>
  /** How long an answer is waited for, unless the call says otherwise. */
  readonly deadlineMs?: number
  readonly callsMax?: number
  readonly unsentMax?: number
}

/** Long beside a disk that is slow for a moment, short beside a caller's patience. */
const DEADLINE_MS = 2_000
const CALLS_MAX = 20_000
const UNSENT_MAX = 20_000
/** How often calls are looked through for those that are late. */
const LOOK_MS = 100

interface Waiting {
  readonly untilMs: number
  resolve(value: unknown): void
  reject(error: unknown): void
}

interface Message {
  /** Of a call; absent in what needs no answer. */
  readonly call?: number
  readonly name?: string
  readonly args?: readonly unknown[]
  /** Of the call that this answers. */
  readonly answers?: number
  readonly value?: unknown
  readonly refusal?: { readonly code: string; readonly detail: string; readonly retryAfterMs?: number }
  readonly error?: string
}

export class IpcPeer {
  readonly #options: Required<IpcPeerOptions>
  readonly #answerers = new Map<string, Answerer>()
  readonly #waiting = new Map<number, Waiting>()
  readonly #closed = new AbortController()
  #calls = 0
  #unsent = 0
  #looking = false

  constructor({
    deadlineMs = DEADLINE_MS,
    callsMax = CALLS_MAX,
    unsentMax = UNSENT_MAX,
    ...parts
  }: IpcPeerOptions) {
    this.#options = { deadlineMs, callsMax, unsentMax, ...parts }
    parts.port.onMessage((message) => this.#heard(message))
    parts.port.onClose(() => this.#close())
  }

  /** Calls that wait for an answer. */
  get waiting(): number {
    return this.#waiting.size
  }

  /** Aborts when the other side is gone. */
  get closed(): AbortSignal {
    return this.#closed.signal
  }

  /** Answers calls of this name from now on. */
  on(name: string, answerer: Answerer): void {
    this.#answerers.set(name, answerer)
  }

  /** Rejects with what the other side threw, or with `PeerAway`. */
  call(name: string, args: readonly unknown[] = [], deadlineMs = this.#options.deadlineMs): Promise<unknown> {
    const { callsMax, unsentMax, clock } = this.#options
    if (this.closed.aborted) return Promise.reject(new PeerAway('not_sent', 'the other process is gone'))
    if (this.#waiting.size >= callsMax || this.#unsent >= unsentMax)
      return Promise.reject(new PeerAway('not_sent', 'the other process is far behind'))
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    this.#calls += 1
    this.#waiting.set(this.#calls, { untilMs: clock.monotonic() + deadlineMs, resolve, reject })
    this.#send({ call: this.#calls, name, args })
    if (!this.#looking) void this.#look()
    return promise
  }

  /** Says something that needs no answer. Dropped when the other side is gone or far behind. */
  tell(name: string, args: readonly unknown[] = []): void {
    if (!this.closed.aborted && this.#unsent < this.#options.unsentMax) this.#send({ name, args })
  }

  #send(message: Message): void {
    this.#unsent += 1
    this.#options.port.send(message, () => {
      this.#unsent -= 1
    })
  }

  #heard(message: unknown): void {
    if (typeof message !== 'object' || message === null) return
    const { call, name, args, answers, ...answer } = message as Message
    if (typeof answers === 'number') this.#answered(answers, answer)
    else if (typeof name === 'string' && Array.isArray(args)) void this.#answer(call, name, args)
  }

  #answered(call: number, { value, refusal, error }: Message): void {
    const waiting = this.#waiting.get(call)
    if (waiting === undefined) return
    this.#waiting.delete(call)
    if (refusal !== undefined) waiting.reject(refusalOf(refusal))
    else if (error !== undefined) waiting.reject(new Error(error))
    else waiting.resolve(value)
  }

  async #answer(call: number | undefined, name: string, args: readonly unknown[]): Promise<void> {
    let answer: Message
    try {
      const answerer = this.#answerers.get(name)
      if (answerer === undefined) throw new Error(`nobody answers ${name}`)
      answer = { value: await answerer(args) }
    } catch (error) {
      answer = failureOf(error)
    }
    // Also when much has not left yet: whoever asked waits, and asks nothing meanwhile.
    if (call !== undefined && !this.closed.aborted) this.#send({ ...answer, answers: call })
  }

  /** Ends late calls, while there are calls. */
  async #look(): Promise<void> {
    const { clock } = this.#options
    this.#looking = true
    while (this.#waiting.size > 0) {
      await clock.sleep(LOOK_MS)
      const nowMs = clock.monotonic()
      const late = [...this.#waiting].filter(([, { untilMs }]) => untilMs <= nowMs).map(([call]) => call)
      if (late.length > 0) await afterReading()
      for (const call of late) this.#giveUp(call)
    }
    this.#looking = false
  }

  #giveUp(call: number): void {
    this.#waiting.get(call)?.reject(new PeerAway('unanswered', 'the other process does not answer'))
    this.#waiting.delete(call)
  }

  #close(): void {
    this.#closed.abort()
    for (const call of [...this.#waiting.keys()]) this.#giveUp(call)
  }
}

function failureOf(error: unknown): Message {
  if (!(error instanceof Refusal)) return { error: error instanceof Error ? error.message : 'failed' }
  const { code, detail, retryAfterMs } = error
  return { refusal: { code, detail, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) } }
}

function refusalOf({ code, detail, retryAfterMs }: NonNullable<Message['refusal']>): Error {
  if (!Object.hasOwn(refusals, code)) return new Error(detail)
  return new Refusal(code as RefusalCode, detail, retryAfterMs === undefined ? {} : { retryAfterMs })
}
