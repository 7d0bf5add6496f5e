// One streamed call, and what its caller sees of it.
import { type Agent, request } from 'undici'
import { seededRandom } from '../simulated/random.ts'
import type { Caller, Gateway, Priority } from './gateway.ts'

/** Slow, so that ten times what the servers can do is little for the processors. */
const FIRST_TOKEN_MS = 400
const TOKEN_MS = 80
/** Replies have 1 to twice as many, less one: turns of one length would come and go in waves. */
const TOKENS = 10

export interface Seen {
  readonly priority: Priority
  readonly status: number
  /** `completed`, the code of the refusal, or what went wrong. */
  readonly code: string
  /** Arrival, from the begin of the phase. */
  readonly atMs: number
  readonly endMs: number
  readonly firstTokenMs: number
  readonly totalMs: number
  /** By the gateway's own account: until it had a place, and of that until the audit record was on the disk. */
  readonly beforeMs: number
  readonly recordMs: number
  readonly lateMs: number
}

const bodies = Array.from({ length: 2 * TOKENS - 1 }, (_, index) => {
  const content = Array.from({ length: index + 1 }, () => 'word ')
  const script = JSON.stringify({ content, firstTokenMs: FIRST_TOKEN_MS, gapMs: TOKEN_MS })
  const messages = [{ role: 'user', content: `x-simulate: ${script}` }]
  return JSON.stringify({ model: 'demo', stream: true, messages, max_tokens: 64 })
})
const lengths = seededRandom(3)
const anyBody = (): string => bodies[Math.floor(lengths.next() * bodies.length)] as string

/** `start`: begin of the phase; `dueMs`: when the call was to begin, from there. Never rejects. */
export async function call(
  { url, agent }: Gateway,
  caller: Caller,
  start: number,
  dueMs: number,
): Promise<Seen> {
  const sentAt = performance.now()
  const seen = { priority: caller.priority, atMs: sentAt - start, lateMs: sentAt - start - dueMs }
  const told = await answered(url, agent, caller.authorization, sentAt).catch((error: { code?: string }) => ({
    ...{ status: 0, code: `no answer (${error.code})`, firstTokenMs: Number.NaN, beforeMs: 0, recordMs: 0 },
  }))
  const endMs = performance.now() - start
  return { ...seen, ...told, endMs, totalMs: endMs - seen.atMs }
}

async function answered(url: string, agent: Agent, authorization: string, sentAt: number) {
  const answer = await request(`${url}/v1/chat/completions`, {
    ...{ method: 'POST', dispatcher: agent, body: anyBody() },
    headers: { 'content-type': 'application/json', authorization },
  })
  const status = answer.statusCode
  const stages = stagesOf(String(answer.headers['server-timing']))
  if (status !== 200) {
    const { error } = (await answer.body.json()) as { error?: { code?: string } }
    return { status, code: String(error?.code), firstTokenMs: Number.NaN, ...stages }
  }
  let [firstTokenMs, reply] = [Number.NaN, '']
  for await (const chunk of answer.body) {
    reply += String(chunk)
    if (Number.isNaN(firstTokenMs) && reply.includes('"content":"w'))
      firstTokenMs = performance.now() - sentAt
  }
  const code = reply.endsWith('data: [DONE]\n\n') ? 'completed' : 'broken stream'
  return { status, code, firstTokenMs, ...stages }
}

/** Of a Server-Timing header. */
export function stagesOf(serverTiming: string): Pick<Seen, 'beforeMs' | 'recordMs'> {
  const stages = [...serverTiming.matchAll(/(\w+);dur=([\d.]+)/g)].map(([, name, ms]) => ({
    name,
    ms: Number(ms),
  }))
  const before = stages.filter(({ name }) => name !== 'upstream')
  const recordMs = stages.find(({ name }) => name === 'record')?.ms ?? 0
  return { beforeMs: before.reduce((sum, { ms }) => sum + ms, 0), recordMs }
}
