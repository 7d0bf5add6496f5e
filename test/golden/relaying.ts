/** Sends a recording through the whole reply side, cut as a test likes, to a caller in memory. */
import type { RelayJob } from '../../src/exchange/relay/job.ts'
import { Meter } from '../../src/exchange/relay/meter.ts'
import { relayStream } from '../../src/exchange/relay/relay-stream.ts'
import { relayWhole } from '../../src/exchange/relay/relay-whole.ts'
import type { Relayed } from '../../src/exchange/trail.ts'
import type { Call, Json, JsonObject } from '../../src/openai/call.ts'
import { openReplies } from '../../src/openai/reply-dialect.ts'
import { createRuleSet } from '../../src/redaction/rule-set.ts'
import {
  answerOf,
  callOf,
  FakeClient,
  policy,
  refusalOf,
  replacementOf,
  trailOf,
} from '../exchange/fake-parts.ts'
import { isStandard } from '../redaction/rules.ts'
import { type Recording, rawTexts } from './recording.ts'

/** The strictest profile there is: every entity is masked. */
export const rules = createRuleSet({
  name: 'golden',
  direction: 'reply',
  policyOf: (recognizer) => (isStandard(recognizer) ? 'mask' : 'allow'),
})

const stream = {
  totalTimeoutMs: 1e6,
  keepAliveCommentMs: 1e6,
  eventBytesMax: 65_536,
  replyBytesMax: 1_048_576,
}
const reserved = { inputTokens: 10_000, outputTokens: 10_000 }

const objectsIn = (json: Json | undefined): JsonObject[] =>
  Array.isArray(json) ? (json as JsonObject[]) : []
const choicesOf = ({ events }: Recording): JsonObject[] =>
  events.flatMap((event) => objectsIn(event['choices']))

function toolsOf(recording: Recording): string[] {
  const messages = choicesOf(recording).map((choice) => (choice['delta'] ?? choice['message']) as JsonObject)
  const calls = messages.flatMap((message) => objectsIn(message?.['tool_calls']))
  const names = calls.map((call) => (call['function'] as JsonObject)['name'])
  return [...new Set(names)].filter((name) => typeof name === 'string' && name !== '') as string[]
}

/** A call to which the recording is a proper answer. */
export function callFor(recording: Recording, fields: object = {}): Call {
  const { endpoint, name } = recording
  if (endpoint === 'embeddings') return callOf(fields, endpoint)
  const choices = Math.max(1, new Set(choicesOf(recording).map(({ index }) => index)).size)
  if (name.includes('many_prompts')) return callOf({ prompt: Array(choices).fill('hi'), ...fields }, endpoint)
  const tools = toolsOf(recording).map((tool) => ({ type: 'function', function: { name: tool } }))
  return callOf({ n: choices, ...(tools.length > 0 ? { tools } : {}), ...fields }, endpoint)
}

export interface Outcome {
  /** Every byte of the body that the caller got. */
  readonly text: string
  readonly relayed: Relayed
  /** How often the upstream's connection was handed back. */
  readonly finished: number
  /** `none`, or the refusal that the caller is still to be told. */
  readonly refusal: string
}

async function send(
  { endpoint }: Recording,
  call: Call,
  pieces: readonly Uint8Array[],
  through: (job: RelayJob) => Promise<void>,
): Promise<Outcome> {
  const { trail, clock } = trailOf()
  const client = new FakeClient()
  const answer = answerOf(pieces)
  const job = {
    answer,
    call,
    model: 'public-model',
    client,
    trail,
    gateway: { policy, stream, clock } as unknown as RelayJob['gateway'],
    signal: new AbortController().signal,
    meter: new Meter(call, reserved, clock),
    rules,
    replacement: replacementOf(),
    restores: () => true,
    dialect: openReplies(endpoint, { logprobs: false }),
  }
  const refusal = await refusalOf(() => through(job))
  if (trail.relayed === undefined) throw new Error('the trail was not told what was relayed')
  if (client.ended !== (refusal === 'none')) throw new Error('an end that is none')
  return { text: client.text, relayed: trail.relayed, finished: answer.seen.finished, refusal }
}

export const relayPieces = (
  recording: Recording,
  call: Call,
  pieces: readonly Uint8Array[],
): Promise<Outcome> => send(recording, call, pieces, call.stream ? relayStream : relayWhole)

/** The body of a whole reply as one would send it. */
export const wholeBytes = ({ events }: Recording): Uint8Array => Buffer.from(JSON.stringify(events[0]))

/** Cut at the places, in any order; a place twice gives an empty piece. */
export function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const edges = [0, ...places.toSorted((a, b) => a - b), bytes.length]
  return edges.slice(1).map((edge, index) => bytes.subarray(edges[index], edge))
}

export const singleBytes = (bytes: Uint8Array): Uint8Array[] =>
  cut(
    bytes,
    Array.from({ length: Math.max(0, bytes.length - 1) }, (_, index) => index + 1),
  )

/** What each event of a stream of ours carries; throws for all that is not one `data:` line and one empty line. */
export function dataIn(text: string): string[] {
  const blocks = text.split('\n\n')
  if (blocks.pop() !== '') throw new Error('the stream does not end with an empty line')
  return blocks.map((block) => {
    const data = /^data: (.+)$/.exec(block)?.[1]
    if (data === undefined) throw new Error('a line that is not data')
    return data
  })
}

/** The events of a stream of ours, but for `[DONE]`. */
export const eventsIn = (text: string): JsonObject[] =>
  dataIn(text)
    .filter((data) => data !== '[DONE]')
    .map((data) => JSON.parse(data) as JsonObject)

type Texts = [channel: string, text: string][]

const sorted = (texts: Texts): Texts => texts.toSorted(([a], [b]) => (a < b ? -1 : 1))

/** The text of each channel that the caller saw. */
export const seenTexts = (events: readonly JsonObject[]): Texts => sorted([...rawTexts(events)])

/** What the rules make of each channel's text when they see it in one piece. */
export function screenedTexts({ events }: Recording): Texts {
  const screen = (channel: string, text: string) =>
    channel.endsWith('.arguments') ? rules.screenJson(text) : rules.screen(text)
  return sorted([...rawTexts(events)].map(([channel, text]) => [channel, screen(channel, text).text]))
}

/** Where each value of an event stands: `choices[].delta.content`. */
export function* pathsIn(json: Json, path = ''): Generator<string> {
  const isTree = typeof json === 'object' && json !== null
  const branches = isTree ? Object.entries(json) : []
  if (branches.length === 0) yield path
  for (const [key, value] of branches) {
    yield* pathsIn(value, Array.isArray(json) ? `${path}[]` : [path, key].filter(Boolean).join('.'))
  }
}
