import { Agent, type Dispatcher } from 'undici'
import { type Clock, systemClock } from '../../clock.ts'
import type { CallEnd } from '../health/call-end.ts'
import { EndpointHealth } from '../health/endpoint-health.ts'
import { healthBounds } from '../health/health-bounds.ts'
import type { UpstreamTls } from '../http/connector.ts'
import { merged, type Recognized, type ReplyRules, readRecognized } from './analyzer-reply.ts'
import { slicesOf, type TextSlice } from './analyzer-slices.ts'
import { analyzerTarget } from './analyzer-target.ts'

/**
 * A recognizer service that speaks Presidio's `POST /analyze`, for what patterns cannot find: names, places. Prompts
 * only. Invariants:
 *
 * 1. Nothing waits, grows or is read without a bound: requests at a time, requests that wait, time, bytes and results
 *    of a reply, units of a text.
 * 2. Every end is an answer that was checked whole or an `AnalyzerFault`; half of an answer is a fault.
 * 3. A fault fails the call, unless `failOpen` was chosen; then it is reported and nothing was found.
 * 4. The address comes from the configuration alone. A redirect is a fault.
 */
export interface AnalyzerOptions {
  /** The whole address: `https://presidio.internal/analyze`; plain http only to this machine itself. */
  readonly url: string
  readonly tls?: UpstreamTls
  /** Asked for each request, so that a rotated key takes effect. */
  readonly apiKey?: () => string | undefined
  readonly language: string
  /** Presidio's names; without it all that the service knows. */
  readonly entities?: readonly string[]
  readonly scoreMin: number
  readonly bounds?: Partial<AnalyzerBounds>
  /** `true`: a prompt goes on unrecognized when the service fails. */
  readonly failOpen?: boolean
  readonly observer?: AnalyzerObserver
  readonly clock?: Clock
}

export interface AnalyzerBounds {
  /** For one request, the wait for its turn included. */
  readonly timeoutMs: number
  readonly connectTimeoutMs: number
  readonly replyBytesMax: number
  readonly resultsMax: number
  /** Connections, each of which carries one request at a time. */
  readonly connectionsMax: number
  /** Requests that wait for a connection; one more is a fault. */
  readonly waitingMax: number
  readonly textUnitsMax: number
  /** Texts go in slices of this many units, which begin this much before the last one ended. */
  readonly sliceUnits: number
  readonly overlapUnits: number
  readonly failuresMax: number
  readonly openMs: number
}

export const analyzerBounds: AnalyzerBounds = {
  timeoutMs: 2_000,
  connectTimeoutMs: 1_000,
  replyBytesMax: 1_048_576,
  resultsMax: 4_096,
  connectionsMax: 16,
  waitingMax: 64,
  textUnitsMax: 1_048_576,
  sliceUnits: 16_384,
  overlapUnits: 512,
  failuresMax: 5,
  openMs: 5_000,
}

/** Why there is no answer: a label of a metric, and the detail of the refusal. */
export type AnalyzerFaultReason =
  | 'text_too_long'
  | 'busy'
  | 'circuit_open'
  | 'timeout'
  | 'unreachable'
  | 'status'
  | 'content_type'
  | 'reply_too_large'
  | 'invalid_json'
  | 'invalid_results'

export class AnalyzerFault extends Error {
  override readonly name = 'AnalyzerFault'
  readonly reason: AnalyzerFaultReason

  constructor(reason: AnalyzerFaultReason, options?: ErrorOptions) {
    super(`recognizer service: ${reason}`, options)
    this.reason = reason
  }
}

/** Told how each request ended, for metrics. */
export interface AnalyzerObserver {
  answered(ms: number): void
  failed(reason: AnalyzerFaultReason): void
}

export interface Analyzer {
  /** What the service recognized, in order, none over another. Throws an AnalyzerFault, or the reason of `signal`. */
  analyze(text: string, signal: AbortSignal): Promise<readonly Recognized[]>
  close(): Promise<void>
}

/** Slices of one text that are asked about at a time. */
const slicesAtATime = 4
export const createAnalyzer = (options: AnalyzerOptions): Analyzer => new HttpAnalyzer(options)

/** After failures in a row nothing is sent for `openMs`; then one request is, and its end decides for all others. */
const healthOf = ({ failuresMax, openMs, timeoutMs }: AnalyzerBounds, clock: Pick<Clock, 'monotonic'>) =>
  new EndpointHealth({
    bounds: {
      ...healthBounds,
      failuresMax,
      ejectionMs: openMs,
      ejectionMsMax: openMs,
      probationMs: timeoutMs,
    },
    clock,
    random: () => 0,
  })

class HttpAnalyzer implements Analyzer {
  readonly #options: AnalyzerOptions
  readonly #bounds: AnalyzerBounds
  readonly #target: URL
  readonly #agent: Agent
  readonly #health: EndpointHealth
  readonly #rules: ReplyRules
  #pending = 0

  constructor(options: AnalyzerOptions) {
    this.#options = options
    this.#bounds = { ...analyzerBounds, ...options.bounds }
    this.#target = analyzerTarget(options.url)
    this.#agent = agentFor(options, this.#bounds)
    this.#health = healthOf(this.#bounds, options.clock ?? systemClock)
    const { entities, scoreMin } = options
    this.#rules = { resultsMax: this.#bounds.resultsMax, scoreMin, entities }
  }

  async analyze(text: string, signal: AbortSignal): Promise<readonly Recognized[]> {
    try {
      return await this.#analyze(text, signal)
    } catch (error) {
      if (!(error instanceof AnalyzerFault) || this.#options.failOpen !== true) throw error
      return []
    }
  }

  close(): Promise<void> {
    return this.#agent.destroy()
  }

  async #analyze(text: string, signal: AbortSignal): Promise<readonly Recognized[]> {
    const { textUnitsMax, sliceUnits, overlapUnits } = this.#bounds
    if (text.length > textUnitsMax) throw this.#fault('text_too_long')
    const slices = slicesOf(text, sliceUnits, overlapUnits)
    const found: Recognized[] = []
    for (let at = 0; at < slices.length; at += slicesAtATime) {
      const group = slices.slice(at, at + slicesAtATime)
      for (const results of await Promise.all(group.map((slice) => this.#ask(slice, signal))))
        found.push(...results)
    }
    return merged(found)
  }

  #fault(reason: AnalyzerFaultReason): AnalyzerFault {
    this.#options.observer?.failed(reason)
    return new AnalyzerFault(reason)
  }

  async #ask(slice: TextSlice, signal: AbortSignal): Promise<Recognized[]> {
    const { connectionsMax, waitingMax } = this.#bounds
    if (this.#pending >= connectionsMax + waitingMax) throw this.#fault('busy')
    const turn = this.#health.enter()
    if (turn === undefined) throw this.#fault('circuit_open')
    this.#pending++
    const startedAt = performance.now()
    let end: CallEnd = 'failed'
    try {
      const results = await this.#exchange(slice, signal)
      end = 'answered'
      this.#options.observer?.answered(performance.now() - startedAt)
      return results
    } catch (error) {
      if (signal.aborted) end = 'abandoned'
      else if (error instanceof AnalyzerFault) this.#options.observer?.failed(error.reason)
      throw signal.aborted ? signal.reason : error
    } finally {
      this.#pending--
      turn.ended(end)
    }
  }

  async #exchange({ from, text }: TextSlice, signal: AbortSignal): Promise<Recognized[]> {
    const timeout = AbortSignal.timeout(this.#bounds.timeoutMs)
    let bytes: Uint8Array
    try {
      bytes = await readReply(await this.#send(text, AbortSignal.any([signal, timeout])), this.#bounds)
    } catch (error) {
      if (error instanceof AnalyzerFault) throw error
      throw new AnalyzerFault(timeout.aborted ? 'timeout' : 'unreachable', { cause: error })
    }
    const results = readRecognized(parse(bytes), text, this.#rules)
    if (results === undefined) throw new AnalyzerFault('invalid_results')
    return results.map((result) => ({ ...result, start: result.start + from, end: result.end + from }))
  }

  #send(text: string, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    const { language, entities, scoreMin, apiKey } = this.#options
    const key = apiKey?.()
    return this.#agent.request({
      origin: this.#target.origin,
      path: `${this.#target.pathname}${this.#target.search}`,
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json',
        'accept-encoding': 'identity',
        ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
      },
      body: JSON.stringify({ text, language, score_threshold: scoreMin, ...(entities && { entities }) }),
      signal,
    })
  }
}

function agentFor({ tls }: AnalyzerOptions, bounds: AnalyzerBounds): Agent {
  return new Agent({
    connections: bounds.connectionsMax,
    pipelining: 1,
    allowH2: false,
    maxHeaderSize: 16_384,
    headersTimeout: bounds.timeoutMs,
    bodyTimeout: bounds.timeoutMs,
    connect: {
      timeout: bounds.connectTimeoutMs,
      rejectUnauthorized: true,
      minVersion: 'TLSv1.2',
      // Session reuse is not bound to the host in every Node line (CVE-2026-48934).
      maxCachedSessions: 0,
      ...(tls?.ca === undefined ? {} : { ca: tls.ca }),
      ...(tls?.certificate === undefined ? {} : { cert: tls.certificate }),
      ...(tls?.key === undefined ? {} : { key: tls.key }),
      ...(tls?.serverName === undefined ? {} : { servername: tls.serverName }),
    },
  })
}

async function readReply(answer: Dispatcher.ResponseData, bounds: AnalyzerBounds): Promise<Uint8Array> {
  const { statusCode, headers, body } = answer
  if (statusCode !== 200) throw discard(answer, 'status')
  const type = String(headers['content-type'] ?? '').split(';', 1)[0] ?? ''
  const isJson = type.trim().toLowerCase() === 'application/json'
  if (!isJson || (headers['content-encoding'] ?? 'identity') !== 'identity')
    throw discard(answer, 'content_type')
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of body) {
    length += chunk.length
    if (length > bounds.replyBytesMax) throw discard(answer, 'reply_too_large')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** Cuts the connection: the rest of a refused body is not read. */
function discard({ body }: Dispatcher.ResponseData, reason: AnalyzerFaultReason): AnalyzerFault {
  body.on('error', () => undefined).destroy()
  return new AnalyzerFault(reason)
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(utf8.decode(bytes))
  } catch (error) {
    throw new AnalyzerFault('invalid_json', { cause: error })
  }
}
