import type { AuditLog } from '../audit/record.ts'
import type { Clock } from '../clock.ts'
import type { Principal } from '../identity/principal.ts'
import type { JsonBounds } from '../openai/strict-json.ts'
import type { Limit } from '../policy/limit.ts'
import type { Policy } from '../policy/policy.ts'
import type { Profile } from '../policy/profile.ts'
import type { Pace } from '../quota/pace.ts'
import type { Quota } from '../quota/quota.ts'
import type { Throttled } from '../quota/throttled.ts'
import type { Action, RuleSet } from '../redaction/finding.ts'
import type { Replacement } from '../redaction/replacement/replacement.ts'
import type { Events } from '../telemetry/events.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { Analyzer } from '../upstream/recognizer/analyzer.ts'
import type { Upstreams } from '../upstream/routes.ts'
import type { BodyBudget } from './body-budget.ts'
import type { EventLoopLoad } from './event-loop-load.ts'
import type { Authenticator } from './inbound/authenticate.ts'
import type { BodyBounds } from './inbound/read-body.ts'
import type { Lives } from './life.ts'
import type { RefusalRecords } from './settle/refusal-records.ts'

export interface Bounds extends BodyBounds {
  readonly json: JsonBounds
  /** What the bodies of all exchanges may take together. */
  readonly bodiesBytesMax: number
}

export interface StreamBounds {
  /** The whole exchange, streamed or not. */
  readonly totalTimeoutMs: number
  /** After this long without an event the caller is sent an SSE comment, so that proxies and SDKs keep waiting. */
  readonly keepAliveCommentMs: number
  /** Whether events are padded when the caller does not say. */
  readonly obfuscation: 'on' | 'off'
  readonly eventBytesMax: number
  readonly replyBytesMax: number
}

/** The rules of one profile, both ways. */
export interface ProfileRules {
  readonly prompt: RuleSet
  readonly reply: RuleSet
  /** Whether pseudonyms are turned back there. */
  restores: Profile['restores']
  /** Whether hints at prompt injection are counted. */
  readonly injection: Profile['injection']
  /** What stands for the values of one exchange of a tenant. */
  replacementFor(tenant: string): Replacement
  /** What is done with what a recognizer service names; absent when the profile does not care. */
  readonly recognizedAction?: ((entity: string) => Action) | undefined
}

/**
 * One version of the running gateway: everything that the stages of an exchange may use. A reload builds a new value
 * and swaps it; exchanges under way keep the one that they began with.
 */
export interface Gateway {
  readonly clock: Clock
  readonly identity: Authenticator
  readonly policy: Policy
  /** Which limits apply to whom, with what operators have set. */
  readonly limits: { limitsFor(principal: Principal, model?: string): readonly Limit[] }
  readonly quota: Quota
  /** Who met a limit lately. */
  readonly throttled: Throttled
  /** Whether this process is so far behind that calls are turned away. */
  readonly overload: EventLoopLoad
  /** Bounds what one tenant can fill the store of decisions with. */
  readonly decisionPace: Pace
  readonly redaction: { rulesFor(profile: string): ProfileRules }
  readonly upstreams: Upstreams
  /** Asked about prompts, where one is configured. */
  readonly analyzer?: Analyzer | undefined
  readonly audit: AuditLog
  /** An exchange may not run without its audit records. */
  readonly auditRequired: boolean
  readonly bounds: Bounds
  readonly stream: StreamBounds
  readonly lives: Lives
  readonly refusalRecords: RefusalRecords
  readonly bodies: BodyBudget
  readonly metrics: Metrics
  readonly events: Events
  readonly startedAtSeconds: number
}
