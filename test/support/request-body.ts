import type { Call, Endpoint, JsonObject } from '../../src/openai/call.ts'
import { parseCall } from '../../src/openai/parse.ts'
import { Refusal } from '../../src/refusal.ts'

type InferenceEndpoint = Exclude<Endpoint, 'models'>
type UnknownFields = 'refuse' | 'drop'

/** The smallest good body of each endpoint. */
export const goodBodies = {
  'chat.completions': { model: 'm1', messages: [{ role: 'user', content: 'hi' }], max_tokens: 16 },
  completions: { model: 'm1', prompt: 'hi', max_tokens: 16 },
  embeddings: { model: 'm1', input: 'hi' },
} as const satisfies Record<InferenceEndpoint, JsonObject>

/** Parses a good body with some fields laid over it. */
export function parse(
  endpoint: InferenceEndpoint,
  fields: object = {},
  unknownFields: UnknownFields = 'refuse',
): Call {
  return parseCall(endpoint, Buffer.from(JSON.stringify({ ...goodBodies[endpoint], ...fields })), {
    unknownFields,
  })
}

/** The code of the refusal, with the path it names: `unknown_parameter foo`; `accepted` if there is none. */
export function verdictOf(act: () => unknown): string {
  try {
    act()
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return error.param === undefined ? error.code : `${error.code} ${error.param}`
  }
  return 'accepted'
}

export const verdict = (
  endpoint: InferenceEndpoint,
  fields: object,
  unknownFields: UnknownFields = 'refuse',
): string => verdictOf(() => parse(endpoint, fields, unknownFields))

export const chatVerdict = (fields: object, unknownFields: UnknownFields = 'refuse'): string =>
  verdict('chat.completions', fields, unknownFields)

const dataUrl = (mime: string, bytes: string): string =>
  `data:image/${mime};base64,${Buffer.from(bytes, 'latin1').toString('base64')}`

export const pngUrl = dataUrl('png', '\x89PNG\r\n\x1a\nIHDR')
export const jpegUrl = dataUrl('jpeg', '\xff\xd8\xff\xe0\x00\x10JFIF')
