/**
 * A gateway whose model server is behind the fault proxy, and the question that every fault must answer: what did the
 * caller get, what was settled, what was recorded, and is anything left of the call?
 */
import assert from 'node:assert/strict'
import type { Script } from '../../loadtest/model-server.ts'
import { type FaultName, faultMatrix } from './fault-matrix.ts'
import { FaultProxy, type Faults } from './fault-proxy/proxy.ts'
import { type Ending, endOf, Scene, samplesOf } from './scene.ts'
import { type StackOptions, until } from './stack.ts'

type Section = Record<string, unknown>

/** How a fault is made. */
export interface Cause {
  readonly script?: Script
  readonly faults?: Faults | ((connection: number) => Faults)
  /** Otherwise a whole reply is asked for. */
  readonly stream?: boolean
  readonly fields?: Section
  /** Most bytes that the model server may get rid of before the gateway closes. */
  readonly takenBytesMax?: number
  /** Takes back what was set elsewhere, before the next call. */
  readonly afterwards?: () => void
}

export interface FaultSceneOptions extends StackOptions {
  /** What the gateway connects to; the proxy itself without it. */
  readonly origin?: string
  /** How the proxy is between faults. */
  readonly healthy?: Faults
}

/** What came of one call. */
export interface Outcome {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** In the words of the matrix: `502 upstream_error`, `event upstream_timeout`, `[DONE]` or `200`. */
  readonly caller: string
  readonly ending: Ending
  /** Bytes that the model server got rid of. */
  readonly takenBytes: number
}

type Headers = { get(name: string): string | null } & Iterable<[string, string]>

/** The one pool, with a connection for each call, so that a fault is met by the call that it is meant for. */
export const oneCallAConnection = {
  keepAlive: false,
  health: { probe: false },
  concurrency: { adaptive: false },
}

export class FaultScene {
  readonly scene: Scene
  readonly proxy: FaultProxy

  readonly #healthy: Faults

  private constructor(scene: Scene, proxy: FaultProxy, healthy: Faults) {
    this.scene = scene
    this.proxy = proxy
    this.#healthy = healthy
    proxy.faults = healthy
  }

  /** The model server speaks plain HTTP, so that a number of bytes is a place in its answer. */
  static async open(options: FaultSceneOptions = {}): Promise<FaultScene> {
    const proxy = await FaultProxy.open()
    const { origin = `http://127.0.0.1:${proxy.port}`, models, policies, healthy = {}, ...rest } = options
    const pool = { ...oneCallAConnection, ...(models?.['pool'] as Section | undefined) }
    const tokens = { counts: 'total_tokens', per: 'day', amount: 10_000_000, by: ['tenant'] }
    const scene = await Scene.open({
      ...rest,
      upstreamOrigin: origin,
      model: { tls: undefined, apiKey: undefined, ...rest.model },
      models: { pools: { gpu: pool } },
      policies: { roles: { app: { limits: { inFlight: 1 } } }, limits: { tokens }, ...policies },
    }).catch(async (error: unknown) => {
      await proxy.close()
      throw error
    })
    proxy.target = { port: Number(new URL(scene.stack.model.url).port) }
    return new FaultScene(scene, proxy, healthy)
  }

  async close(): Promise<void> {
    await this.scene.stack.stop()
    await this.proxy.close()
  }

  /**
   * One call under the fault. Fails when it is not accounted for once, when a slot, a turn, a socket or a part of a
   * reservation is left, or when the call after it does not work.
   */
  async call(cause: Cause): Promise<Outcome> {
    const { script, faults = this.#healthy, stream = false, fields = {} } = cause
    const takenBefore = this.proxy.fromServer
    let reply: Omit<Outcome, 'ending' | 'takenBytes'> | undefined
    const ending = await this.scene.ending(script, async () => {
      this.proxy.faults = faults
      const answer = await this.scene.chat({ stream, ...fields })
      const text = await answer.text()
      reply = { status: answer.status, headers: answer.headers, text, caller: inWords(answer, text) }
      await until(() => this.proxy.open === 0)
      this.proxy.faults = this.#healthy
      cause.afterwards?.()
    })
    assert.ok(reply)
    const takenBytes = this.proxy.fromServer - takenBefore
    assert.ok(takenBytes <= (cause.takenBytesMax ?? Number.POSITIVE_INFINITY), `${takenBytes} bytes taken`)
    await this.nothingLeft()
    return { ...reply, ending, takenBytes }
  }

  /** Makes the fault and compares what came of it with its row of the matrix. */
  async matches(name: FaultName, cause: Cause): Promise<Outcome> {
    const { caller, settled, outcome } = faultMatrix[name]
    const seen = await this.call(cause)
    const { record } = seen.ending
    assert.deepEqual(
      { caller: seen.caller, settled: settledOf(record), outcome: record['outcome'] },
      { caller, settled, outcome },
    )
    assert.deepEqual(seen.ending.records, ['exchange.admitted', 'exchange.ended'])
    return seen
  }

  /** Until no call holds anything any more: a slot, a turn, a socket, tokens beyond those that were settled. */
  async nothingLeft(): Promise<void> {
    await until(() => this.proxy.open === 0)
    await until(async () => {
      const samples = samplesOf(await this.scene.stack.metrics())
      return (
        samples.get('sallyport_requests_in_flight') === 0 &&
        samples.get('sallyport_active_streams') === 0 &&
        samples.get('sallyport_upstream_turns{pool="gpu"}') === 0
      )
    })
    await until(async () => (await this.#used()) === this.#recorded())
  }

  /** Tokens that the limit of the tenant holds. */
  async #used(): Promise<number> {
    const reply = await this.scene.stack.admin('GET', '/usage?limit=tokens')
    const { buckets } = (await reply.json()) as { buckets: readonly { used: number }[] }
    return buckets.reduce((sum, { used }) => sum + used, 0)
  }

  /** Tokens that the audit log says were charged. */
  #recorded(): number {
    return this.scene.stack
      .audit()
      .filter(({ event }) => event === 'exchange.ended')
      .reduce((sum, record) => sum + tokensOf(record, 'input') + tokensOf(record, 'output'), 0)
  }
}

const tokensOf = (record: Section, side: 'input' | 'output'): number => Number(record[`${side}_tokens`] ?? 0)

function settledOf(record: Section): 'nothing' | 'prompt' | 'what came' {
  if (tokensOf(record, 'output') > 0) return 'what came'
  return tokensOf(record, 'input') > 0 ? 'prompt' : 'nothing'
}

/** Also checks the form: one JSON error, or a stream whose error event is its last and stands without `[DONE]`. */
function inWords({ status, headers }: { status: number; headers: Headers }, text: string): string {
  const type = headers.get('content-type') ?? ''
  if (status !== 200) {
    assert.equal(type, 'application/json; charset=utf-8')
    const { error } = JSON.parse(text) as { error: { code: string } }
    return `${status} ${error.code}`
  }
  if (!type.startsWith('text/event-stream')) return '200'
  const end = endOf(text)
  assert.equal(text.split('[DONE]').length - 1, end === '[DONE]' ? 1 : 0, '[DONE] is the proper end alone')
  return end === '[DONE]' ? end : `event ${end}`
}
