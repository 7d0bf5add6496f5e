import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import type { Json, JsonObject } from '../../src/openai/call.ts'

/** One recorded reply: of a stream its events, of a whole reply the one object. */
export interface Recording {
  readonly name: string
  readonly endpoint: 'chat.completions' | 'completions' | 'embeddings'
  readonly events: readonly JsonObject[]
  /** The stream as bytes; built by us where the recording holds the parsed events only. */
  readonly bytes: Uint8Array
}

const folder = join(import.meta.dirname, 'recorded')

const files = ['vercel-ai-sdk-fixtures', 'tgi-snapshots', 'llama-server-captures'].flatMap((origin) =>
  readdirSync(join(folder, origin))
    .filter((file) => /\.(json|sse|chunks\.txt)$/.test(file))
    .map((file) => join(origin, file))
    .sort(),
)

const parse = (json: string): Json => JSON.parse(json) as Json

const isObject = (json: Json | undefined): json is JsonObject =>
  typeof json === 'object' && json !== null && !Array.isArray(json)

/** Written apart from the decoder under test: the recordings have one `data:` line an event. */
function eventsOf(file: string, text: string): JsonObject[] {
  if (file.endsWith('.json')) {
    const json = parse(text)
    return (Array.isArray(json) ? json : [json]).filter(isObject)
  }
  return text
    .split('\n')
    .map((line) => line.replace(/^data: /, '').trim())
    .filter((line) => line !== '' && line !== '[DONE]')
    .map(parse)
    .filter(isObject)
}

const isWhole = (event: JsonObject | undefined): boolean =>
  event?.['object'] === 'chat.completion' || event?.['object'] === 'list' || event?.['error'] !== undefined

function endpointOf(file: string, event: JsonObject | undefined): Recording['endpoint'] {
  if (event?.['object'] === 'list') return 'embeddings'
  return event?.['object'] === 'text_completion' || file.includes('completion-openai')
    ? 'completions'
    : 'chat.completions'
}

const recordings = files.map((file) => {
  const text = readFileSync(join(folder, file), 'utf8')
  const events = eventsOf(file, text)
  const sse = `${events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('')}data: [DONE]\n\n`
  const bytes = file.endsWith('.sse') ? readFileSync(join(folder, file)) : new TextEncoder().encode(sse)
  const endpoint = endpointOf(file, events[0])
  const whole =
    isWhole(events[0]) || (endpoint === 'completions' && file.endsWith('.json') && events.length === 1)
  return { name: file, endpoint, events, bytes, whole, error: events[0]?.['error'] !== undefined }
})

export const streams: readonly Recording[] = recordings.filter(({ whole }) => !whole)
export const wholes: readonly Recording[] = recordings.filter(({ whole, error }) => whole && !error)

/** What llama-server answered to bad requests: the name of the case, its body and its status. */
export const refusedByLlamaServer: readonly { name: string; body: string; status: number }[] = [
  ...readFileSync(join(folder, 'llama-server-captures/errors_and_misc.txt'), 'utf8').matchAll(
    /^--- (\w+)\n(\{"error".*\}) \[(\d{3}) /gm,
  ),
].map(([, name, body, status]) => ({ name: name ?? '', body: body ?? '', status: Number(status) }))

/** The text of each (choice, channel) that the raw events hold. Written apart from the dialects under test. */
export function rawTexts(events: readonly JsonObject[]): Map<string, string> {
  const texts = new Map<string, string>()
  const add = (choice: Json | undefined, channel: string, text: Json | undefined): void => {
    if (typeof text !== 'string' || text === '') return
    const key = `${String(choice)} ${channel}`
    texts.set(key, (texts.get(key) ?? '') + text)
  }
  const objects = (list: Json | undefined): JsonObject[] => (Array.isArray(list) ? list.filter(isObject) : [])
  for (const choice of events.flatMap((event) => objects(event['choices']))) {
    const index = choice['index']
    add(index, 'text', choice['text'])
    const given = choice['delta'] ?? choice['message']
    const message = isObject(given) ? given : {}
    add(index, 'content', message['content'])
    add(index, 'reasoning', message['reasoning'] ?? message['reasoning_content'])
    add(index, 'refusal', message['refusal'])
    for (const part of objects(message['content'])) {
      add(index, 'content', part['text'])
      for (const thought of objects(part['thinking'])) add(index, 'reasoning', thought['text'])
    }
    objects(message['tool_calls']).forEach((call, position) => {
      const target = call['function']
      const at = choice['delta'] === undefined ? position : (call['index'] ?? position)
      if (isObject(target)) add(index, `tool_calls[${String(at)}].arguments`, target['arguments'])
    })
  }
  return texts
}
