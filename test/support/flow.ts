/** Traffic that goes on while a test changes something under it: streams that are held open, and callers in a loop. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Agent, fetch as undiciFetch } from 'undici'
import type { Script } from '../../loadtest/model-server.ts'
import type { RecordedRequest } from '../../loadtest/simulated/record.ts'
import type { Identity } from './certificates.ts'
import { type Stack, until } from './stack.ts'

export type Section = Record<string, unknown>
type Answer = Awaited<ReturnType<typeof undiciFetch>>

export const chat = (fields: Section = {}): Section => ({
  model: 'demo',
  messages: [{ role: 'user', content: 'hi' }],
  max_tokens: 16,
  ...fields,
})

/** Answers streams with two words at once and the last one after the next `release`; everything else with one word. */
export class HeldModel {
  #held = Promise.withResolvers<void>()

  readonly script = ({ body }: RecordedRequest): Script => {
    const { promise } = this.#held
    return body.includes('"stream":true')
      ? { content: ['one ', 'two ', 'three'], gate: (index) => (index < 3 ? undefined : promise) }
      : { content: ['word'] }
  }

  /** Lets the streams that are held now come to their end. */
  release(): void {
    this.#held.resolve()
    this.#held = Promise.withResolvers<void>()
  }
}

/** A caller with its own connections, and with another certificate if one is given. */
export interface Caller {
  fetch(path: string, init?: { token?: string; body?: unknown }): Promise<Answer>
  chat(fields?: Section, token?: string): Promise<Answer>
  stream(fields?: Section, token?: string): Promise<RunningStream>
  close(): Promise<void>
}

export interface RunningStream {
  readonly head: Answer
  /** What has come so far. */
  text(): string
  /** `ended` when the reply came to its end, `broken` when the connection did. */
  readonly end: Promise<'ended' | 'broken'>
}

/** Until the log of every gateway holds the ending of each exchange that it admitted. */
export const recordsEnded = (...stacks: readonly Stack[]): Promise<void> =>
  until(async () =>
    stacks.every((stack) => {
      const ids = (event: string) => recordsOf(stack, event).map(({ request_id }) => request_id)
      const ended = new Set(ids('exchange.ended'))
      return ids('exchange.admitted').every((id) => ended.has(id))
    }),
  )

export function callerOf(stack: Stack, identity: Identity = stack.client): Caller {
  const dispatcher = new Agent({
    // Hundreds who come at once, beside other tests, wait longer than undici's 10 s.
    connect: {
      ca: stack.serverCa.cert,
      cert: identity.chain || identity.cert,
      key: identity.key,
      timeout: 60_000,
    },
  })
  const fetch: Caller['fetch'] = (path, { token = stack.token(), body } = {}) =>
    undiciFetch(`https://localhost:${stack.port}${path}`, {
      dispatcher,
      method: body === undefined ? 'GET' : 'POST',
      headers: { authorization: `Bearer ${token}`, ...(body ? { 'content-type': 'application/json' } : {}) },
      ...(body ? { body: JSON.stringify(body) } : {}),
    })
  const post = (fields: Section, token?: string) =>
    fetch('/v1/chat/completions', { body: chat(fields), ...(token === undefined ? {} : { token }) })
  return {
    fetch,
    chat: (fields = {}, token) => post(fields, token),
    stream: async (fields = {}, token) => follow(await post({ stream: true, ...fields }, token)),
    close: () => dispatcher.destroy(),
  }
}

function follow(head: Answer): RunningStream {
  let text = ''
  const read = async (): Promise<'ended' | 'broken'> => {
    const decoder = new TextDecoder()
    try {
      for await (const chunk of head.body ?? []) text += decoder.decode(chunk as Uint8Array, { stream: true })
      return 'ended'
    } catch {
      return 'broken'
    }
  }
  return { head, text: () => text, end: read() }
}

/** What a loop of calls saw. */
export interface Loop {
  /** Statuses and how often each came; a call that got no answer counts as its error. */
  readonly seen: ReadonlyMap<string, number>
  readonly calls: number
  /** Values of `x-sallyport-policy`, in the order in which they first came. */
  readonly policies: readonly string[]
}

/** Calls without a pause from several callers until it is stopped. */
export function loopCalls(caller: Caller, { parallel = 4, fields = {} } = {}): { stop(): Promise<Loop> } {
  const seen = new Map<string, number>()
  const policies: string[] = []
  let calls = 0
  let running = true
  const one = async (): Promise<string> => {
    const reply = await caller.chat(fields)
    await reply.text()
    const policy = reply.headers.get('x-sallyport-policy') ?? ''
    if (!policies.includes(policy)) policies.push(policy)
    return String(reply.status)
  }
  const worker = async (): Promise<void> => {
    while (running) {
      const outcome = await one().catch((error: Error) => String(error.cause ?? error))
      seen.set(outcome, (seen.get(outcome) ?? 0) + 1)
      calls += 1
    }
  }
  const workers = Array.from({ length: parallel }, worker)
  return {
    stop: async () => {
      running = false
      await Promise.all(workers)
      return { seen, calls, policies }
    },
  }
}

/** Writes a file beside the configuration: `tls/server.crt`, `revocations.json`. */
export const put = (stack: Stack, file: string, text: string): void =>
  writeFileSync(join(stack.folder, 'config', file), text, { mode: 0o600 })

/** The log lines of an event. */
export const linesOf = (stack: Stack, event: string): Section[] =>
  stack.log().filter((line) => line['event'] === event)

/** The audit records of an event. */
export const recordsOf = (stack: Stack, event: string): Section[] =>
  stack.audit().filter((record) => record['event'] === event)

/** The code of an OpenAI error body. */
export async function codeOf(reply: Answer): Promise<string | undefined> {
  const body = (await reply.json()) as { error?: { code?: string } }
  return body.error?.code
}
