/**
 * Limits that all gateways share, in Redis. Invariants are those of ../store.ts, and:
 *
 * 1. An admission is one round trip and so is a settlement (`shared-buckets.ts`); the time that counts is Redis's.
 * 2. Nobody waits longer than the deadline, and after the first failure nobody waits at all (`link.ts`): each gateway goes
 *    on with its part (`outage.ts`, where the bound on what passes too much is stated).
 * 3. An exchange is charged in one place, Redis or here (`open-exchanges.ts`). An admission that Redis has not answered is
 *    taken back there, whether or not it was made, and decided here.
 * 4. A settlement is made once, whatever is sent again: Redis keeps a marker of each exchange, `open` and then `settled`.
 * 5. Before Redis decides again it knows all that was settled and all that passed meanwhile.
 */
import type { Limit } from '../../policy/limit.ts'
import { BudgetCalendar } from '../budget-window.ts'
import type {
  Correction,
  Decision,
  Demand,
  KeyPage,
  LimitState,
  QuotaStore,
  StoreHealth,
  Verdict,
} from '../store.ts'
import type { Settlement } from './backlog.ts'
import { Unanswered } from './cause.ts'
import { connectRedis, isConnected, type RedisConnection, runScript } from './client.ts'
import { RedisDecisions } from './decisions.ts'
import { RedisDocuments } from './documents.ts'
import { HeldSlots } from './held-slots.ts'
import { pageOfKeys } from './key-pages.ts'
import { Keys } from './keys.ts'
import { KnownBuckets } from './known-buckets.ts'
import { Link, type RunScript } from './link.ts'
import { Meanwhile } from './meanwhile.ts'
import { type OpenExchange, OpenExchanges } from './open-exchanges.ts'
import { defaultTiming, type RedisStoreOptions, type RedisTiming } from './options.ts'
import type { OutageMoment } from './outage.ts'
import { Presence } from './presence.ts'
import { RedisTime } from './redis-time.ts'
import { type Ended, settlementOf } from './settlement.ts'
import { SharedBuckets, shardOf } from './shared-buckets.ts'
import { windowOf } from './wire.ts'

export class RedisStore implements QuotaStore {
  readonly kind = 'redis'
  readonly documents: RedisDocuments
  readonly decisions: RedisDecisions
  readonly #options: RedisStoreOptions
  readonly #timing: RedisTiming
  readonly #redis: RedisConnection
  readonly #keys: Keys
  readonly #link: Link
  readonly #time: RedisTime
  readonly #calendar = new BudgetCalendar()
  readonly #known = new KnownBuckets()
  readonly #slots = new HeldSlots()
  readonly #open = new OpenExchanges(this.#slots)
  readonly #presence: Presence
  readonly #shared: SharedBuckets
  readonly #meanwhile: Meanwhile
  #connectionError: unknown

  constructor(options: RedisStoreOptions) {
    const { clock, observer, deadlineMs, replicaId } = options
    const [keys, time] = [new Keys(options.keyPrefix), new RedisTime(clock)]
    const timing = { ...defaultTiming, ...options.timing }
    this.#options = options
    this.#timing = timing
    this.#keys = keys
    this.#time = time
    this.#redis = this.#connect()
    this.#link = new Link({
      ...{ run: this.#run, clock, observer, deadlineMs, probeMsMax: timing.probeMsMax },
      probeKey: (shard) => keys.probe(shard),
      opened: () => this.#opened(),
      recover: () => this.#recover(),
      closed: () => this.#closed(),
    })
    const core = { keys, time, timing, clock, replicaId, calendar: this.#calendar, slots: this.#slots }
    const shared = new SharedBuckets({ ...core, repaired: (key) => observer.repaired(key) })
    this.#shared = shared
    this.#presence = new Presence({
      ...{ ...core, shared },
      isAway: () => this.#link.away !== undefined,
      heard: ({ redisMs, changes }) => {
        time.heard(redisMs)
        this.documents.heard(changes)
      },
      failed: (error) => this.#link.open(error),
    })
    this.#meanwhile = new Meanwhile({
      ...{ ...core, shared },
      place: () => this.#presence.membership.place,
      known: (key) => this.#known.of(key),
      retryMs: () => this.#link.probeMs,
      now: () => this.#now,
    })
    this.documents = new RedisDocuments({ redis: this.#redis, run: this.#run, link: this.#link, keys })
    this.decisions = new RedisDecisions(this.#redis, this.#link, { keys, clock })
  }

  /** Connects, becomes a member, and stays one. Resolves also when Redis is away. */
  async start(): Promise<void> {
    await this.#connected()
    // What fails opens the breaker, which tries again.
    await this.#presence.beat(this.#via('')).catch((error: unknown) => this.#link.open(error))
    this.#presence.keep(this.#via(''))
  }

  get health(): StoreHealth {
    const backlog = this.#meanwhile.size
    const { replicas } = this.#presence.membership
    const { away } = this.#link
    if (away === undefined) return { available: true, replicas, backlog }
    return { available: false, awaySince: away.sinceMs, replicas, backlog }
  }

  get size(): { readonly buckets: number; readonly leases: number } {
    return { buckets: this.#known.size, leases: this.#slots.size }
  }

  async admit(exchangeId: string, demands: readonly Demand[]): Promise<Decision> {
    if (demands.length === 0) return { allowed: true, states: [], shadowed: [], by: 'store' }
    const shard = shardOf(demands)
    if (this.#meanwhile.outage !== undefined) return this.#admitHere(exchangeId, shard, demands)
    const { clock } = this.#options
    const sentMs = clock.monotonic()
    try {
      const { decision, windows } = await this.#shared.admit(this.#via(shard), exchangeId, demands)
      this.#known.learn(decision, windows, { sentMs, nowMs: clock.monotonic() })
      if (decision.allowed) {
        this.#open.admitted(exchangeId, { by: 'redis', shard, decision, windows, redisMs: this.#time.nowMs })
      }
      return decision
    } catch (error) {
      this.#link.open(error)
      if (error instanceof Unanswered && !this.#open.has(exchangeId))
        this.#takeBack(exchangeId, shard, demands)
      return this.#admitHere(exchangeId, shard, demands)
    }
  }

  foresee(demands: readonly Demand[]): Verdict | undefined {
    if (this.#meanwhile.outage !== undefined) return undefined
    return this.#known.refusing(demands, this.#options.clock.monotonic())
  }

  async settle(exchangeId: string, corrections: readonly Correction[]): Promise<void> {
    if (this.#open.wasSettledHere(exchangeId)) return
    const open = this.#open.end(exchangeId)
    const shard = corrections.length === 0 ? open?.shard : shardOf(corrections)
    if (shard === undefined) return
    if (this.#meanwhile.outage !== undefined && open?.by !== 'redis') {
      this.#settleHere(exchangeId, open, corrections)
      return
    }
    const settlement = this.#settlementOf({ exchangeId, shard, corrections, open })
    if (open?.by === 'here') this.#open.settledHere(exchangeId)
    if (this.#meanwhile.outage === undefined && (await this.#settleThere(shard, settlement))) return
    this.#open.settledHere(exchangeId)
    this.#meanwhile.settleLater(settlement)
  }

  async peek(limits: readonly Limit[]): Promise<readonly LimitState[]> {
    if (this.#meanwhile.outage !== undefined) return this.#meanwhile.outage.peek(limits, this.#now)
    try {
      const groups = [...Map.groupBy(limits, ({ shard }) => shard)]
      const states = await Promise.all(
        groups.map(([shard, group]) => this.#shared.peek(this.#via(shard), group)),
      )
      const byKey = new Map(states.flat().map((state) => [state.limit.key, state]))
      return limits.flatMap(({ key }) => byKey.get(key) ?? [])
    } catch (error) {
      this.#link.open(error)
      return this.#meanwhile.begin().peek(limits, this.#now)
    }
  }

  /** Rejects with `StoreAway` while Redis is away. */
  async reset(limit: Limit): Promise<void> {
    await this.#link.ask(() => this.#shared.reset(this.#run, limit))
    this.#known.forget(limit.key)
    this.#slots.empty(limit)
  }

  /** Rejects with `StoreAway` while Redis is away. */
  keys(prefix: string, cursor: string, countMax: number): Promise<KeyPage> {
    return this.#link.ask(() => pageOfKeys(this.#redis, { keys: this.#keys, prefix, cursor, countMax }))
  }

  /** Leaves the members. What has not been told to Redis by now is lost: too much stays charged, or too little is. */
  async close(): Promise<void> {
    const leaving = this.#link.ask(() => this.#redis.zrem(this.#keys.members, this.#options.replicaId))
    await Promise.allSettled([leaving, this.#link.close(), this.#presence.stop()])
    this.#redis.disconnect()
  }

  /** A method as a value: scripts run on this connection. */
  #run: RunScript = async (name, keys, args) => {
    if (this.#redis.status !== 'ready' && this.#connectionError !== undefined) throw this.#connectionError
    return runScript(this.#redis, name, keys, args)
  }

  #via(shard: string): RunScript {
    return (name, keys, args) => this.#link.run(shard, name, keys, args)
  }

  get #now(): OutageMoment {
    return { monotonicMs: Math.floor(this.#options.clock.monotonic()), redisMs: this.#time.nowMs }
  }

  #opened(): void {
    this.#known.forgetRefusals()
    this.#meanwhile.begin()
  }

  #admitHere(exchangeId: string, shard: string, demands: readonly Demand[]): Decision {
    const now = this.#now
    if (this.#open.has(exchangeId) || this.#open.wasSettledHere(exchangeId))
      return {
        allowed: true,
        states: this.#meanwhile.begin().peek(
          demands.map(({ limit }) => limit),
          now,
        ),
        shadowed: [],
        by: 'lease',
      }
    const decision = this.#meanwhile.begin().admit(exchangeId, demands, now)
    const windows = demands.map(({ limit }) => windowOf(limit, this.#calendar, now.redisMs))
    if (decision.allowed)
      this.#open.admitted(exchangeId, { by: 'here', shard, decision, windows, redisMs: now.redisMs })
    return decision
  }

  /** Redis has not answered, and may have charged the exchange: whatever it did is undone there. */
  #takeBack(exchangeId: string, shard: string, demands: readonly Demand[]): void {
    const corrections = demands.map(({ limit, amount }) => ({ limit, reserved: amount, used: 0 }))
    this.#meanwhile.settleLater(this.#settlementOf({ exchangeId, shard, corrections, open: undefined }))
  }

  #settleHere(exchangeId: string, open: OpenExchange | undefined, corrections: readonly Correction[]): void {
    const now = this.#now
    this.#open.settledHere(exchangeId)
    for (const { limit, reserved, used } of corrections) {
      if (open?.uncharged.has(limit.key)) continue
      const window = open?.windows.get(limit.key) ?? windowOf(limit, this.#calendar, now.redisMs)
      this.#meanwhile.begin().add({ limit, units: open === undefined ? used : used - reserved, window }, now)
    }
  }

  #settlementOf(ended: Ended): Settlement {
    return settlementOf(ended, { keys: this.#keys, calendar: this.#calendar, nowMs: this.#time.nowMs })
  }

  async #settleThere(shard: string, settlement: Settlement): Promise<boolean> {
    try {
      await this.#shared.settle(this.#via(shard), settlement)
      return true
    } catch (error) {
      this.#link.open(error)
      return false
    }
  }

  /** Redis knows all that was settled and passed; nothing else has a turn before it decides again. */
  async #recover(): Promise<number> {
    const run = this.#link.attempt
    await this.#presence.beat(run)
    const count = await this.#meanwhile.catchUp(run)
    await this.#shared.renew(run, this.#slots)
    return count
  }

  #closed(): void {
    this.#meanwhile.end(this.#via('')).catch((error: unknown) => this.#link.open(error))
  }

  /** Of a server that cannot be asked, the error of the connection says why. */
  #connect(): RedisConnection {
    const redis = connectRedis(this.#options, (error) => {
      this.#connectionError = error
    })
    redis.on('ready', () => {
      this.#connectionError = undefined
    })
    return redis
  }

  async #connected(): Promise<void> {
    const { clock } = this.#options
    const untilMs = clock.monotonic() + this.#timing.connectMs
    while (!isConnected(this.#redis) && clock.monotonic() < untilMs) await clock.sleep(5)
  }
}
