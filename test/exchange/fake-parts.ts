/** Parts of an exchange for tests of one stage: real rules, policy and parser; a caller and a model server in memory. */
import { createSecretKey } from 'node:crypto'
import type { AuditEvent, AuditLog, AuditRecord } from '../../src/audit/record.ts'
import type { Arrival, Client, Head } from '../../src/exchange/arrival.ts'
import type { HeldAnswer } from '../../src/exchange/outbound/attempt.ts'
import type { Target } from '../../src/exchange/outbound/dispatch.ts'
import type { RelayJob } from '../../src/exchange/relay/job.ts'
import { Trail } from '../../src/exchange/trail.ts'
import type { Principal } from '../../src/identity/principal.ts'
import type { Call } from '../../src/openai/call.ts'
import { parseCall } from '../../src/openai/parse.ts'
import { createPolicy } from '../../src/policy/engine.ts'
import { LimitBook } from '../../src/policy/limit-book.ts'
import { grantPermit, type Permit } from '../../src/policy/permit.ts'
import type { Action } from '../../src/redaction/finding.ts'
import { Replacement } from '../../src/redaction/replacement/replacement.ts'
import { createRuleSet } from '../../src/redaction/rule-set.ts'
import { Refusal } from '../../src/refusal.ts'
import type { ExchangeSummary } from '../../src/telemetry/exchange-summary.ts'
import type { EndpointHandle, UpstreamAnswer } from '../../src/upstream/upstream.ts'
import { simulatedPrincipal } from '../policy/simulated-call.ts'
import { fakeClock } from '../quota/fake-clock.ts'

type Endpoint = Call['endpoint']
const bodies: Readonly<Record<Endpoint, object>> = {
  'chat.completions': { model: 'demo', messages: [{ role: 'user', content: 'hi' }], max_tokens: 8 },
  completions: { model: 'demo', prompt: 'hi', max_tokens: 8 },
  embeddings: { model: 'demo', input: 'hi' },
}

export const callOf = (fields: object = {}, endpoint: Endpoint = 'chat.completions'): Call =>
  parseCall(endpoint, Buffer.from(JSON.stringify({ ...bodies[endpoint], ...fields })), {
    unknownFields: 'refuse',
  })

export const principal: Principal = simulatedPrincipal(['app'])

export const permitOf = (call: Call = callOf(), redactionProfile = 'mask'): Permit =>
  grantPermit({
    principal,
    call,
    model: 'demo',
    outputTokensMax: 8,
    price: undefined,
    priority: 'interactive',
    weight: 1,
    redactionProfile,
    roles: ['app'],
  })

/** Beside secrets. Few: these tests say what is held of a text, and more kinds of data hold more. */
const tested = new Set(['EMAIL_ADDRESS', 'CREDIT_CARD', 'US_SSN', 'IP_ADDRESS'])

export const ruleSet = (action: Action, direction: 'prompt' | 'reply' = 'reply') =>
  createRuleSet({
    name: action,
    direction,
    policyOf: ({ entity, category, family }) =>
      tested.has(entity) || (category === 'secret' && family === 'prefix') ? action : 'allow',
  })

/** What stands for values in an exchange whose prompt held none. */
export const replacementOf = (): Replacement =>
  new Replacement(createSecretKey(Buffer.alloc(32, 7)), 'acme', {
    compact: new Set(),
    irreversible: new Set(),
  })

/** What a reply goes through. */
export const replyRules = (action: Action): Pick<RelayJob, 'rules' | 'replacement' | 'restores'> => ({
  rules: ruleSet(action),
  replacement: replacementOf(),
  restores: () => true,
})

/** Profiles by the name of their one action. */
export const redaction = {
  rulesFor: (profile: string) => ({
    prompt: ruleSet(profile as Action, 'prompt'),
    reply: ruleSet(profile as Action),
    restores: () => true,
    replacementFor: replacementOf,
  }),
}

export const policy = createPolicy({
  policies: {
    unknownFields: 'refuse',
    scopes: { chat: { endpoints: ['chat.completions', 'models'], models: ['demo'] } },
    roles: {
      app: {
        scopes: ['chat'],
        parameters: {
          outputTokensMax: 8,
          choicesMax: 4,
          promptsMax: 16,
          inputsMax: 256,
          tools: ['*'],
          responseFormats: ['text'],
        },
        limits: { requestsPerMinute: 60, burst: 2, inFlight: 1 },
        redaction: 'mask',
        binding: 'none',
      },
    },
  },
  models: { models: { demo: { outputTokensMax: 100 }, other: { outputTokensMax: 100 } } },
  redaction: { profiles: { mask: { prompt: { default: 'mask' }, reply: { default: 'mask' } } } },
  hash: '0123456789abcdef',
})

/** The limits of the role `app`. */
export const limits = new LimitBook({
  roles: { app: { requestsPerMinute: 60, burst: 2, inFlight: 1 } },
  limits: {},
})

/** A caller who reads into memory; `stalled` makes it wait, `leave` hangs up. */
export class FakeClient implements Client {
  readonly #gone = new AbortController()
  head: Head | undefined
  text = ''
  ended = false
  /** When set, writes wait for it. */
  pressure: Promise<void> | undefined

  get gone(): AbortSignal {
    return this.#gone.signal
  }
  get begun(): boolean {
    return this.head !== undefined
  }
  async send(head: Head, body: string): Promise<void> {
    this.open(head)
    await this.end(body)
  }
  open(head: Head): void {
    if (this.head) throw new Error('a second head')
    this.head = head
  }
  write(text: string): Promise<void> | undefined {
    if (this.gone.aborted) return Promise.reject(new Refusal('caller_gone', 'test'))
    this.text += text
    return this.pressure
  }
  async end(text: string): Promise<void> {
    if (this.ended) throw new Error('a second end')
    if (this.gone.aborted) throw new Refusal('caller_gone', 'test')
    this.text += text
    this.ended = true
  }
  leave(): void {
    this.#gone.abort(new Refusal('caller_gone', 'test'))
  }
}

/** A trail that keeps what the metrics would be told. */
export function trailOf(arrival: Partial<Arrival> = {}, clock = fakeClock()) {
  const told: (ExchangeSummary | 'stream')[] = []
  const trail = new Trail(
    { id: 'id-1', method: 'POST', remoteAddress: '10.0.0.1', peer: () => principal.certificate, ...arrival },
    'chat.completions',
    clock,
    { streamBegan: () => void told.push('stream'), ended: (summary) => void told.push(summary) },
  )
  return { trail, told, clock }
}

/** An audit log in memory; `broken` makes it refuse. */
export class FakeAuditLog implements AuditLog {
  readonly events: AuditEvent[] = []
  broken = false
  readonly queued = 0
  readonly head = { seq: 0, hash: '' }
  get healthy(): boolean {
    return !this.broken
  }
  async append(event: AuditEvent): Promise<AuditRecord> {
    if (this.broken) throw new Error('disk full')
    this.events.push(event)
    return { ...event, v: 1, seq: this.events.length, prev: '', hash: '' }
  }
  async close(): Promise<void> {}
}

/** What a model server would have answered. */
export function answerOf(
  body: Iterable<string | Uint8Array> | AsyncIterable<Uint8Array>,
  fields: Partial<UpstreamAnswer> = {},
): UpstreamAnswer & { readonly seen: { disposed: number; finished: number } } {
  const seen = { disposed: 0, finished: 0 }
  async function* bytes(): AsyncGenerator<Uint8Array> {
    for await (const chunk of body) yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk
  }
  return {
    status: 200,
    contentType: 'application/json',
    headers: {},
    body: bytes(),
    seen,
    finish: () => void seen.finished++,
    [Symbol.asyncDispose]: async () => void seen.disposed++,
    ...fields,
  }
}

/** The same, with the place at the server that it came from. */
export function heldAnswerOf(
  body: Iterable<string | Uint8Array> | AsyncIterable<Uint8Array>,
  fields: Partial<HeldAnswer> = {},
): HeldAnswer & ReturnType<typeof answerOf> {
  return { ...answerOf(body), target: targetOf(), produced: () => {}, failed: () => {}, ...fields }
}

/** A server of pool `gpu`; nobody answers there. */
export const targetOf = (origin = 'http://a', fields: Partial<Target> = {}): Target => ({
  pool: 'gpu',
  server: 'vllm',
  upstreamModel: 'org/real',
  cacheSalt: undefined,
  endpoint: endpointOf(origin),
  ...fields,
})

export const endpointOf = (origin: string, fields: Partial<EndpointHandle> = {}): EndpointHandle => ({
  origin,
  inFlight: 0,
  post: () => Promise.reject(new Error('nobody asked for this')),
  get: () => Promise.reject(new Error('nobody asked for this')),
  async close() {},
  ...fields,
})

/** The refusal that `act` throws, as `code detail`; `none` when it throws nothing. */
export async function refusalOf(act: () => unknown): Promise<string> {
  try {
    await act()
    return 'none'
  } catch (error) {
    if (error instanceof Refusal) return `${error.code} ${error.detail}`
    throw error
  }
}

/** One event of a chat stream. */
export const chatEvent = (delta: object, finish: string | null = null, index = 0): string =>
  `data: ${JSON.stringify({
    id: 'chatcmpl-1',
    object: 'chat.completion.chunk',
    created: 1,
    model: 'm',
    choices: [{ index, delta, finish_reason: finish }],
  })}\n\n`
export const DONE = 'data: [DONE]\n\n'
