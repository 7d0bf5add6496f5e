import { Agent, type Dispatcher } from 'undici'
import type { FetchFault, FetchLimits, KeyFetcher } from '../identity/key-fetching.ts'

export interface KeyFetcherOptions {
  /** The authorities that may vouch for the issuer's host; without it, the public ones that Node brings. */
  readonly ca?: string | Buffer
  readonly connectTimeoutMs?: number
}

const contentTypes = ['application/json', 'application/jwk-set+json']

/**
 * Fetches key sets over https with undici. The URL comes from the configuration alone; a redirect, another media
 * type, a compressed body, a body beyond the bound and a server that takes too long are refused.
 */
export function createKeyFetcher(options: KeyFetcherOptions = {}): KeyFetcher & { close(): Promise<void> } {
  const agent = new Agent({
    connect: {
      timeout: options.connectTimeoutMs ?? 2000,
      rejectUnauthorized: true,
      minVersion: 'TLSv1.2',
      // Session reuse is not bound to the host in every Node line (CVE-2026-48934).
      maxCachedSessions: 0,
      ...(options.ca === undefined ? {} : { ca: options.ca }),
    },
    connections: 1,
    maxHeaderSize: 16_384,
  })
  return {
    fetchKeys: (url, limits) => fetchKeys(agent, url, limits),
    close: () => agent.destroy(),
  }
}

async function fetchKeys(agent: Agent, url: string, limits: FetchLimits): Promise<Uint8Array | FetchFault> {
  const timeout = AbortSignal.timeout(limits.timeoutMs)
  try {
    const target = new URL(url)
    if (target.protocol !== 'https:') return 'fetch_failed'
    const answer = await agent.request({
      origin: target.origin,
      path: `${target.pathname}${target.search}`,
      method: 'GET',
      headers: { accept: contentTypes.join(', '), 'accept-encoding': 'identity' },
      // One fetch in some minutes: an idle connection would only grow stale.
      reset: true,
      signal: AbortSignal.any([limits.signal, timeout]),
    })
    return await readBody(answer, limits.bytesMax)
  } catch {
    return timeout.aborted ? 'fetch_timeout' : 'fetch_failed'
  }
}

async function readBody(answer: Dispatcher.ResponseData, bytesMax: number): Promise<Uint8Array | FetchFault> {
  const fault = faultOfHead(answer)
  if (fault) return discard(answer, fault)
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of answer.body) {
    length += chunk.length
    if (length > bytesMax) return discard(answer, 'fetch_too_large')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** Cuts the connection: the rest of a refused body is not read. */
function discard(answer: Dispatcher.ResponseData, fault: FetchFault): FetchFault {
  answer.body.on('error', () => undefined).destroy()
  return fault
}

function faultOfHead({ statusCode, headers }: Dispatcher.ResponseData): FetchFault | undefined {
  if (statusCode !== 200) return 'fetch_status'
  const type = String(headers['content-type'] ?? '').split(';', 1)[0] ?? ''
  const encoding = headers['content-encoding'] ?? 'identity'
  const isJson = contentTypes.includes(type.trim().toLowerCase()) && encoding === 'identity'
  return isJson ? undefined : 'fetch_content_type'
}
