// Callers who hang up, in every phase of a request, a hundred thousand times: nothing of them may stay behind.
import { on, once } from 'node:events'
import { connect as connectTcp, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'
import { seededRandom } from '../simulated/random.ts'
import { type Evidence, evidenceOf } from './evidence.ts'
import { agentOf, bodyOf, post } from './flow.ts'
import { textOf } from './places.ts'
import { atRest, type Held, heldBy, type SoakStage, startStage } from './soak-stage.ts'

/** Where a caller was when it hung up. `queue`: it waited for its turn at a pool with a single place. */
export const phases = ['handshake', 'head', 'body', 'queue', 'first byte', 'stream', 'end'] as const
export type AbortPhase = (typeof phases)[number]

export interface AbortsResult {
  readonly aborted: Readonly<Record<AbortPhase, number>>
  /** Callers who did not come as far as they should have. */
  readonly unexpected: readonly string[]
  readonly seconds: number
  readonly before: Held
  /** Every tenth of the way. */
  readonly underWay: readonly Held[]
  readonly after: Held
  /** Requests that the model server still works for. */
  readonly leftUpstream: number
  readonly evidence: Evidence
  readonly exitCode: number | null
}

const AT_ONCE = 24
const SLACK = 8
const WARM_UP = 2_000
/** Longest wait for what a phase waits for; a busy machine takes its time. */
const PHASE_MS_MAX = 20_000
const HOUR_MS = 3_600_000

/** A pool with one place, which one stream keeps: everybody else waits for it. */
const narrow = (upstream: string) => ({
  pools: {
    narrow: {
      server: 'vllm',
      endpoints: [upstream],
      connectionsMax: 1,
      queue: { waitingMax: 1024, waitingPerTenantMax: 1024, waitMsMax: HOUR_MS },
    },
  },
  models: { narrow: { pool: 'narrow', upstreamModel: 'demo', outputTokensMax: 4096 } },
})
const holding = bodyOf(
  { content: ['word '], end: { after: 2, how: 'stall' } },
  { stream: true, model: 'narrow' },
)

export async function aborts(
  secrets: string,
  count: number,
  progress: (line: string) => void,
): Promise<AbortsResult> {
  const stream = { idleTimeoutMs: HOUR_MS, firstByteTimeoutMs: HOUR_MS, totalTimeoutMs: 2 * HOUR_MS }
  const stage = await startStage(secrets, { inFlightMax: 400, more: narrow, stream })
  const agent = agentOf(stage.files)
  try {
    const holder = await post({ url: stage.url, agent, token: stage.token }, holding)
    holder.body.on('error', () => {}).resume()
    const crowd = new Crowd(stage)
    await crowd.abort(WARM_UP)
    const before = await atRest(stage, { handlesMax: 0, inFlight: 1, msMax: 8_000 })
    const startedAt = performance.now()
    const underWay: Held[] = []
    for (let tenth = 1; tenth <= 10; tenth += 1) {
      await crowd.abort(Math.round(count / 10))
      const held = await heldBy(stage)
      underWay.push(held)
      progress(`${tenth * 10} %: RSS ${held.rssMiB.toFixed(1)} MiB, ${held.handles} handles`)
    }
    const seconds = (performance.now() - startedAt) / 1000
    const after = await atRest(stage, { handlesMax: before.handles + SLACK, inFlight: 1 })
    await agent.destroy()
    await atRest(stage, { handlesMax: before.handles + SLACK })
    const leftUpstream = await leftAt(stage)
    const exitCode = await stage.end()
    const evidence = await evidenceOf(stage.place)
    const { aborted, unexpected } = crowd
    return { aborted, unexpected, seconds, before, underWay, after, leftUpstream, evidence, exitCode }
  } finally {
    await agent.destroy()
    await stage.close()
  }
}

/** Requests that the model server works for or keeps waiting. */
async function leftAt({ modelPort }: SoakStage): Promise<number> {
  const text = await textOf(`http://127.0.0.1:${modelPort}/metrics`)
  const counts = text.matchAll(/^vllm:num_requests_(?:running|waiting)\{.*\} (\d+)$/gm)
  return [...counts].reduce((sum, [, count]) => sum + Number(count), 0)
}

/** What a caller sends, and what it reads before it hangs up; a moment later where it reads nothing. */
interface Said {
  readonly text: string | Buffer
  readonly waitsFor?: string
}

/** Callers who open a connection, come as far as their phase and hang up. */
class Crowd {
  readonly aborted: Record<AbortPhase, number>
  /** Callers who did not come as far as they should have. */
  readonly unexpected: string[] = []
  readonly #stage: SoakStage
  readonly #random = seededRandom(11)
  readonly #says: Readonly<Record<AbortPhase, Said>>

  constructor(stage: SoakStage) {
    this.#stage = stage
    this.#says = {
      // The beginning of a ClientHello.
      handshake: { text: Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01]) },
      head: { text: this.#request(words(1)).slice(0, 90) },
      body: { text: this.#request(words(1)).slice(0, -40) },
      queue: { text: this.#request(bodyOf({}, { stream: true, model: 'narrow' })) },
      'first byte': { text: this.#request(bodyOf({ content: ['word '], firstTokenMs: 60_000 })) },
      stream: { text: this.#request(words(200)), waitsFor: 'word' },
      end: { text: this.#request(words(1)), waitsFor: '[DONE]' },
    }
    this.aborted = Object.fromEntries(phases.map((phase) => [phase, 0])) as Record<AbortPhase, number>
  }

  async abort(count: number): Promise<void> {
    let left = count
    const line = async (): Promise<void> => {
      while (left > 0) {
        left -= 1
        const phase = phases[left % phases.length] as AbortPhase
        await this.#one(phase).catch((error: Error) => this.unexpected.push(`${phase}: ${error.message}`))
        this.aborted[phase] += 1
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, line))
  }

  async #one(phase: AbortPhase): Promise<void> {
    const socket = phase === 'handshake' ? this.#tcp() : this.#tls()
    const failed = new Promise<never>((_, reject) => socket.once('error', reject))
    failed.catch(() => {})
    try {
      await Promise.race([this.#reach(phase, socket), failed, tooLate()])
    } finally {
      socket.on('error', () => {}).destroy()
    }
  }

  async #reach(phase: AbortPhase, socket: Socket): Promise<void> {
    await once(socket, phase === 'handshake' ? 'connect' : 'secureConnect')
    const { text, waitsFor } = this.#says[phase]
    await new Promise<void>((resolve) => socket.write(text, () => resolve()))
    if (waitsFor !== undefined) return await seen(socket, waitsFor)
    // Anywhere between at once and well within the wait.
    await delay(this.#random.next() * 25)
  }

  #request(body: string): string {
    const head = [
      'POST /v1/chat/completions HTTP/1.1',
      'Host: localhost',
      'Content-Type: application/json',
      `Content-Length: ${Buffer.byteLength(body)}`,
      `Authorization: Bearer ${this.#stage.token}`,
    ]
    return `${head.join('\r\n')}\r\n\r\n${body}`
  }

  #tcp(): Socket {
    return connectTcp(this.#stage.place.port, '127.0.0.1')
  }

  #tls(): Socket {
    const { ca, cert, key } = this.#stage.files
    const { port } = this.#stage.place
    return connectTls({
      host: '127.0.0.1',
      port,
      servername: 'localhost',
      ca: [...ca] as Buffer[],
      cert,
      key,
    })
  }
}

/** A reply of so many words, 10 ms apart. */
const words = (count: number): string =>
  bodyOf({ content: Array.from({ length: count }, () => 'word '), gapMs: 10 }, { stream: true })

async function seen(socket: Socket, text: string): Promise<void> {
  let read = ''
  for await (const chunk of on(socket, 'data', { close: ['close'] })) {
    read = (read + String(chunk[0])).slice(-4_096)
    if (read.includes(text)) return
  }
  throw new Error(`closed before ${text}: ${read.slice(0, 200)}`)
}

async function tooLate(): Promise<never> {
  await delay(PHASE_MS_MAX, undefined, { ref: false })
  throw new Error('took too long')
}
