/**
 * Why exchanges were refused. Invariants:
 *
 * 1. Whatever the rate of refusals, all gateways together keep at most `slots` of them in Redis: each has a place by the
 *    hash of its id, and the later one takes it.
 * 2. Nobody waits for it, at most `writesMax` are under way, and none is sent while Redis is away.
 */
import type { Clock } from '../../clock.ts'
import { KeptDecisions } from '../kept-decisions.ts'
import type { DecisionStore } from '../store.ts'
import type { RedisConnection } from './client.ts'
import type { Keys } from './keys.ts'
import type { Link } from './link.ts'

const slots = 65_536
const writesMax = 256
const keptMs = 86_400_000
const entriesMax = 1_000

export class RedisDecisions implements DecisionStore {
  readonly #redis: RedisConnection
  readonly #link: Pick<Link, 'ask' | 'away'>
  readonly #keys: Keys
  readonly #own: KeptDecisions
  #writes = 0

  constructor(
    redis: RedisConnection,
    link: Pick<Link, 'ask' | 'away'>,
    { keys, clock }: { readonly keys: Keys; readonly clock: Clock },
  ) {
    this.#redis = redis
    this.#link = link
    this.#keys = keys
    this.#own = new KeptDecisions(clock, entriesMax)
  }

  keep(exchangeId: string, text: string): void {
    this.#own.keep(exchangeId, text)
    if (this.#link.away !== undefined || this.#writes >= writesMax) return
    this.#writes += 1
    const done = () => {
      this.#writes -= 1
    }
    const key = this.#keys.decision(slotOf(exchangeId))
    this.#redis.set(key, `${exchangeId}\n${text}`, 'PX', keptMs).then(done, done)
  }

  async find(exchangeId: string): Promise<string | undefined> {
    const own = await this.#own.find(exchangeId)
    if (own !== undefined || this.#link.away !== undefined) return own
    const stored = await this.#link.ask(() => this.#redis.get(this.#keys.decision(slotOf(exchangeId))))
    return stored?.startsWith(`${exchangeId}\n`) ? stored.slice(exchangeId.length + 1) : undefined
  }
}

/** FNV-1a. */
function slotOf(exchangeId: string): number {
  let hash = 0x811c9dc5
  for (const byte of Buffer.from(exchangeId)) hash = Math.imul(hash ^ byte, 0x01000193)
  return (hash >>> 0) % slots
}
