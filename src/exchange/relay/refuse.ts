import { openAiError } from '../../openai/error-body.ts'
import { encodeEvent } from '../../openai/sse.ts'
import type { Refusal } from '../../refusal.ts'
import type { Client } from '../arrival.ts'
import { refusalHead } from '../reply-head.ts'
import type { Trail } from '../trail.ts'

/**
 * Tells the caller no: a status and a JSON body when nothing was sent yet, an error event and the end of the stream
 * when it had begun. A bare close would read as success in the stock SDKs. Never throws.
 */
export async function refuse(
  refusal: Refusal,
  client: Client,
  trail: Trail,
  gateway: { readonly policy: { readonly hash: string } },
): Promise<void> {
  if (!client.begun) trail.status = refusal.row.status
  if (client.gone.aborted) return
  const error = openAiError(refusal, { requestId: trail.id })
  try {
    if (client.begun) await client.end(encodeEvent(error))
    else await client.send(refusalHead(refusal, trail, gateway), JSON.stringify(error))
  } catch {
    // The caller left before it could be told; the trail already says how the exchange ended.
  }
}
