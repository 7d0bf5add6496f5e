import type { JsonObject } from './call.ts'
import {
  indexOf,
  isObject,
  listOf,
  objectOf,
  type Place,
  protocol,
  putText,
  toolCallsMax,
} from './reply-field.ts'

/**
 * Tool calls of a reply. Arguments are text slots (`json`), a custom tool's input too (`text`). Names and ids are
 * not: a stream window would hold them back, and a client needs both whole in the first event of a call. Instead ids
 * are ours, and a name comes once for each call and is checked by the path against the tools that the caller offered
 * (`calledTools`), which leaves no room in either for text of the model's choice.
 */
const nameShape = /^[A-Za-z0-9_.:-]{1,128}$/

function nameOf(value: unknown, place: Place, call: string): string | undefined {
  if (typeof value === 'string' && nameShape.test(value)) {
    if (!place.whole && !place.tools.name(place.choice, call)) throw protocol('a tool call is named twice')
    return value
  }
  // Servers repeat an empty or null name in the events after the first.
  if (!place.whole && (value === '' || value === null || value === undefined)) return undefined
  throw protocol('tool name is not a name')
}

/** `tool_calls[0]` of `tool_calls[0].arguments`. */
const callOf = (channel: string): string => channel.slice(0, channel.indexOf('.'))

/** Arguments as a string; TGI and Ollama send the object itself. */
function argumentsOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  if (value === null || value === undefined) return undefined
  if (!isObject(value)) throw protocol('tool arguments are not a string')
  return JSON.stringify(value)
}

/** Copies `{name, arguments}`; also the whole of the legacy `function_call`. */
export function copyFunction(value: unknown, place: Place, where: string, channel: string): JsonObject {
  const source = objectOf(value, 'function')
  const copy: JsonObject = {}
  const name = nameOf(source['name'], place, callOf(channel))
  if (name !== undefined) copy['name'] = name
  const text = argumentsOf(source['arguments']) ?? (place.whole ? '' : undefined)
  if (text !== undefined)
    putText(place, { holder: copy, name: 'arguments', channel, where, kind: 'json' }, text)
  return copy
}

function copyCustom(value: unknown, place: Place, where: string, channel: string): JsonObject {
  const source = objectOf(value, 'custom tool call')
  const copy: JsonObject = {}
  const name = nameOf(source['name'], place, callOf(channel))
  if (name !== undefined) copy['name'] = name
  const input = source['input']
  if (typeof input === 'string') {
    putText(place, { holder: copy, name: 'input', channel, where, kind: 'text' }, input)
  } else if (input !== undefined && input !== null) throw protocol('tool input is not a string')
  return copy
}

function copyToolCall(value: unknown, position: number, place: Place): JsonObject {
  const source = objectOf(value, 'tool call')
  const index = place.whole ? position : indexOf(source['index'] ?? position, 'tool call index', toolCallsMax)
  const copy: JsonObject = place.whole ? {} : { index }
  if (place.whole || typeof source['id'] === 'string') {
    copy['id'] = place.tools.idOf(place.choice, index)
  }
  const where = `${place.whole ? 'message' : 'delta'}.tool_calls[${index}]`
  const type = source['type'] ?? (place.whole ? 'function' : undefined)
  if (type !== undefined && type !== 'function' && type !== 'custom')
    throw protocol('unknown type of tool call')
  if (type !== undefined) copy['type'] = type
  if (type === 'custom' || isObject(source['custom'])) {
    const channel = `tool_calls[${index}].input`
    copy['custom'] = copyCustom(source['custom'], place, `${where}.custom.`, channel)
  } else if (place.whole || isObject(source['function'])) {
    const channel = `tool_calls[${index}].arguments`
    copy['function'] = copyFunction(source['function'], place, `${where}.function.`, channel)
  }
  return copy
}

/** Copies a list of tool calls, or of fragments of them. */
export const copyToolCalls = (value: unknown, place: Place): JsonObject[] =>
  listOf(value, 'tool_calls', toolCallsMax).map((item, position) => copyToolCall(item, position, place))

/** The `delta` that carries text of a tool call's channel. */
export function toolCallDelta(channel: string, text: string): JsonObject {
  const index = Number.parseInt(channel.slice('tool_calls['.length), 10)
  if (channel.endsWith('.input')) return { tool_calls: [{ index, custom: { input: text } }] }
  return { tool_calls: [{ index, function: { arguments: text } }] }
}

const namesIn = (message: JsonObject): string[] => {
  const calls = Array.isArray(message['tool_calls']) ? message['tool_calls'] : []
  return [...calls, { function: message['function_call'] ?? null }].flatMap((call) => {
    if (!isObject(call)) return []
    const target = call['function'] ?? call['custom']
    const name = isObject(target) ? target['name'] : undefined
    return typeof name === 'string' ? [name] : []
  })
}

const noNames: readonly string[] = []

/** Names of the tools that a rebuilt reply or event calls, to be checked against the tools of the call. */
export function calledTools(body: JsonObject): readonly string[] {
  let names: readonly string[] = noNames
  for (const choice of Array.isArray(body['choices']) ? body['choices'] : []) {
    const message = isObject(choice) ? (choice['delta'] ?? choice['message']) : undefined
    if (!isObject(message)) continue
    if (message['tool_calls'] === undefined && message['function_call'] === undefined) continue
    names = [...names, ...namesIn(message)]
  }
  return names
}
