import type { Limit } from '../policy/policy.ts'
import type { LimitState } from './quota.ts'

/**
 * The stock OpenAI SDK for Node ignores a longer wait and tries again within seconds, unless it is told not
 * to.
 */
const sdkPatienceMs = 60_000

/**
 * A duration as Go prints it (`120ms`, `7.66s`, `6m0s`, `1h0m0s`), which is what OpenAI sends and clients
 * parse.
 */
export function goDuration(ms: number): string {
  const whole = Math.max(0, Math.ceil(ms))
  if (whole > 0 && whole < 1000) return `${whole}ms`
  const seconds = (whole % 60_000) / 1000
  const minutes = Math.floor(whole / 60_000) % 60
  const hours = Math.floor(whole / 3_600_000)
  if (hours > 0) return `${hours}h${minutes}m${seconds}s`
  return minutes > 0 ? `${minutes}m${seconds}s` : `${seconds}s`
}

/** The limit of a name that is nearest to its end: the one that a caller has to mind. */
function nearest(states: readonly LimitState[], name: Limit['name']): LimitState | undefined {
  return states
    .filter(({ limit }) => limit.name === name)
    .toSorted((a, b) => a.remaining - b.remaining || b.resetMs - a.resetMs)[0]
}

function openaiHeaders({ limit, remaining, resetMs }: LimitState): Record<string, string> {
  return {
    'x-ratelimit-limit-requests': String(limit.amount),
    'x-ratelimit-remaining-requests': String(remaining),
    'x-ratelimit-reset-requests': goDuration(resetMs),
  }
}

// draft-ietf-httpapi-ratelimit-headers: `w` is the window and `t` the time to reset, in seconds; slots have
// neither.
const policyItem = ({ limit }: LimitState): string =>
  limit.name === 'requests'
    ? `"requests";q=${limit.amount};w=60`
    : `"in_flight";q=${limit.amount};qu="concurrent-requests"`

const stateItem = ({ limit, remaining, resetMs }: LimitState): string =>
  limit.name === 'requests'
    ? `"requests";r=${remaining};t=${Math.ceil(resetMs / 1000)}`
    : `"in_flight";r=${remaining}`

/**
 * What a caller is told about its limits, in OpenAI's headers and in those of the IETF draft. Names no tenant
 * and no role.
 */
export function limitHeaders(states: readonly LimitState[]): Record<string, string> {
  const requests = nearest(states, 'requests')
  const inFlight = nearest(states, 'in_flight')
  const shown = [requests, inFlight].filter((state) => state !== undefined)
  if (shown.length === 0) return {}
  return {
    ...(requests && openaiHeaders(requests)),
    'ratelimit-policy': shown.map(policyItem).join(', '),
    ratelimit: shown.map(stateItem).join(', '),
  }
}

/** How long a caller is to wait: whole seconds for everyone, milliseconds for the SDKs that read them. */
export function retryHeaders(retryAfterMs: number): Record<string, string> {
  const ms = Math.max(0, Math.ceil(retryAfterMs))
  return {
    'retry-after': String(Math.ceil(ms / 1000)),
    'retry-after-ms': String(ms),
    ...(ms > sdkPatienceMs && { 'x-should-retry': 'false' }),
  }
}
