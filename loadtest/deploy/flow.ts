// Callers who go on while something under them is replaced: streams that are held open, each checked to its last word,
// and calls at a steady rate, whether the ones before were answered or not. Nothing is sent twice: a client library
// would hide in its retries what is looked for here.
import { setTimeout as delay } from 'node:timers/promises'
import { Agent, request } from 'undici'
import { quantiles } from '../driver/quantiles.ts'
import { seededRandom } from '../simulated/random.ts'

export interface Caller {
  readonly url: string
  readonly agent: Agent
  readonly token: string
}

export interface CallerFiles {
  readonly ca: readonly (string | Buffer)[]
  readonly cert: string | Buffer
  readonly key: string | Buffer
}

/** Connections of a caller, kept for the next request as every HTTP client does. */
export const agentOf = ({ ca, cert, key }: CallerFiles): Agent =>
  new Agent({
    keepAliveTimeout: 60_000,
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: { ca: [...ca] as Buffer[], cert, key, timeout: 60_000 },
  })

/** Asks for a completion that the simulated model server says as it is scripted. */
export const post = ({ url, agent, token }: Caller, body: string, signal?: AbortSignal) =>
  request(`${url}/v1/chat/completions`, {
    method: 'POST',
    dispatcher: agent,
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body,
    ...(signal === undefined ? {} : { signal }),
  })

export const bodyOf = (script: object, fields: object = {}): string =>
  JSON.stringify({
    model: 'demo',
    messages: [{ role: 'user', content: `x-simulate: ${JSON.stringify(script)}` }],
    max_tokens: 256,
    ...fields,
  })

/** What became of requests. `faults`: what went wrong, as text; empty when nothing did. */
export interface Outcome {
  readonly made: number
  readonly faults: readonly string[]
  /** `x-request-id` of every answer. */
  readonly ids: readonly string[]
}

const FIRST_LOOK_MS = 20
const AGAIN_MS = 100

export interface StreamsOptions {
  readonly count: number
  /** Words of a stream are drawn evenly from this to half as many more. */
  readonly words: number
  readonly gapMs: number
}

/** Holds so many streams open: each that ends is followed by another until `stop`. */
export class Streams {
  readonly #caller: () => Caller
  readonly #options: StreamsOptions
  readonly #random = seededRandom(7)
  readonly #faults: string[] = []
  readonly #ids: string[] = []
  readonly #lines: Promise<void>[]
  #running = true
  #made = 0
  #open = 0

  constructor(caller: () => Caller, options: StreamsOptions) {
    this.#caller = caller
    this.#options = options
    this.#lines = Array.from({ length: options.count }, () => this.#line())
  }

  /** Resolves when all have had their first word. */
  async opened(): Promise<void> {
    while (this.#open < this.#options.count && this.#faults.length === 0) await delay(FIRST_LOOK_MS)
  }

  /** Lets those that run come to their end, and says what became of all. */
  async stop(): Promise<Outcome> {
    this.#running = false
    await Promise.all(this.#lines)
    return { made: this.#made, faults: this.#faults, ids: this.#ids }
  }

  async #line(): Promise<void> {
    while (this.#running) {
      this.#made += 1
      const beganAt = performance.now()
      const fault = await this.#one().catch(textOf)
      if (fault === undefined) continue
      this.#faults.push(`${fault}${since(beganAt)}`)
      await delay(AGAIN_MS)
    }
  }

  async #one(): Promise<string | undefined> {
    const { words, gapMs } = this.#options
    const length = words + Math.floor((this.#random.next() * words) / 2)
    const content = Array.from({ length }, (_, index) => `word${index % 10} `)
    const answer = await post(this.#caller(), bodyOf({ content, gapMs }, { stream: true }))
    this.#ids.push(String(answer.headers['x-request-id']))
    let text = ''
    try {
      for await (const chunk of answer.body) {
        if (text === '') this.#open += 1
        text += chunk
      }
    } finally {
      if (text !== '') this.#open -= 1
    }
    if (answer.statusCode !== 200) return `${answer.statusCode} ${text.slice(0, 200)}`
    const said = saidIn(text)
    if (said === content.join('') && text.endsWith('data: [DONE]\n\n')) return undefined
    return `cut after ${said.length} of ${content.join('').length} characters: ${text.slice(-200)}`
  }
}

/** The text of a stream's events, joined. */
function saidIn(text: string): string {
  const pieces = text.matchAll(/^data: (\{.*\})$/gm)
  return [...pieces]
    .map(([, json]) => JSON.parse(json as string) as { choices?: { delta?: { content?: string } }[] })
    .map(({ choices }) => choices?.[0]?.delta?.content ?? '')
    .join('')
}

const callBody = bodyOf({ content: ['one ', 'two'], firstTokenMs: 40 })

/** Calls at a steady rate until `stop`. */
export class Calls {
  readonly #caller: () => Caller
  readonly #timer: NodeJS.Timeout
  readonly #running = new Set<Promise<void>>()
  readonly #faults: string[] = []
  readonly #ids: string[] = []
  readonly #times: number[] = []
  #made = 0

  constructor(caller: () => Caller, perSecond: number) {
    this.#caller = caller
    this.#timer = setInterval(() => this.#begin(), 1000 / perSecond)
  }

  /** `p50Ms`, `p99Ms`: whole calls. */
  async stop(): Promise<Outcome & { readonly p50Ms: number; readonly p99Ms: number }> {
    clearInterval(this.#timer)
    await Promise.all(this.#running)
    const { p50, p99 } = quantiles(this.#times)
    return {
      made: this.#made,
      faults: this.#faults,
      ids: this.#ids,
      p50Ms: p50,
      p99Ms: p99,
    }
  }

  #begin(): void {
    this.#made += 1
    const beganAt = performance.now()
    const one = this.#one()
      .catch(textOf)
      .then((fault) => {
        if (fault !== undefined) this.#faults.push(`${fault}${since(beganAt)}`)
        this.#running.delete(one)
      })
    this.#running.add(one)
  }

  async #one(): Promise<string | undefined> {
    const startedAt = performance.now()
    const answer = await post(this.#caller(), callBody)
    this.#ids.push(String(answer.headers['x-request-id']))
    const text = await answer.body.text()
    this.#times.push(performance.now() - startedAt)
    return answer.statusCode === 200 && text.includes('one two')
      ? undefined
      : `${answer.statusCode} ${text.slice(0, 200)}`
  }
}

function textOf(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string }
  return `${code ?? 'error'}: ${message ?? String(error)}`
}

/** When a request that failed had begun, and how long it took: to be found in the logs of the gateways. */
function since(beganAt: number): string {
  const at = new Date(performance.timeOrigin + beganAt).toISOString().slice(11, 23)
  return ` (begun ${at}, ${Math.round(performance.now() - beganAt)} ms)`
}
