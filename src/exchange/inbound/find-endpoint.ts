import type { Principal } from '../../identity/principal.ts'
import type { Endpoint } from '../../openai/call.ts'
import { Refusal } from '../../refusal.ts'
import type { Arrival } from '../arrival.ts'

export type Destination =
  | { readonly endpoint: Exclude<Endpoint, 'models'> }
  | { readonly endpoint: 'models' /** One model's card instead of the list. */; readonly model?: string }

/** Exact paths only, compared as they were sent: nothing is decoded, collapsed or trimmed on the way to a model server. */
const destinationByPath: Readonly<Record<string, Destination>> = {
  '/v1/chat/completions': { endpoint: 'chat.completions' },
  '/v1/completions': { endpoint: 'completions' },
  '/v1/embeddings': { endpoint: 'embeddings' },
  '/v1/models': { endpoint: 'models' },
}

const MODEL_PREFIX = '/v1/models/'
const modelPath = /^[A-Za-z0-9._:@+/-]{1,256}$/

interface EndpointRules {
  checkEndpoint(principal: Principal, endpoint: Endpoint): void
}

/**
 * The endpoint that a request is for, if the caller's roles grant it. Every path that is not in the table is
 * `unknown_url`, whatever server is behind.
 */
export function findEndpoint(
  arrival: Pick<Arrival, 'method' | 'target'>,
  principal: Principal,
  policy: EndpointRules,
): Destination {
  const destination = lookUp(pathOf(arrival.target))
  if (destination === undefined) throw new Refusal('unknown_url', 'path is not in the table')
  const method = destination.endpoint === 'models' ? 'GET' : 'POST'
  if (arrival.method !== method) throw new Refusal('method_not_allowed', `needs ${method}`)
  policy.checkEndpoint(principal, destination.endpoint)
  return destination
}

/** The endpoint's name for metrics and records; `unmatched` for everything that is not in the table. */
export const endpointLabel = (target: string): Endpoint | 'unmatched' =>
  lookUp(pathOf(target))?.endpoint ?? 'unmatched'

function lookUp(path: string): Destination | undefined {
  if (Object.hasOwn(destinationByPath, path)) return destinationByPath[path]
  return path.startsWith(MODEL_PREFIX) ? modelDestination(path.slice(MODEL_PREFIX.length)) : undefined
}

const pathOf = (target: string): string => {
  const end = target.indexOf('?')
  return end === -1 ? target : target.slice(0, end)
}

/** Model names may hold slashes (`org/name`), sent raw or as %2F; dot segments never name a model. */
function modelDestination(rest: string): Destination | undefined {
  const model = rest.replaceAll(/%2f/gi, '/')
  const known =
    modelPath.test(model) && model.split('/').every((part) => part !== '' && part !== '.' && part !== '..')
  return known ? { endpoint: 'models', model } : undefined
}
