import { Refusal } from '../../refusal.ts'
import type { BodyShare } from '../body-budget.ts'
import type { InspectedHeaders } from './inspect.ts'

export interface BodyBounds {
  readonly bodyBytesMax: number
  readonly bodyTimeoutMs: number
}

const mediaType = /^application\/json(?:[\t ]*;[\t ]*charset="?utf-8"?)?[\t ]*$/i

/** The request body, bounded in bytes and time, and by what all bodies together may take. Nothing is decoded: content codings were refused before. */
export async function readBody(
  body: AsyncIterable<Uint8Array>,
  headers: InspectedHeaders,
  bounds: BodyBounds,
  share: Pick<BodyShare, 'hold'>,
  signal: AbortSignal,
): Promise<Uint8Array> {
  if (headers.contentType === undefined || !mediaType.test(headers.contentType)) {
    throw new Refusal('unsupported_media_type', 'content-type is not application/json')
  }
  if (headers.contentLength > bounds.bodyBytesMax) throw tooLarge()
  return await withDeadline(collect(body, bounds.bodyBytesMax, share), bounds.bodyTimeoutMs, signal)
}

/** One buffer that doubles: a body sent byte by byte costs twice its size, not an object for each byte. */
async function collect(
  body: AsyncIterable<Uint8Array>,
  bytesMax: number,
  share: Pick<BodyShare, 'hold'>,
): Promise<Uint8Array> {
  let whole: Uint8Array = new Uint8Array()
  let bytes = 0
  for await (const chunk of body) {
    const end = bytes + chunk.byteLength
    if (end > bytesMax) throw tooLarge()
    const room =
      end <= whole.byteLength ? whole.byteLength : Math.min(bytesMax, Math.max(end, 2 * whole.byteLength))
    share.hold(room)
    whole = bytes === 0 && room === end ? chunk : append(whole, { bytes, room }, chunk)
    bytes = end
  }
  return whole.subarray(0, bytes)
}

function append(
  whole: Uint8Array,
  { bytes, room }: { readonly bytes: number; readonly room: number },
  chunk: Uint8Array,
): Uint8Array {
  const grown = room === whole.byteLength ? whole : new Uint8Array(room)
  if (grown !== whole) grown.set(whole.subarray(0, bytes))
  grown.set(chunk, bytes)
  return grown
}

const tooLarge = (): Refusal => new Refusal('request_too_large', 'body above bodyBytesMax')

async function withDeadline<T>(work: Promise<T>, timeoutMs: number, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(
    () => reject(new Refusal('request_timeout', 'body above bodyTimeoutMs')),
    timeoutMs,
  )
  const abort = (): void => reject(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  // Whichever loses the race still rejects later (the stream of a caller who left): nobody waits for it any more.
  work.catch(() => {})
  promise.catch(() => {})
  try {
    signal.throwIfAborted()
    return await Promise.race([work, promise])
  } catch (error) {
    throw error instanceof Refusal ? error : new Refusal('caller_gone', 'body broke off', { cause: error })
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', abort)
  }
}
