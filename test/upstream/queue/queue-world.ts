import type { Priority } from '../../../src/policy/priority.ts'
import { Refusal } from '../../../src/refusal.ts'
import {
  type Asking,
  FairQueue,
  type QueueBounds,
  type QueueRefusal,
} from '../../../src/upstream/queue/fair-queue.ts'
import type { Turn } from '../../../src/upstream/queue/held-turn.ts'
import { SteppingClock, settled } from '../stepping-clock.ts'

/** One who asked for a turn, and what came of it. */
export interface Asked {
  readonly asking: Asking
  readonly at: number
  /** `waiting`, `turn`, the reason of the queue's refusal, or `left`. */
  state: string
  /** How often the wait ended: 1 once it did. */
  endings: number
  turn: Turn | undefined
  retryAfterMs: number | undefined
  leave(): void
}

/** A queue with a clock of its own, and everybody who ever asked. */
export class QueueWorld {
  readonly clock = new SteppingClock()
  readonly queue: FairQueue
  readonly asked: Asked[] = []
  /** Those who got a turn, in order. */
  readonly admitted: Asked[] = []
  readonly refused: QueueRefusal[] = []
  waits = 0

  constructor(places: number, bounds: Partial<QueueBounds> = {}) {
    this.queue = new FairQueue({
      name: 'gpu',
      places: () => places,
      bounds: { waitingMax: 1000, waitingPerTenantMax: 1000, waitMsMax: 60_000, ...bounds },
      clock: this.clock,
      observer: { waited: () => void this.waits++, refused: (reason) => void this.refused.push(reason) },
    })
  }

  async ask(tenant: string, fields: Partial<Asking> = {}): Promise<Asked> {
    const asked = this.start(tenant, fields)
    await settled()
    return asked
  }

  start(tenant: string, fields: Partial<Asking> = {}): Asked {
    const caller = new AbortController()
    const asked: Asked = {
      asking: { tenant, weight: 1, priority: 'interactive', inputTokens: 1, waitMsMax: 60_000, ...fields },
      at: this.clock.now(),
      state: 'waiting',
      endings: 0,
      turn: undefined,
      retryAfterMs: undefined,
      leave: () => caller.abort(new Refusal('caller_gone', 'left')),
    }
    this.asked.push(asked)
    this.queue.wait(asked.asking, caller.signal).then(
      (turn) => {
        asked.endings++
        asked.state = 'turn'
        asked.turn = turn
        this.admitted.push(asked)
      },
      (error: Refusal) => {
        asked.endings++
        asked.state = error.code === 'caller_gone' ? 'left' : (error.detail.split(' ')[0] as string)
        asked.retryAfterMs = error.retryAfterMs
      },
    )
    return asked
  }

  get waiting(): Asked[] {
    return this.asked.filter(({ state }) => state === 'waiting')
  }

  get running(): Asked[] {
    return this.asked.filter(({ turn }) => turn !== undefined)
  }

  async end(asked: Asked | undefined, used?: Parameters<Turn['end']>[0]): Promise<void> {
    const turn = asked?.turn
    if (asked === undefined || turn === undefined) return
    asked.turn = undefined
    turn.end(used)
    // A second time must change nothing.
    turn.end(used)
    await settled()
  }

  waitingOf = (tenant: string, priority?: Priority): number =>
    this.waiting.filter(
      ({ asking }) => asking.tenant === tenant && (priority ?? asking.priority) === asking.priority,
    ).length

  /** Everybody gone: what is left then has leaked. */
  async empty(): Promise<void> {
    for (const asked of this.waiting) asked.leave()
    await settled()
    for (const asked of this.running) await this.end(asked)
  }
}
