// What every check gets, and what checks ask of a stream.
import { strict as assert } from 'node:assert'
import type { AuditRecord, Front, Role } from './front.ts'
import type { ModelServer } from './model-server.ts'
import type { Section } from './report.ts'

export interface Bench {
  readonly section: Section
  readonly front: Front
  readonly server: ModelServer
  /** The name that callers use. */
  readonly model: string
  /** Output tokens of a short reply, and of one that is meant to be cut. */
  readonly tokens: number
  readonly longTokens: number
  /** A `logit_bias` without which a long reply might end by itself. */
  readonly endless: Readonly<Record<string, number>>
}

export interface Streamed {
  readonly status: number
  readonly contentType: string
  readonly requestId: string
  /** Everything that came, as text. */
  readonly bytes: string
  /** The `data:` lines, parsed; `[DONE]` left out. */
  readonly events: readonly StreamEvent[]
  readonly done: boolean
  readonly firstTokenMs: number
}

interface Delta {
  readonly content?: string | null
  readonly reasoning_content?: string | null
  readonly tool_calls?: readonly {
    readonly index: number
    readonly function?: { readonly arguments?: string }
  }[]
}

export interface StreamEvent {
  readonly model?: string
  readonly choices?: readonly {
    readonly index: number
    readonly text?: string
    readonly delta?: Delta
    readonly finish_reason?: string | null
  }[]
  readonly usage?: { readonly prompt_tokens: number; readonly completion_tokens: number }
  readonly error?: { readonly code?: string }
}

/** POSTs and reads the stream byte by byte as it comes, with no client in between. */
export async function postStream(
  post: (init: { method: string; headers: Record<string, string>; body: string }) => Promise<Response>,
  token: string,
  body: object,
): Promise<Streamed> {
  const began = performance.now()
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` }
  const answer = await post({ method: 'POST', headers, body: JSON.stringify({ ...body, stream: true }) })
  let bytes = ''
  let firstTokenMs = Number.NaN
  for await (const chunk of (answer.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += Buffer.from(chunk).toString('latin1')
    if (Number.isNaN(firstTokenMs) && /"(content|text|arguments)":"[^"]/.test(bytes))
      firstTokenMs = performance.now() - began
  }
  const text = Buffer.from(bytes, 'latin1').toString('utf8')
  const data = text.split('\n').flatMap((line) => (line.startsWith('data: ') ? [line.slice(6)] : []))
  return {
    status: answer.status,
    contentType: answer.headers.get('content-type') ?? '',
    requestId: answer.headers.get('x-request-id') ?? '',
    bytes: text,
    events: data.filter((line) => line !== '[DONE]').map((line) => JSON.parse(line) as StreamEvent),
    done: data.at(-1) === '[DONE]',
    firstTokenMs,
  }
}

/** A stream through the gateway. */
export const streamed = (front: Front, path: string, body: object, role: Role = 'app'): Promise<Streamed> =>
  postStream((init) => front.fetch(path, init) as unknown as Promise<Response>, front.token(role), body)

/** A stream straight from the model server. */
export const streamedDirect = (server: ModelServer, path: string, body: object): Promise<Streamed> =>
  postStream((init) => fetch(server.origin + path, init), server.apiKey, body)

/** The text of one choice after each event, on one channel: what a caller could have read at that moment. */
export function textOf(
  events: readonly StreamEvent[],
  choice = 0,
  channel: 'content' | 'reasoning' = 'content',
) {
  const steps: string[] = []
  let text = ''
  for (const event of events) {
    for (const { index, text: plain, delta } of event.choices ?? []) {
      if (index !== choice) continue
      const piece = channel === 'content' ? (plain ?? delta?.content) : delta?.reasoning_content
      if (!piece) continue
      text += piece
      steps.push(text)
    }
  }
  return { text, steps }
}

/** The arguments of each tool call of the first choice. */
export function toolArguments(events: readonly StreamEvent[]): string[] {
  const calls: string[] = []
  for (const event of events) {
    for (const call of event.choices?.[0]?.delta?.tool_calls ?? []) {
      calls[call.index] = (calls[call.index] ?? '') + (call.function?.arguments ?? '')
    }
  }
  return calls
}

export const finishReasons = (events: readonly StreamEvent[]): string[] =>
  events.flatMap((event) => event.choices ?? []).flatMap(({ finish_reason: reason }) => reason ?? [])

export const usageOf = (events: readonly StreamEvent[]) => events.findLast(({ usage }) => usage)?.usage

export const question = (content: string) => [{ role: 'user' as const, content }]

/** The one ending with this id. */
export async function endingOf(front: Front, requestId: string | null | undefined): Promise<AuditRecord> {
  const endings = (await front.settled()).filter((record) => record.request_id === requestId)
  assert.equal(endings.length, 1, `${endings.length} endings of exchange ${requestId}`)
  return endings[0] as AuditRecord
}

/** The ending that was recorded last. */
export async function lastEnding(front: Front): Promise<AuditRecord> {
  const ending = (await front.settled()).at(-1)
  assert.ok(ending, 'nothing was recorded')
  return ending
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}
