/**
 * HTTPS to the operators' listener: mutual TLS, a bearer token, JSON both ways.
 *
 * 1. An answer has a deadline and a bound; redirects are not followed.
 * 2. The token is read anew for each request: one that was rotated under `quota top` is taken up.
 * 3. Who asks too fast is told to wait (429), and then nothing was done: it is asked again, a few times. Nothing else is.
 * 4. Whatever goes wrong is an OpsFailure whose message says what to do next; what the server wrote in it is `plain`.
 */
import { Agent, request } from 'node:https'
import { setTimeout as sleep } from 'node:timers/promises'
import { urlToHttpOptions } from 'node:url'
import { answerFailure, connectFailure, type OpsAnswer, OpsFailure, tokenFailure } from './quota/failure.ts'

export interface OpsConnection {
  /** `https://host:port` */
  readonly origin: string
  /** PEM. */
  readonly tls: { readonly ca: string; readonly cert: string; readonly key: string }
  /** Reads the bearer token; throws CommandFailed when it cannot be had. */
  token(): string
  readonly timeoutMs?: number
}

export type OpsMethod = 'GET' | 'PUT' | 'POST' | 'DELETE'

export interface OpsRequest {
  readonly body?: object
  /** Version of the document that is to be changed, `If-Match`; `'none'` when there must not be one yet. */
  readonly expected?: string
}

export interface OpsClient {
  readonly origin: string
  /** The answer when its status is 2xx; throws OpsFailure otherwise. `path` begins with `/admin/v1`. */
  ask(method: OpsMethod, path: string, options?: OpsRequest): Promise<OpsAnswer>
  close(): void
}

const TIMEOUT_MS = 10_000
const PACED_TRIES_MAX = 10
const PACED_WAIT_MS_MAX = 2_000
const ANSWER_BYTES_MAX = 8 * 1024 * 1024
/** Longer than what a header section of the gateway takes. */
const TOKEN_LENGTH_MAX = 16_384

export function createOpsClient(connection: OpsConnection): OpsClient {
  const agent = new Agent({ ...connection.tls, keepAlive: true, maxSockets: 2 })
  return {
    origin: connection.origin,
    ask: (method, path, options = {}) => ask(connection, agent, { method, path, ...options }),
    close: () => agent.destroy(),
  }
}

interface Asked extends OpsRequest {
  readonly method: OpsMethod
  readonly path: string
}

async function ask(connection: OpsConnection, agent: Agent, asked: Asked): Promise<OpsAnswer> {
  const token = checkedToken(connection.token())
  const payload = asked.body === undefined ? undefined : JSON.stringify(asked.body)
  const headers = {
    accept: 'application/json',
    authorization: `Bearer ${token}`,
    ...(payload === undefined
      ? {}
      : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) }),
    ...precondition(asked.expected),
  }
  let answer = await exchange(connection, { agent, headers, payload, asked })
  for (let tries = 1; answer.status === 429 && tries < PACED_TRIES_MAX; tries += 1) {
    if (answer.retryAfterMs === undefined || answer.retryAfterMs > PACED_WAIT_MS_MAX) break
    await sleep(answer.retryAfterMs)
    answer = await exchange(connection, { agent, headers, payload, asked })
  }
  if (answer.status >= 200 && answer.status <= 299) return answer
  throw answerFailure(answer, { token, origin: connection.origin, ...asked })
}

function checkedToken(text: string): string {
  const token = text.trim()
  if (/^[\x21-\x7e]+$/.test(token) && token.length <= TOKEN_LENGTH_MAX) return token
  throw tokenFailure()
}

const precondition = (expected: string | undefined): Record<string, string> => {
  if (expected === undefined) return {}
  return expected === 'none' ? { 'if-none-match': '*' } : { 'if-match': `"${expected}"` }
}

interface Exchange {
  readonly agent: Agent
  readonly headers: Record<string, string | number>
  readonly payload: string | undefined
  readonly asked: Asked
}

function exchange(
  { origin, timeoutMs = TIMEOUT_MS }: OpsConnection,
  { agent, headers, payload, asked }: Exchange,
): Promise<OpsAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<OpsAnswer>()
  const signal = AbortSignal.timeout(timeoutMs)
  const failed = (error: Error): void => {
    const late = signal.aborted ? { timeoutMs } : {}
    reject(error instanceof OpsFailure ? error : connectFailure(error, { origin, ...late, ...asked }))
  }
  // Not by URL: its parser would take `..` out of a path.
  const target = { ...urlToHttpOptions(new URL(origin)), path: asked.path }
  const outgoing = request({ ...target, method: asked.method, headers, agent, signal }, (incoming) => {
    const chunks: Buffer[] = []
    let length = 0
    incoming.on('data', (chunk: Buffer) => {
      length += chunk.length
      if (length <= ANSWER_BYTES_MAX) chunks.push(chunk)
      else outgoing.destroy(new OpsFailure(`${origin} answers with more than ${ANSWER_BYTES_MAX} bytes.`))
    })
    incoming.on('error', failed)
    incoming.on('end', () => {
      const status = incoming.statusCode ?? 0
      const { etag, 'x-request-id': id, 'retry-after-ms': wait } = incoming.headers
      const requestId = typeof id === 'string' ? id : undefined
      const retryAfterMs = typeof wait === 'string' && /^\d{1,9}$/.test(wait) ? Number(wait) : undefined
      const body = parsed(Buffer.concat(chunks).toString('utf8'))
      resolve({ status, etag, requestId, retryAfterMs, body })
    })
  })
  outgoing.on('error', failed)
  outgoing.end(payload)
  return promise
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
