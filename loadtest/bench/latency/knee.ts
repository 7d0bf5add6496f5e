// The knee: callers who each ask again when they have their answer, more of them at each step, until more of them bring no
// more answers. It is that of the gateway on this machine with the driver and the model server beside it: `cores` says whether
// the gateway was what was short of time (1: its one event loop never rested).
import { setTimeout as delay } from 'node:timers/promises'
import { monotonicMs } from '../../driver/monotonic-clock.ts'
import { timedBody } from '../../driver/timed-call.ts'
import { call } from '../../driver/timed-client.ts'
import { KIB, STREAM_GAP_MS, STREAM_TOKENS } from './measure.ts'
import type { Stand, Way } from './stand.ts'

export interface Step {
  readonly callers: number
  /** Requests a second, or tokens a second of streams. Answers alone count, not refusals. */
  readonly perSecond: number
  /** CPU time of the gateway over the time of the step. */
  readonly cores: number
  readonly refused: number
}

export interface Knee {
  /** The first step within 5 % of the best. */
  readonly at: Step
  readonly steps: readonly Step[]
}

export type Kind = 'whole' | 'streams'

const CALLERS = {
  whole: [1, 2, 4, 8, 16, 32, 64, 128],
  streams: [8, 16, 32, 64, 128, 256, 512],
} as const
/** A step that is no better than this many times the best before it is past the knee; the second such step ends the search. */
const GAIN_MIN = 1.05
const AFTER_FAULT_MS = 20

/** The first step that comes within `GAIN_MIN` of the best. */
export function kneeOf(steps: readonly Step[]): Step {
  const best = Math.max(...steps.map(({ perSecond }) => perSecond))
  const at = steps.find(({ perSecond }) => perSecond * GAIN_MIN >= best)
  if (at === undefined) throw new Error('no step of the search was answered')
  return at
}

export async function findKnee(
  stand: Stand,
  way: Exclude<Way, 'direct'>,
  kind: Kind,
  seconds: number,
): Promise<Knee> {
  const steps: Step[] = []
  let best = 0
  let past = 0
  for (const callers of CALLERS[kind]) {
    stand.signal.throwIfAborted()
    const step = await closedLoop(stand, way, kind, { callers, seconds })
    steps.push(step)
    past = step.perSecond > best * GAIN_MIN ? 0 : past + 1
    best = Math.max(best, step.perSecond)
    if (past === 2) break
  }
  await stand.takeSent()
  return { at: kneeOf(steps), steps }
}

async function closedLoop(
  stand: Stand,
  way: Exclude<Way, 'direct'>,
  kind: Kind,
  { callers, seconds }: { readonly callers: number; readonly seconds: number },
): Promise<Step> {
  const { child } = stand.sides[way].measured
  const [tokens, gapMs, stream] = kind === 'whole' ? [16, 0, false] : [STREAM_TOKENS, STREAM_GAP_MS, true]
  let answered = 0
  let refused = 0
  const startMs = monotonicMs()
  const cpuMs = child.cpuMs()
  const caller = async (): Promise<void> => {
    while (monotonicMs() - startMs < seconds * 1000 && !stand.signal.aborted) {
      const order = { id: stand.nextId(), tokens, gapMs, blanks: 'trailing' } as const
      const { fault } = await call(stand.targets[way], timedBody(order, { stream, bytes: KIB }))
      if (fault === undefined) answered += 1
      else {
        refused += 1
        await delay(AFTER_FAULT_MS)
      }
    }
  }
  await Promise.all(Array.from({ length: callers }, caller))
  const tookMs = monotonicMs() - startMs
  const units = kind === 'whole' ? answered : answered * STREAM_TOKENS
  return {
    callers,
    perSecond: (units * 1000) / tookMs,
    cores: (child.cpuMs() - cpuMs) / tookMs,
    refused,
  }
}
