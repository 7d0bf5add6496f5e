// What is done to the stage while k6 runs. Each fault says what it did, with times; it throws when it could not be done.
import { setTimeout as delay } from 'node:timers/promises'
import { metricOf, type Place, serve } from '../deploy/places.ts'
import type { Stage } from './stage.ts'

export interface FaultRun {
  readonly stage: Stage
  /** How long k6 makes calls, seconds. */
  readonly seconds: number
  readonly signal: AbortSignal
}

/** What happened, in words. */
export type Fault = (run: FaultRun) => Promise<string[]>

const secondsSince = (startedAt: number): string => `${((performance.now() - startedAt) / 1000).toFixed(1)} s`

/** Each gateway is told to end, ends, is started again and taken back by HAProxy before the next one's turn. */
export const rollingRestart: Fault = async ({ stage, signal }) => {
  const said: string[] = []
  for (const place of stage.places) {
    await hasStreams(place, signal)
    said.push(await restart(stage, place))
  }
  return said
}

const LOOKS = 150
const STREAMS_MIN = 3

/** A drain that has nothing to drain shows nothing: waits for some streams, 15 s at most. */
async function hasStreams(place: Place, signal: AbortSignal): Promise<void> {
  for (let look = 0; look < LOOKS; look += 1) {
    if ((await metricOf(place, 'sallyport_active_streams')) >= STREAMS_MIN) return
    await delay(100, undefined, { signal })
  }
  throw new Error(`gateway ${place.name} has fewer than ${STREAMS_MIN} streams to drain`)
}

async function restart({ running, haproxy }: Stage, place: Place): Promise<string> {
  const gateway = running.get(place)
  if (gateway === undefined) throw new Error(`gateway ${place.name} does not run`)
  const streams = await metricOf(place, 'sallyport_active_streams')
  const startedAt = performance.now()
  gateway.signal('SIGTERM')
  const exitCode = await gateway.ended
  if (exitCode !== 0) throw new Error(`gateway ${place.name} ended with ${exitCode}`)
  const drained = secondsSince(startedAt)
  running.set(place, await serve(place))
  await haproxy?.until(['a', 'b'], 'UP')
  return `gateway ${place.name} drained ${streams} streams in ${drained}, was back after ${secondsSince(startedAt)}`
}

/** Redis dies as in a crash, and comes back with nothing in it. */
export const redisOutage: Fault = async ({ stage, seconds, signal }) => {
  const { redis } = stage
  if (redis === undefined) throw new Error('this stage has no Redis')
  const third = (seconds * 1000) / 3
  await delay(third, undefined, { signal })
  const startedAt = performance.now()
  await redis.kill()
  await delay(third, undefined, { signal })
  const outages = await sumOf(stage, 'sallyport_quota_store_available')
  await redis.restart()
  const away = secondsSince(startedAt)
  await delay(third / 2, undefined, { signal })
  const back = await sumOf(stage, 'sallyport_quota_store_available')
  if (outages !== 0) throw new Error('a gateway did not notice that Redis was away')
  if (back !== stage.places.length) throw new Error('a gateway did not notice that Redis is back')
  return [`Redis was away for ${away}; all gateways noticed, and noticed its return`]
}

async function sumOf({ places }: Stage, metric: string): Promise<number> {
  const values = await Promise.all(places.map((place) => metricOf(place, metric)))
  return values.reduce((sum, value) => sum + value, 0)
}
