import { Refusal } from '../../refusal.ts'
import type { Arrival } from '../arrival.ts'

/** Fields that decide who is calling, what is sent and where it ends: twice is once too often (RFC 9110 section 5.3). */
const singleHeaders = new Set([
  'host',
  'authorization',
  'content-type',
  'content-length',
  'content-encoding',
  'transfer-encoding',
  'expect',
  'dpop',
])

export interface InspectedHeaders {
  readonly host: string
  readonly authorization: string | undefined
  readonly contentType: string | undefined
  /** A declared body length; -1 when the body is chunked; 0 when there is none. */
  readonly contentLength: number
}

/**
 * Framing and header rules that Node and Fastify leave open (measured: the first of two Host or Authorization
 * headers wins silently, absolute-form targets and `gzip, chunked` pass). Runs before anything has a side effect.
 */
export function inspect(arrival: Arrival): InspectedHeaders {
  if (arrival.fault) throw arrival.fault
  const headers = singles(arrival.rawHeaders)
  checkTarget(arrival)
  checkFraming(headers)
  const contentLength = declaredLength(headers)
  if (contentLength !== 0 && (arrival.method === 'GET' || arrival.method === 'HEAD')) {
    throw new Refusal('unexpected_body', `${arrival.method} with a body`)
  }
  const host = headers.get('host')
  if (host === undefined) throw new Refusal('malformed_request', 'no host')
  arrival.checkHost(host)
  return {
    host,
    authorization: headers.get('authorization'),
    contentType: headers.get('content-type'),
    contentLength,
  }
}

function singles(rawHeaders: readonly string[]): Map<string, string> {
  const values = new Map<string, string>()
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] as string).toLowerCase()
    if (values.has(name) && singleHeaders.has(name)) throw new Refusal('duplicate_header', name)
    values.set(name, rawHeaders[i + 1] as string)
  }
  return values
}

function checkTarget({ target, httpVersion }: Arrival): void {
  if (httpVersion !== '1.1') throw new Refusal('malformed_request', 'not HTTP/1.1')
  if (!target.startsWith('/')) throw new Refusal('absolute_form', 'target is not in origin form')
  if (target.includes('#')) throw new Refusal('malformed_request', 'fragment in the target')
}

function checkFraming(headers: Map<string, string>): void {
  if (headers.has('upgrade')) throw new Refusal('upgrade_refused', 'upgrade header')
  const expectation = headers.get('expect')
  if (expectation !== undefined && expectation.toLowerCase() !== '100-continue') {
    throw new Refusal('malformed_request', 'unknown expectation')
  }
  const coding = headers.get('transfer-encoding')
  if (coding !== undefined && coding.toLowerCase() !== 'chunked') {
    throw new Refusal('malformed_request', 'transfer coding other than chunked')
  }
  const encoding = headers.get('content-encoding')
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    // A 165-byte brotli body decodes to 100 MB: request bodies are never decoded.
    throw new Refusal('unsupported_media_type', 'content encoding')
  }
}

function declaredLength(headers: Map<string, string>): number {
  if (headers.has('transfer-encoding')) return -1
  const length = Number(headers.get('content-length') ?? '0')
  if (!Number.isSafeInteger(length) || length < 0) throw new Refusal('malformed_request', 'content-length')
  return length
}
