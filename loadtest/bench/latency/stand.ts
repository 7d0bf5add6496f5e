// The stand: a timed model server, and three ways to it.
import { Agent, request } from 'undici'
import type { Ending } from '../../driver/ending.ts'
import { type Side, startGateways } from '../../driver/gateways.ts'
import { root } from '../../driver/measured-process.ts'
import type { SentCall, Taken } from '../../driver/sent-log.ts'
import type { Target } from '../../driver/timed-client.ts'
import { freePort, startNode } from '../processes.ts'

export const ways = ['direct', 'bare', 'sallyport'] as const
export type Way = (typeof ways)[number]

export interface Stand {
  readonly targets: Readonly<Record<Way, Target>>
  readonly sides: Readonly<Record<Side['name'], Side>>
  /** What the model server has sent since the last look, by number of the call. */
  takeSent(): Promise<ReadonlyMap<number, SentCall>>
  /** A number that no other call of the run has. */
  nextId(): number
  readonly signal: AbortSignal
}

export async function startStand(ending: Ending, folder: string): Promise<Stand> {
  const [port, logPort] = await Promise.all([freePort(), freePort()])
  const start = ['loadtest/driver/timed-model.ts', String(port), String(logPort)]
  const model = await startNode(start, 'timed model server', root)
  await ending.add(() => model.stop())
  const upstream = `http://127.0.0.1:${port}`
  const sides = await startGateways(folder, upstream, ending)
  const agent = new Agent({ connections: 1_024, headersTimeout: 60_000, bodyTimeout: 60_000 })
  await ending.add(() => agent.destroy())
  let ids = 0
  return {
    targets: { direct: { name: 'direct', url: upstream, agent, headers: {} }, ...sides },
    sides,
    takeSent: () => takeSent(logPort),
    nextId: () => {
      ids += 1
      return ids
    },
    signal: ending.signal,
  }
}

async function takeSent(logPort: number): Promise<ReadonlyMap<number, SentCall>> {
  const { body } = await request(`http://127.0.0.1:${logPort}/take`)
  const { calls, dropped } = (await body.json()) as Taken
  if (dropped > 0)
    throw new Error(`the log of the model server was too short for ${dropped} calls: use fewer --seconds`)
  return new Map(calls.map((call) => [call.id, call]))
}
