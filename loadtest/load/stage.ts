// What a scenario runs against: one or two gateways with everything on, a simulated model server, and HAProxy and Redis
// where the scenario is about them. Real processes, real TLS, ports of their own.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Child, startNode } from '../bench/processes.ts'
import { makeSecrets } from '../deploy/certificates.ts'
import { type Haproxy, startHaproxy } from '../deploy/haproxy.ts'
import { lowPort, makePlace, type Place, putFile, root, serve } from '../deploy/places.ts'
import type { Caller } from '../k6/settings.ts'
import { type Redis, startRedis } from './redis.ts'
import { modelsOf, policiesOf, type Rules, redaction } from './rules.ts'
import { type CallerKind, giveTokens, makeRolesIssuer, type RolesIssuer } from './tokens.ts'

export interface StageOptions {
  readonly callers: readonly CallerKind[]
  readonly gateways: 1 | 2
  /** Callers go through HAProxy, in place of to any gateway. */
  readonly haproxy?: boolean
  /** Limits are shared in Redis. */
  readonly redis?: boolean
  readonly rules?: Rules
  /** Merged into `traffic.stream`. */
  readonly stream?: Readonly<Record<string, number>>
  /** `node ARGS` of the model server, given its port and the folder of the stage; it prints `simulated model server`. */
  readonly model?: (port: number, folder: string) => readonly string[]
  /** Callers are turned away when the process is behind, as in production. */
  readonly overload?: boolean
}

export interface Stage {
  readonly folder: string
  readonly secrets: string
  /** Certificates of other authorities, for rotation. */
  readonly nextSecrets: string
  readonly urls: readonly string[]
  readonly places: readonly Place[]
  readonly running: Map<Place, Child>
  readonly modelPort: number
  readonly haproxy: Haproxy | undefined
  readonly redis: Redis | undefined
  readonly issuer: RolesIssuer
  readonly callers: readonly Caller[]
  readonly tokensFolder: string
  readonly rules: Rules
  /** Ends all that runs and removes the folder. */
  close(): Promise<void>
}

const usualModel = (port: number): readonly string[] => [
  'loadtest/model-server.ts',
  '--port',
  String(port),
  '--max-num-seqs',
  '5000',
  '--max-model-len',
  '200000',
]

/** `prepare` puts files for the model server into the folder. */
export async function startStage(
  options: StageOptions,
  prepare: (folder: string) => void = () => {},
): Promise<Stage> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-k6-'))
  const stops: (() => Promise<unknown>)[] = []
  const close = async (): Promise<void> => {
    for (const stop of stops.toReversed()) await stop()
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    prepare(folder)
    return await build(options, folder, stops, close)
  } catch (error) {
    await close()
    throw error
  }
}

async function build(
  options: StageOptions,
  folder: string,
  stops: (() => Promise<unknown>)[],
  close: () => Promise<void>,
): Promise<Stage> {
  const { rules = {}, model = usualModel, callers } = options
  const [secrets, nextSecrets] = [join(folder, 'secrets'), join(folder, 'next-secrets')]
  await makeSecrets(secrets, 'load')
  await makeSecrets(nextSecrets, 'next')
  const modelPort = await lowPort()
  const server = await startNode(model(modelPort, folder), 'simulated model server', root)
  stops.push(server.stop)
  const redis = options.redis ? await startRedis(await lowPort()) : undefined
  if (redis) stops.push(redis.kill)
  const issuer = makeRolesIssuer('key-1')
  const tokensFolder = join(folder, 'tokens')
  const names = ['a', 'b'].slice(0, options.gateways)
  const made = { options, folder, secrets, issuer, modelPort, redis, rules }
  const places = await Promise.all(names.map((name) => placeOf(name, made)))
  const running = new Map<Place, Child>()
  stops.push(() => Promise.all([...running.values()].map((gateway) => gateway.stop())))
  const starts = await Promise.allSettled(places.map(async (place) => running.set(place, await serve(place))))
  for (const start of starts) if (start.status === 'rejected') throw start.reason
  const haproxy = options.haproxy ? await before(places, folder) : undefined
  if (haproxy) stops.push(haproxy.stop)
  const ports = haproxy ? [haproxy.port] : places.map(({ port }) => port)
  return {
    folder,
    secrets,
    nextSecrets,
    urls: ports.map((port) => `https://localhost:${port}`),
    places,
    running,
    modelPort,
    haproxy,
    redis,
    issuer,
    callers: giveTokens(tokensFolder, callers, issuer),
    tokensFolder,
    rules,
    close,
  }
}

interface Made {
  readonly options: StageOptions
  readonly folder: string
  readonly secrets: string
  readonly issuer: RolesIssuer
  readonly modelPort: number
  readonly redis: Redis | undefined
  readonly rules: Rules
}

async function placeOf(
  name: string,
  { options, folder, secrets, issuer, modelPort, redis, rules }: Made,
): Promise<Place> {
  const upstream = `http://127.0.0.1:${modelPort}`
  const drain = { delayMs: options.haproxy ? 3_000 : 0, deadlineMs: 60_000 }
  const { stream = {} } = options
  const place = await makePlace(name, folder, { secrets, issuer, upstream, drain, stream })
  putFile(place, 'policies.yaml', JSON.stringify(policiesOf(rules)))
  putFile(place, 'redaction.yaml', JSON.stringify(redaction))
  putFile(place, 'models.yaml', JSON.stringify(modelsOf(upstream, rules)))
  const gateway = JSON.parse(readFileSync(join(place.folder, 'config/gateway.yaml'), 'utf8')) as object
  const quota = { redis: { mode: 'standalone', addresses: [redis?.address], deadlineMs: 1_000 } }
  const changes = { ...(redis && { quota }), ...(options.overload && { overload: {} }) }
  putFile(place, 'gateway.yaml', JSON.stringify({ ...gateway, ...changes }))
  return place
}

async function before(places: readonly Place[], folder: string): Promise<Haproxy> {
  const [a, b] = places
  if (a === undefined || b === undefined) throw new Error('HAProxy stands before two gateways')
  const haproxy = await startHaproxy([a, b], await lowPort(), folder)
  await haproxy.until(['a', 'b'], 'UP').catch(async (error: unknown) => {
    await haproxy.stop()
    throw error
  })
  return haproxy
}

/** Authorities that callers believe, old and next: a rotation must not need new callers. */
export function authoritiesFile({ folder, secrets, nextSecrets }: Stage): string {
  const file = join(folder, 'authorities.pem')
  const both = [secrets, nextSecrets].map((each) => readFileSync(join(each, 'ca.crt'), 'utf8'))
  writeFileSync(file, both.join(''))
  return file
}
