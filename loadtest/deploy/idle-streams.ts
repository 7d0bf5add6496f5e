// Thousands of streams that say nothing: what each of them costs, and whether all of it comes back.
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import type { Dispatcher } from 'undici'
import { agentOf, bodyOf, type Caller, post } from './flow.ts'
import { atRest, type Held, heldBy, type SoakStage, startStage } from './soak-stage.ts'

export interface IdleResult {
  readonly streams: number
  readonly before: Held
  readonly held: Held
  readonly after: Held
  /** As many once more: a leak shows, what the first time cost once does not. */
  readonly heldAgain: Held
  readonly afterAgain: Held
  /** Why streams did not open, or that they ended by themselves. */
  readonly lost: readonly string[]
}

/** One word, and then silence for an hour. */
const silent = bodyOf({ content: ['word '], end: { after: 2, how: 'stall' } }, { stream: true })
const AT_ONCE = 32
/** What the gateway may have open beside streams: listeners, its log, connections that are just closing. */
const SLACK = 8

export async function idleStreams(secrets: string, streams: number): Promise<IdleResult> {
  const stage = await startStage(secrets, {
    inFlightMax: streams + 100,
    stream: { idleTimeoutMs: 3_600_000, firstByteTimeoutMs: 3_600_000, totalTimeoutMs: 7_200_000 },
  })
  try {
    // Not measured: code that is compiled for the first time.
    await hold(stage, 50)
    const before = await atRest(stage, { handlesMax: 0, msMax: 8_000 })
    const first = await hold(stage, streams)
    const after = await atRest(stage, { handlesMax: before.handles + SLACK })
    const second = await hold(stage, streams)
    const afterAgain = await atRest(stage, { handlesMax: before.handles + SLACK })
    return {
      streams,
      before,
      held: first.held,
      after,
      heldAgain: second.held,
      afterAgain,
      lost: [...first.lost, ...second.lost],
    }
  } finally {
    await stage.close()
  }
}

async function hold(stage: SoakStage, streams: number): Promise<{ held: Held; lost: string[] }> {
  const caller = { url: stage.url, agent: agentOf(stage.files), token: stage.token }
  const lost: string[] = []
  let left = streams
  const bodies: Dispatcher.ResponseData['body'][] = []
  const opening = async (): Promise<void> => {
    while (left > 0) {
      left -= 1
      const body = await open(caller, (reason) => void lost.push(reason))
      if (body !== undefined) bodies.push(body)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, opening))
  // Buffers of handshakes are given back first.
  await delay(5_000)
  const held = await heldBy(stage)
  const lostWhileHeld = [...lost]
  await caller.agent.destroy()
  return { held, lost: lostWhileHeld }
}

/** Opens a stream and reads its first word. */
async function open(
  caller: Caller,
  onLoss: (reason: string) => void,
): Promise<Dispatcher.ResponseData['body'] | undefined> {
  try {
    const { statusCode, body } = await post(caller, silent)
    if (statusCode !== 200) {
      onLoss(`${statusCode} ${(await body.text()).slice(0, 200)}`)
      return undefined
    }
    body.once('end', () => onLoss('it ended')).on('error', () => {})
    await once(body, 'data')
    return body
  } catch (error) {
    onLoss((error as Error).message)
    return undefined
  }
}
