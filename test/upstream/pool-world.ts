import { healthBounds } from '../../src/upstream/health/health-bounds.ts'
import { PoolHealth } from '../../src/upstream/health/pool-health.ts'
import { type CallLimit, fixedLimit, Member } from '../../src/upstream/member.ts'
import type { PlaceAsked } from '../../src/upstream/pool.ts'
import { ServerPool } from '../../src/upstream/server-pool.ts'
import type { Balance } from '../../src/upstream/server-pool-parts.ts'
import type { WorkLoad } from '../../src/upstream/work.ts'
import { endpointOf } from '../exchange/fake-parts.ts'
import { SteppingClock } from './stepping-clock.ts'

export const never = new AbortController().signal

export const askedOf = (fields: Partial<PlaceAsked> = {}): PlaceAsked => ({
  tenant: 'acme',
  weight: 1,
  priority: 'interactive',
  inputTokens: 10,
  outputTokens: 10,
  waitMsMax: 60_000,
  stream: true,
  prefix: [],
  tried: new Set(),
  ...fields,
})

/** The server with the fewest calls, the first of equals. */
const leastHeld: Balance = {
  wantsPrefix: false,
  joined: () => {},
  left: () => {},
  chosen: (_member, { inputTokens }) => inputTokens,
  choose: (candidates) => candidates.map(({ member }) => member).toSorted((a, b) => a.held - b.held)[0],
}

const noWorkLoad: WorkLoad = {
  score: 0,
  backlog: 0,
  slowness: 1,
  begin: () => ({ firstToken: () => {}, produced: () => {}, end: () => {} }),
  reported: () => {},
}

interface WorldOptions {
  readonly limitOf?: (origin: string) => CallLimit
  readonly panicPercent?: number
  /** When it is known who the servers are. */
  readonly known?: Promise<void>
}

/** A pool with a clock of its own, whose servers nobody calls. */
export function poolOf(origins: readonly string[], connectionsMax: number, options: WorldOptions = {}) {
  const clock = new SteppingClock()
  const closed: string[] = []
  const watched: string[] = []
  const health = new PoolHealth({
    ...{ bounds: healthBounds, ejectedPercentMax: 50, panicPercent: options.panicPercent ?? 50, clock },
    random: () => 0,
    observer: { changed: () => pool.changed(), panicked: () => {} },
  })
  const pool: ServerPool = new ServerPool({
    name: 'gpu',
    server: 'vllm',
    retries: { attemptsMax: 3, afterSend: 'never' },
    totalMs: Number.POSITIVE_INFINITY,
    bounds: { waitingMax: 10, waitingPerTenantMax: 10, waitMsMax: 30_000 },
    clock,
    observer: { waited: () => {}, refused: () => {}, retried: () => {} },
    health,
    balance: leastHeld,
    blocks: { of: () => [] },
    budget: { attempted: () => {}, take: () => true },
    cacheSaltOf: () => undefined,
    member: ({ origin }) =>
      new Member(
        endpointOf(origin, { close: async () => void closed.push(origin) }),
        options.limitOf?.(origin) ?? fixedLimit(connectionsMax),
        noWorkLoad,
      ),
    ...(options.known && {
      discover: () => ({ ready: options.known as Promise<void>, close: async () => {} }),
    }),
    watch: ({ origin }) => void watched.push(origin),
  })
  pool.adopt(origins.map((origin) => ({ origin })))
  const take = (fields: Partial<PlaceAsked> = {}, signal = never) => pool.take(askedOf(fields), signal)
  return { clock, pool, queue: pool.queue, health, closed, watched, take }
}
