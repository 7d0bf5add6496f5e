import type { Counted, Limit } from '../policy/limit.ts'
import { goDuration } from './go-duration.ts'
import { isOwn } from './limit-message.ts'
import type { LimitState } from './store.ts'

/** The stock OpenAI SDK for Node ignores a longer wait and tries again within seconds, unless it is told not to. */
const sdkPatienceMs = 60_000

/**
 * What a caller is told about its limits, in OpenAI's headers and in those of the IETF draft. Of several limits of a kind
 * the nearest to its end is shown; in a refusal, the one that decided. Names no tenant, no role and no limit; says
 * nothing of limits in shadow mode (a caller would slow down for nothing) and of buckets that tenants share (their
 * counts would show each what the others do).
 */
export function limitHeaders(states: readonly LimitState[], deciding?: LimitState): Record<string, string> {
  const headers: Record<string, string> = {}
  const kinds = new Map<string, LimitState>()
  const families: Partial<Record<Family, LimitState>> = {}
  for (const state of states) {
    const face = faceOf(state.limit)
    if (face === undefined) continue
    const { name, family } = face
    kinds.set(name, nearer(kinds.get(name), state, deciding))
    if (family !== undefined) families[family] = nearer(families[family], state, deciding)
  }
  tellOpenai(headers, 'requests', families.requests)
  tellOpenai(headers, 'tokens', families.tokens)
  tellIetf(headers, kinds)
  return headers
}

type Family = 'requests' | 'tokens'

/** What of a limit is shown. */
interface Face {
  /** Of its kind, in the IETF headers. */
  readonly name: string
  /** Its item of `ratelimit-policy`. */
  readonly policy: string
  readonly family: Family | undefined
}

/** Limits are remembered by whoever makes them: most replies tell of the same ones. */
const faces = new WeakMap<Limit, Face | 'hidden'>()

function faceOf(limit: Limit): Face | undefined {
  let face = faces.get(limit)
  if (face === undefined) {
    face = limit.mode === 'enforce' && isOwn(limit) ? drawFace(limit) : 'hidden'
    faces.set(limit, face)
  }
  return face === 'hidden' ? undefined : face
}

function drawFace(limit: Limit): Face {
  const { counts, per, amount } = limit
  const name = per === undefined ? counts : `${counts}/${per}`
  const window = per === undefined ? '' : `;w=${windowSeconds[per]}`
  const policy = `"${name}";q=${integer(amount, counts)}${quotaUnits[counts]}${window}`
  const family = counts === 'requests' ? 'requests' : counts.endsWith('_tokens') ? 'tokens' : undefined
  return { name, policy, family }
}

/** Of two limits of a kind, the one that a caller has to mind. */
function nearer(
  one: LimitState | undefined,
  other: LimitState,
  deciding: LimitState | undefined,
): LimitState {
  if (one === undefined || other.limit.key === deciding?.limit.key) return other
  if (one.limit.key === deciding?.limit.key) return one
  const by = one.remaining - other.remaining || other.resetMs - one.resetMs
  return by <= 0 ? one : other
}

function tellOpenai(headers: Record<string, string>, family: Family, state: LimitState | undefined): void {
  if (state === undefined) return
  headers[`x-ratelimit-limit-${family}`] = String(state.limit.amount)
  headers[`x-ratelimit-remaining-${family}`] = String(state.remaining)
  headers[`x-ratelimit-reset-${family}`] = goDuration(state.resetMs)
}

/** draft-ietf-httpapi-ratelimit-headers-10, one item for each thing that is counted and its period. */
function tellIetf(headers: Record<string, string>, kinds: ReadonlyMap<string, LimitState>): void {
  if (kinds.size === 0) return
  let policies = ''
  let states = ''
  for (const [name, { limit, remaining, resetMs }] of kinds) {
    const comma = policies === '' ? '' : ', '
    const reset = limit.per === undefined ? '' : `;t=${Math.ceil(resetMs / 1000)}`
    policies += `${comma}${faceOf(limit)?.policy}`
    states += `${comma}"${name}";r=${integer(remaining, limit.counts)}${reset}`
  }
  headers['ratelimit-policy'] = policies
  headers['ratelimit'] = states
}

/**
 * Length of a period, in seconds. A month is the longest one: who spreads the quota over the window then never goes too
 * fast. When a budget begins anew `t` says exactly.
 */
const windowSeconds = { second: 1, minute: 60, hour: 3600, day: 86_400, month: 2_678_400 } as const

/** Section 3.1.2 of the draft registers `concurrent-requests`; requests are the default, the other two are ours. */
const quotaUnits = {
  requests: '',
  in_flight: ';qu="concurrent-requests"',
  input_tokens: ';qu="tokens"',
  output_tokens: ';qu="tokens"',
  total_tokens: ';qu="tokens"',
  cost: ';qu="micro-units"',
} as const

/** Largest integer of a structured field (RFC 9651 section 3.3.1). */
const integerMax = 999_999_999_999_999

const integer = (units: number, counts: Counted): number =>
  Math.max(0, Math.min(integerMax, counts === 'cost' ? Math.floor(units / 1000) : units))

/** How long a caller is to wait: whole seconds for everyone, milliseconds for the SDKs that read them. */
export function retryHeaders(retryAfterMs: number): Record<string, string> {
  const ms = Math.max(0, Math.ceil(retryAfterMs))
  return {
    'retry-after': String(Math.ceil(ms / 1000)),
    'retry-after-ms': String(ms),
    ...(ms > sdkPatienceMs && { 'x-should-retry': 'false' }),
  }
}
