import type { SimulatedCall, SimulatedServer } from './simulated-server.ts'

/** A call that comes at a time. `prefix` is what a gateway knows of its beginning. */
export interface Arrival extends SimulatedCall {
  readonly atMs: number
  readonly prefix: readonly number[]
}

/** What a gateway does when a call comes: it says where, and is told what becomes of it. */
export interface Placement {
  readonly server: number
  firstToken(): void
  produced(): void
  ended(): void
}

export interface Policy {
  place(arrival: Arrival): Placement
  /** The servers say how they are, every second. */
  reported?(server: number, load: { running: number; waiting: number; at: number }): void
}

export interface SimulationResult {
  /** By arrival. */
  readonly ttftMs: readonly number[]
  readonly server: readonly number[]
  /** Work tokens of each server in each window. */
  readonly windows: readonly (readonly number[])[]
}

/** The time of a simulation, as `Clock` wants it. */
export class SimulatedTime {
  now = 0
  monotonic = (): number => this.now
}

const reportEveryMs = 1_000
export const windowMs = 300_000

/** Plays the arrivals, which are in the order of their times, until the last call has ended. */
export class Simulation {
  readonly #servers: readonly SimulatedServer[]
  readonly #time: SimulatedTime
  readonly #ttftMs: number[] = []
  readonly #placed: number[] = []
  readonly #windows: number[][] = []
  #nextReportAt = reportEveryMs
  #nextWindowAt = windowMs

  constructor(servers: readonly SimulatedServer[], time: SimulatedTime) {
    this.#servers = servers
    this.#time = time
  }

  /** Call `i` is placed by the policy `i` modulo their number: gateways behind a load balancer. */
  run(arrivals: readonly Arrival[], policies: readonly Policy[]): SimulationResult {
    for (const [index, arrival] of arrivals.entries()) {
      this.#advance(arrival.atMs, policies)
      this.#time.now = arrival.atMs
      this.#place(arrival, index, policies[index % policies.length] as Policy)
    }
    this.#advance(Number.POSITIVE_INFINITY, policies)
    this.#windows.push(this.#servers.map(({ workTokens }) => workTokens))
    return { ttftMs: this.#ttftMs, server: this.#placed, windows: this.#windows }
  }

  #place(arrival: Arrival, index: number, policy: Policy): void {
    const placement = policy.place(arrival)
    this.#placed[index] = placement.server
    const server = this.#servers[placement.server]
    if (server === undefined) throw new Error('a policy chose a server that does not exist')
    server.take(
      arrival,
      {
        firstToken: (now) => {
          this.#ttftMs[index] = now - arrival.atMs
          placement.firstToken()
        },
        produced: () => placement.produced(),
        ended: () => placement.ended(),
      },
      arrival.atMs,
    )
  }

  #advance(until: number, policies: readonly Policy[]): void {
    for (;;) {
      const next = this.#nextServer()
      const at = Math.min(next.stepEndsAt, until)
      while (this.#nextReportAt <= at && at < Number.POSITIVE_INFINITY) this.#report(policies)
      if (next.stepEndsAt > until || next.stepEndsAt === Number.POSITIVE_INFINITY) return
      this.#time.now = next.stepEndsAt
      next.step()
    }
  }

  #nextServer(): SimulatedServer {
    let next = this.#servers[0] as SimulatedServer
    for (const server of this.#servers) if (server.stepEndsAt < next.stepEndsAt) next = server
    return next
  }

  #report(policies: readonly Policy[]): void {
    const at = this.#nextReportAt
    this.#nextReportAt += reportEveryMs
    this.#time.now = at
    if (at >= this.#nextWindowAt) {
      this.#windows.push(this.#servers.map(({ workTokens }) => workTokens))
      this.#nextWindowAt += windowMs
    }
    for (const [index, { running, waiting }] of this.#servers.entries()) {
      for (const policy of policies) policy.reported?.(index, { running, waiting, at })
    }
  }
}
