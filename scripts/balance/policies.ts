import { Balancer } from '../../src/upstream/balance/balancer.ts'
import { Load } from '../../src/upstream/balance/load.ts'
import { PoolPace } from '../../src/upstream/balance/pool-pace.ts'
import type { SimulatedServer } from './simulated-server.ts'
import type { Placement, Policy, SimulatedTime } from './simulation.ts'

export type MakePolicy = (world: PolicyWorld) => Policy

export interface PolicyWorld {
  readonly servers: readonly SimulatedServer[]
  readonly time: SimulatedTime
  readonly random: () => number
}

const nothing = (): void => {}
const at = (server: number): Placement => ({ server, firstToken: nothing, produced: nothing, ended: nothing })

export function roundRobin({ servers }: PolicyWorld): Policy {
  let next = 0
  return { place: () => at(next++ % servers.length) }
}

export const randomly = ({ servers, random }: PolicyWorld): Policy => ({
  place: () => at(Math.floor(random() * servers.length)),
})

/** The server with the fewest calls of this gateway. */
export function leastRequests({ servers, random }: PolicyWorld): Policy {
  const held = servers.map(() => 0)
  return {
    place: () => {
      const server = least(held, random)
      held[server] = (held[server] ?? 0) + 1
      const ended = (): void => {
        held[server] = (held[server] ?? 0) - 1
      }
      return { ...at(server), ended }
    },
  }
}

/** Knows what every server really has to do, and how fast it is. */
export const oracle =
  (outputCost: number) =>
  ({ servers, random }: PolicyWorld): Policy => ({
    place: ({ inputTokens }) => {
      const costs = servers.map(({ left, shape }) => {
        return (left.prompt + outputCost * left.output + inputTokens) * shape.slowness
      })
      return at(least(costs, random))
    },
  })

/** All calls whose prompts have the same block at this place go to the same server. */
export const blockHash =
  (blockOf: (blocks: readonly number[]) => number) =>
  ({ servers }: PolicyWorld): Policy => ({
    place: ({ blocks }) => at((Math.imul(blockOf(blocks) + 1, 0x9e3779b1) >>> 8) % servers.length),
  })

export interface GatewayOptions {
  readonly wantsPrefix: boolean
  readonly outputTokensMax: number
  readonly reports: boolean
}

/** The balancer of the gateway itself. */
export const gateway =
  ({ wantsPrefix, outputTokensMax, reports }: GatewayOptions) =>
  ({ servers, time, random }: PolicyWorld): Policy => {
    const pace = new PoolPace(time)
    const balancer = new Balancer<SimulatedMember>({ random, wantsPrefix })
    const members = servers.map(
      (_server, index) => new SimulatedMember(index, new Load({ clock: time, pace })),
    )
    for (const member of members) balancer.joined(member)
    const candidates = members.map((member) => ({ member, share: 1 }))
    return {
      place: ({ inputTokens, prefix }) => {
        const call = { inputTokens, prefix, tried: new Set<string>() }
        const member = balancer.choose(candidates, call) as SimulatedMember
        const work = member.load.begin({
          inputTokens: balancer.chosen(member, call),
          outputTokensExpected: outputTokensMax,
        })
        let outputTokens = 0
        return {
          server: member.index,
          firstToken: () => work.firstToken(),
          produced: () => {
            outputTokens++
            work.produced(1)
          },
          ended: () => work.end({ inputTokens, outputTokens }),
        }
      },
      ...(reports ? { reported: (index, load) => members[index]?.load.reported(load) } : {}),
    }
  }

class SimulatedMember {
  readonly index: number
  readonly origin: string
  readonly room = 1_000
  readonly load: Load

  constructor(index: number, load: Load) {
    this.index = index
    this.origin = `https://10.0.0.${index}:8000`
    this.load = load
  }

  get held(): number {
    return this.load.held
  }
}

/** Index of the least, of equals any. */
function least(values: readonly number[], random: () => number): number {
  const min = Math.min(...values)
  const equals = [...values.keys()].filter((index) => values[index] === min)
  return equals[Math.floor(random() * equals.length)] as number
}
