// One gateway and one model server, as processes, for tests of what stays behind.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type Child, startNode } from '../bench/processes.ts'
import type { CallerFiles } from './flow.ts'
import { makeIssuer } from './issuer.ts'
import { lowPort, makePlace, metricOf, type Place, type PlaceOptions, root, serve } from './places.ts'

export interface SoakStage {
  readonly place: Place
  readonly gateway: Child
  readonly model: Child
  readonly modelPort: number
  readonly files: CallerFiles
  readonly token: string
  readonly url: string
  /** SIGTERM to the gateway; its exit code. */
  end(): Promise<number | null>
  close(): Promise<void>
}

export async function startStage(
  secrets: string,
  options: Partial<PlaceOptions> & { readonly inFlightMax: number },
): Promise<SoakStage> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-soak-'))
  const modelPort = await lowPort()
  const flags = ['--port', String(modelPort), '--max-num-seqs', '20000']
  const model = await startNode(['loadtest/model-server.ts', ...flags], 'simulated model server', root)
  const issuer = makeIssuer('key-1')
  const place = await makePlace('gateway', folder, {
    secrets,
    issuer,
    upstream: `http://127.0.0.1:${modelPort}`,
    drain: { delayMs: 0, deadlineMs: 5_000 },
    ...options,
  })
  const gateway = await serve(place).catch(async (error: unknown) => {
    await model.stop()
    throw error
  })
  const read = (file: string): Buffer => readFileSync(join(secrets, file))
  return {
    place,
    gateway,
    model,
    modelPort,
    files: { ca: [read('ca.crt')], cert: read('client.crt'), key: read('client.key') },
    token: issuer.token('soak'),
    url: `https://localhost:${place.port}`,
    end: () => {
      gateway.signal('SIGTERM')
      return gateway.ended
    },
    close: async () => {
      await Promise.all([gateway.stop(), model.stop()])
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

export interface Held {
  readonly rssMiB: number
  readonly heapMiB: number
  readonly handles: number
  readonly inFlight: number
}

const MIB = 1024 ** 2

export async function heldBy({ gateway, place }: SoakStage): Promise<Held> {
  const [inFlight, heap] = await Promise.all([
    metricOf(place, 'sallyport_requests_in_flight'),
    metricOf(place, 'nodejs_heap_size_used_bytes'),
  ])
  return {
    rssMiB: gateway.rssBytes() / MIB,
    heapMiB: heap / MIB,
    handles: gateway.handles(),
    inFlight,
  }
}

export interface Rest {
  readonly handlesMax: number
  /** Exchanges that stay. */
  readonly inFlight?: number
  readonly msMax?: number
}

/** Waits until exchanges and handles are no more than that, or the time is over. */
export async function atRest(stage: SoakStage, rest: Rest): Promise<Held> {
  const { handlesMax, inFlight = 0, msMax = 60_000 } = rest
  const until = performance.now() + msMax
  for (;;) {
    const held = await heldBy(stage)
    if ((held.inFlight <= inFlight && held.handles <= handlesMax) || performance.now() > until) return held
    await delay(250)
  }
}
