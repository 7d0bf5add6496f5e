import { classifyUpstreamError } from '../../openai/error-body.ts'
import { serializeCall } from '../../openai/upstream-body.ts'
import type { Permit } from '../../policy/permit.ts'
import type { Reservation } from '../../quota/quota.ts'
import { Refusal } from '../../refusal.ts'
import type { ServerKind } from '../../upstream/pool.ts'
import type { EndpointHandle, UpstreamAnswer, UpstreamRequest } from '../../upstream/upstream.ts'
import type { ScreenedCall } from '../inbound/screen-prompt.ts'

/** The server that was chosen for a call. */
export interface Target {
  readonly pool: string
  readonly server: ServerKind
  /** Name of the model there. */
  readonly upstreamModel: string
  readonly endpoint: EndpointHandle
  readonly cacheSalt: string | undefined
}

/** What is told of a call that is sent. */
export interface DispatchTrail {
  readonly id: string
  sent(target: Target): void
  /** The head of an answer came, whatever it says. */
  told(answer: UpstreamAnswer): void
}

const pathByEndpoint: Readonly<Record<ScreenedCall['call']['endpoint'], UpstreamRequest['path']>> = {
  'chat.completions': '/v1/chat/completions',
  completions: '/v1/completions',
  embeddings: '/v1/embeddings',
}
const ERROR_BODY_BYTES_MAX = 65_536

/**
 * Target -> Answer. The body is serialized anew from what was screened; the path is a constant of ours. Returns only
 * a 200 of the content type that the call asked for; every other answer is a refusal that quotes nothing of it.
 */
export async function dispatch(
  target: Target,
  screened: ScreenedCall,
  _permit: Permit,
  reserved: Pick<Reservation, 'outputTokensMax'>,
  trail: DispatchTrail,
  signal: AbortSignal,
): Promise<UpstreamAnswer> {
  const { call } = screened
  const body = serializeCall(call, {
    model: target.upstreamModel,
    outputTokensMax: reserved.outputTokensMax,
    server: target.server,
    cacheSalt: target.cacheSalt,
  })
  const answer = await target.endpoint.post(
    {
      path: pathByEndpoint[call.endpoint],
      body,
      stream: call.stream,
      requestId: trail.id,
      sent: () => trail.sent(target),
    },
    signal,
  )
  trail.told(answer)
  try {
    if (answer.status !== 200)
      throw classifyUpstreamError(answer.status, await head(answer.body), {
        retryAfter: answer.headers['retry-after'],
      })
    // `identity` was asked for: nothing here decodes, so nothing can be made to decode a bomb.
    if (answer.headers['content-encoding'])
      throw new Refusal('upstream_protocol', 'a coding nobody asked for')
    checkContentType(answer.contentType, call.stream ? 'text/event-stream' : 'application/json')
    return answer
  } catch (error) {
    await answer[Symbol.asyncDispose]()
    throw signal.aborted ? signal.reason : error
  }
}

/** The first bytes of an error body: enough for its class. */
async function head(body: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of body) {
    chunks.push(chunk)
    bytes += chunk.byteLength
    if (bytes >= ERROR_BODY_BYTES_MAX) break
  }
  return Buffer.concat(chunks)
}

/** A stream answered with JSON reads as an empty reply in the stock SDKs, without an error: refuse it instead. */
function checkContentType(actual: string, expected: string): void {
  const type = actual.split(';', 1)[0]?.trim().toLowerCase()
  if (type !== expected) throw new Refusal('upstream_protocol', `content-type is not ${expected}`)
}
