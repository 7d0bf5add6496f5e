// One rolling restart of two gateways behind HAProxy under load: each is told to end, ends, is started again and taken
// back by HAProxy before the other one's turn, as every deploy tool does it.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Child, startNode } from '../bench/processes.ts'
import { type Evidence, evidenceOf, isWhole } from './evidence.ts'
import { agentOf, type Caller, Calls, type Outcome, Streams } from './flow.ts'
import { type Haproxy, startHaproxy } from './haproxy.ts'
import { type Issuer, makeIssuer } from './issuer.ts'
import { lowPort, makePlace, metricOf, type Place, root, serve } from './places.ts'

export interface LoadOptions {
  /** A folder that `makeSecrets` filled. */
  readonly secrets: string
  readonly streams: number
  readonly callsPerSecond: number
  /** Words of the shortest stream, 400 ms apart. */
  readonly words: number
  readonly delayMs: number
}

/** Two gateways that run behind HAProxy, before one model server. */
export interface Fleet {
  readonly folder: string
  readonly places: readonly [Place, Place]
  readonly running: Map<Place, Child>
  readonly haproxy: Haproxy
  readonly issuer: Issuer
  readonly url: string
  close(): Promise<void>
}

const GAP_MS = 400
const DEADLINE_MS = 120_000

export async function startFleet({ secrets, delayMs }: LoadOptions): Promise<Fleet> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-load-'))
  const stops: (() => Promise<unknown>)[] = []
  const close = async (): Promise<void> => {
    for (const stop of stops.toReversed()) await stop()
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    const [modelPort, port] = await Promise.all([lowPort(), lowPort()])
    const flags = ['--port', String(modelPort), '--max-num-seqs', '5000']
    const model = await startNode(['loadtest/model-server.ts', ...flags], 'simulated model server', root)
    stops.push(model.stop)
    const issuer = makeIssuer('key-1')
    const drain = { delayMs, deadlineMs: DEADLINE_MS }
    const options = { secrets, issuer, drain, upstream: `http://127.0.0.1:${modelPort}` }
    const places = [await makePlace('a', folder, options), await makePlace('b', folder, options)] as const
    const running = new Map<Place, Child>()
    stops.push(() => Promise.all([...running.values()].map((gateway) => gateway.stop())))
    await allStarted(places.map(async (place) => running.set(place, await serve(place))))
    const haproxy = await startHaproxy(places, port, folder)
    stops.push(haproxy.stop)
    await haproxy.until(['a', 'b'], 'UP')
    return { folder, places, running, haproxy, issuer, url: `https://localhost:${port}`, close }
  } catch (error) {
    await close()
    throw error
  }
}

/** Also the others have started, and can be ended, when one of them did not. */
async function allStarted(starts: readonly Promise<unknown>[]): Promise<void> {
  await Promise.allSettled(starts)
  await Promise.all(starts)
}

export interface Drained {
  readonly name: string
  /** Streams at the moment of SIGTERM. */
  readonly streams: number
  readonly exitCode: number | null
  readonly seconds: number
}

export interface RunResult {
  readonly streams: Outcome
  readonly calls: Outcome & { readonly p50Ms: number; readonly p99Ms: number }
  readonly drains: readonly Drained[]
  readonly evidence: readonly Evidence[]
  /** Answers that a caller had, and no audit folder knows of. */
  readonly unrecorded: number
}

/** Streams and calls through HAProxy while `change` happens. */
export async function underLoad(
  caller: () => Caller,
  options: LoadOptions,
  change: () => Promise<void>,
): Promise<Pick<RunResult, 'streams' | 'calls'>> {
  const streams = new Streams(caller, { count: options.streams, words: options.words, gapMs: GAP_MS })
  const calls = new Calls(caller, options.callsPerSecond)
  try {
    await streams.opened()
    await change()
  } finally {
    await Promise.all([streams.stop(), calls.stop()])
  }
  return { streams: await streams.stop(), calls: await calls.stop() }
}

export async function rollingRun(options: LoadOptions): Promise<RunResult> {
  const fleet = await startFleet(options)
  const read = (file: string): Buffer => readFileSync(join(options.secrets, file))
  const agent = agentOf({ ca: [read('ca.crt')], cert: read('client.crt'), key: read('client.key') })
  const caller = { url: fleet.url, agent, token: fleet.issuer.token('load') }
  try {
    const drains: Drained[] = []
    const seen = await underLoad(
      () => caller,
      options,
      async () => {
        for (const place of fleet.places) drains.push(await restart(fleet, place))
      },
    )
    await agent.close()
    return { ...seen, drains, ...(await closing(fleet, seen)) }
  } finally {
    await agent.destroy()
    await fleet.close()
  }
}

async function restart({ running, haproxy }: Fleet, place: Place): Promise<Drained> {
  const gateway = running.get(place) as Child
  const streams = await metricOf(place, 'sallyport_active_streams')
  const drained = await end(gateway)
  running.set(place, await serve(place))
  await haproxy.until(['a', 'b'], 'UP')
  return { name: place.name, streams, ...drained }
}

async function end(gateway: Child): Promise<Pick<Drained, 'exitCode' | 'seconds'>> {
  const startedAt = performance.now()
  gateway.signal('SIGTERM')
  const exitCode = await gateway.ended
  return { exitCode, seconds: (performance.now() - startedAt) / 1000 }
}

/** Ends both gateways, and reads what they recorded. */
export async function closing(
  { running, places }: Fleet,
  { streams, calls }: Pick<RunResult, 'streams' | 'calls'>,
): Promise<Pick<RunResult, 'evidence' | 'unrecorded'>> {
  await Promise.all([...running.values()].map(end))
  const evidence = await Promise.all(places.map(evidenceOf))
  const answered = [...streams.ids, ...calls.ids]
  const unrecorded = answered.filter((id) => !evidence.some(({ ids }) => ids.has(id))).length
  return { evidence, unrecorded }
}

/** What a run missed, in words; empty when it is as it must be. */
export function missed({ streams, calls, drains, evidence, unrecorded }: RunResult): string[] {
  return [
    ...streams.faults.map((fault) => `stream: ${fault}`),
    ...calls.faults.map((fault) => `call: ${fault}`),
    ...drains
      .filter(({ exitCode }) => exitCode !== 0)
      .map(({ name, exitCode }) => `${name} ended with ${exitCode}`),
    ...drains.filter(({ streams }) => !(streams > 0)).map(({ name }) => `${name} had no stream to drain`),
    ...evidence.filter((each) => !isWhole(each)).map(({ name }) => `the audit log of ${name} has a gap`),
    ...(unrecorded > 0 ? [`${unrecorded} answers are in no audit log`] : []),
  ]
}
