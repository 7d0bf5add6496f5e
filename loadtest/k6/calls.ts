// Calls as a client library makes them, each judged: whole, refused as expected, cut, or failed.
import { check } from 'k6'
import { open as openStream, type StreamOptions, type StreamOutcome } from 'k6/x/sse'
import {
  addedTimeToFirstToken,
  closedUnderCaller,
  failedCalls,
  gatewayOverhead,
  refusedCalls,
  timeToFirstToken,
  truncatedStreams,
} from './measures.ts'
import { type Caller, settings } from './settings.ts'

/** What the simulated model server is told to say (`loadtest/model-server.ts --help`). */
export interface Reply {
  readonly words: number
  readonly firstTokenMs?: number
  readonly gapMs?: number
  /** Characters of a word. */
  readonly wordLength?: number
}

export interface Ask {
  readonly reply: Reply
  /** Goes before the instruction to the simulated server. */
  readonly prompt?: string
  readonly model?: string
  /** Statuses that this scenario expects beside 200. */
  readonly refusals?: readonly number[]
  readonly tags?: Record<string, string>
  readonly tokenFrom?: (caller: Caller) => string
  readonly slow?: Pick<StreamOptions, 'readPauseMs' | 'readBytes' | 'readPauses'>
  readonly timeoutMs?: number
  /** The caller goes before the end, or does not read it: that the stream is not whole is no fault. */
  readonly leaves?: boolean
  /** Sends again what met the end of an idle connection. */
  readonly repeats?: boolean
  /** Said to the simulated server in place of the instruction: `loadtest/load/saying-server.ts`. */
  readonly spoken?: string
  /** As many as the reply has words when left out. */
  readonly maxTokens?: number
  readonly fields?: object
}

/** The first event with text: the one before it only opens the message. */
const TOKEN = '"content":"[^"]'

const totalWeight = settings.callers.reduce((sum, { weight }) => sum + weight, 0)

/** One of the callers, by their weights. */
export function anyone(): Caller {
  let place = Math.random() * totalWeight
  const found = settings.callers.find(({ weight }) => {
    place -= weight
    return place < 0
  })
  return found ?? callerOf(() => true)
}

export function callerOf(fits: (caller: Caller) => boolean): Caller {
  const found = settings.callers.find(fits)
  if (found === undefined) throw new Error('the runner gave no such caller')
  return found
}

const anyUrl = (): string =>
  `${settings.urls[Math.floor(Math.random() * settings.urls.length)]}/v1/chat/completions`

const headersOf = (caller: Caller, { tokenFrom }: Ask): Record<string, string> => ({
  'content-type': 'application/json',
  authorization: `Bearer ${tokenFrom?.(caller) ?? caller.token}`,
})

const tagsOf = ({ tenant, role }: Caller, { tags }: Ask): Record<string, string> => ({
  tenant,
  role,
  name: 'chat',
  ...tags,
})

const wordOf = (index: number, length: number): string => `${`word${index % 10}`.padEnd(length, 'o')} `

export const textOf = ({ words, wordLength = 0 }: Reply): string =>
  Array.from({ length: words }, (_, index) => wordOf(index, wordLength)).join('')

function instructionOf({ words, firstTokenMs = 0, gapMs = 0, wordLength = 0 }: Reply): string {
  const content = Array.from({ length: words }, (_, index) => wordOf(index, wordLength))
  return `x-simulate: ${JSON.stringify({ content, firstTokenMs, gapMs })}`
}

function bodyOf(ask: Ask, streams: object): string {
  const { reply, prompt, spoken, model = 'demo', maxTokens = Math.max(16, reply.words), fields } = ask
  const instruction = spoken ?? instructionOf(reply)
  const before = prompt === undefined ? [] : [{ role: 'user', content: prompt }]
  return JSON.stringify({
    model,
    messages: [...before, { role: 'user', content: instruction }],
    max_tokens: maxTokens,
    ...streams,
    ...fields,
  })
}

const optionsOf = (caller: Caller, ask: Ask, streams: object) => ({
  body: bodyOf(ask, streams),
  headers: headersOf(caller, ask),
  tags: tagsOf(caller, ask),
  expected: [200, ...(ask.refusals ?? [])],
  timeoutMs: ask.timeoutMs ?? 60_000,
  mark: TOKEN,
  ...ask.slow,
})

/**
 * A server may close an idle connection at the very moment at which a request is written to it; a client that has seen
 * nothing of an answer then asks again on another one (RFC 9112, sections 9.3.1 and 9.5). It is counted.
 */
function sent(ask: Ask, options: StreamOptions, onEvent?: Parameters<typeof openStream>[2]): StreamOutcome {
  const url = anyUrl()
  const outcome = openStream(url, options, onEvent)
  const isClosed =
    outcome.status === 0 && outcome.reused && /EOF|reset|broken pipe|closed/.test(outcome.error)
  if (!ask.repeats || !isClosed) return outcome
  closedUnderCaller.add(1)
  return openStream(url, options, onEvent)
}

/** Asks for a stream, reads it to its end (or until `onEvent` returns false) and judges it. */
export function stream(caller: Caller, ask: Ask, onEvent?: Parameters<typeof openStream>[2]): StreamOutcome {
  const options = optionsOf(caller, ask, { stream: true })
  const outcome = sent(ask, options, onEvent)
  judge(outcome, ask, options.tags)
  return outcome
}

/** Whether the stream came to the end that its protocol has. */
export const isWhole = ({ status, ended, last }: StreamOutcome): boolean =>
  status === 200 && ended === 'end' && last === '[DONE]'

/** Whether there is an answer to look at; refusals and failures are counted. */
function isAnswered(
  { status, error, ended, text }: StreamOutcome,
  ask: Ask,
  tags: Record<string, string>,
): boolean {
  if (ended === 'canceled') return false
  const isRefusal = ask.refusals?.includes(status) ?? false
  failedCalls.add(status !== 200 && !isRefusal, tags)
  if (isRefusal) refusedCalls.add(1, { ...tags, status: String(status) })
  else if (status !== 200) console.error(`${status} ${error} ${text.slice(0, 300)}`)
  return status === 200
}

function judge(outcome: StreamOutcome, ask: Ask, tags: Record<string, string>): void {
  const { status, headers, firstMarkMs, ended, error } = outcome
  if (ask.leaves && (status === 0 || status === 200)) return
  if (!isAnswered(outcome, ask, tags)) return
  const isCut = ended !== 'stopped' && !isWhole(outcome)
  if (isCut)
    console.error(`cut after ${outcome.events} events: ${ended} ${error} ${outcome.last.slice(0, 300)}`)
  truncatedStreams.add(isCut, tags)
  overhead(headers['server-timing'], tags)
  if (firstMarkMs < 0) return
  timeToFirstToken.add(firstMarkMs, tags)
  addedTimeToFirstToken.add(firstMarkMs - (ask.reply.firstTokenMs ?? 0), tags)
}

/** A call that is answered whole: judged, and its text compared with what the model server was told to say. */
export function whole(caller: Caller, ask: Ask): void {
  const options = optionsOf(caller, ask, {})
  const headers = { ...options.headers, accept: 'application/json' }
  const outcome = sent(ask, { ...options, headers })
  if (!isAnswered(outcome, ask, options.tags)) return
  overhead(outcome.headers['server-timing'], options.tags)
  const said = outcome.ended === 'end' ? contentOf(outcome.text) : undefined
  check(said, { 'the reply is what the model said': (content) => content === textOf(ask.reply) })
}

function contentOf(json: string): string | undefined {
  const body = JSON.parse(json) as { choices: { message: { content: string } }[] }
  return body.choices[0]?.message.content
}

/** Phases in which the gateway waits for others. */
const waits = ['read', 'queue', 'upstream']

function overhead(serverTiming: string | undefined, tags: Record<string, string>): void {
  if (serverTiming === undefined) return
  const own = serverTiming
    .split(', ')
    .map((part) => part.split(';dur=') as [string, string])
    .filter(([phase]) => !waits.includes(phase))
  gatewayOverhead.add(
    own.reduce((sum, [, ms]) => sum + Number(ms), 0),
    tags,
  )
}
