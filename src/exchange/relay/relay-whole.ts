import { Refusal } from '../../refusal.ts'
import { type Located, LocatedFindings } from '../located-findings.ts'
import { jsonHead } from '../reply-head.ts'
import type { Relayed } from '../trail.ts'
import { shownUsage } from './encode-events.ts'
import type { RelayJob } from './job.ts'
import { checkTools, screenWhole } from './screen-reply.ts'

/** A reply that comes in one piece: read within its bound, rebuilt, metered, screened, sent. */
export async function relayWhole(job: RelayJob): Promise<void> {
  const { answer, call, client, trail, gateway, meter } = job
  const reply = job.dialect.whole(await readJson(answer.body, gateway.stream.replyBytesMax), job.model)
  meter.whole(reply)
  // Metered before it is screened: a reply that the policy blocks has been generated, and is paid for.
  trail.relayed = relayed(job, new LocatedFindings(), 0)
  checkTools(reply, call)
  const startedAt = gateway.clock.monotonic()
  const { found, blocked } = await screenWhole(reply, job, job.signal)
  trail.relayed = relayed(job, found, gateway.clock.monotonic() - startedAt)
  if (blocked) throw new Refusal('content_blocked', blocked.entity)
  trail.firstByte()
  const body = { ...reply.body, usage: shownUsage(call, meter.usage) }
  trail.status = 200
  await client.send(jsonHead(200, trail, gateway), JSON.stringify(body))
}

const relayed = ({ meter, replacement }: RelayJob, found: Located, scanMs: number): Relayed => ({
  usage: meter.usage,
  usageReported: meter.reported,
  events: meter.events,
  found,
  pseudonyms: { ...replacement.restoreCount },
  gaps: undefined,
  outputCut: false,
  heldCharsMax: 0,
  scanMs,
})

async function readJson(body: AsyncIterable<Uint8Array>, bytesMax: number): Promise<unknown> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of body) {
    bytes += chunk.byteLength
    if (bytes > bytesMax) throw new Refusal('upstream_reply_too_large', 'reply above replyBytesMax')
    chunks.push(chunk)
  }
  try {
    return JSON.parse(Buffer.concat(chunks, bytes).toString('utf8'))
  } catch {
    throw new Refusal('upstream_protocol', 'reply is not JSON')
  }
}
