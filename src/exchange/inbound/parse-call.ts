import type { Call } from '../../openai/call.ts'
import { parseCall as parse } from '../../openai/parse.ts'
import type { JsonBounds } from '../../openai/strict-json.ts'

interface Rules {
  readonly policy: { readonly unknownFields: 'refuse' | 'drop' }
  readonly bounds: { readonly json: JsonBounds }
}

/** Body bytes -> Call: one strict reading, fields of the endpoint's table only. */
export const parseCall = (endpoint: Call['endpoint'], body: Uint8Array, { policy, bounds }: Rules): Call =>
  parse(endpoint, body, { unknownFields: policy.unknownFields, bounds: bounds.json })
