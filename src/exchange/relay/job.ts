import type { Call } from '../../openai/call.ts'
import type { ReplyDialect } from '../../openai/reply.ts'
import type { RuleSet } from '../../redaction/finding.ts'
import type { Replacement } from '../../redaction/replacement/replacement.ts'
import type { UpstreamAnswer } from '../../upstream/upstream.ts'
import type { Client } from '../arrival.ts'
import type { Gateway, ProfileRules } from '../parts.ts'
import type { Trail } from '../trail.ts'
import type { Meter } from './meter.ts'

/** One reply on its way. */
export interface RelayJob {
  readonly answer: UpstreamAnswer
  readonly call: Call
  /** The public name, which replaces the model server's. */
  readonly model: string
  readonly client: Client
  readonly trail: Trail
  readonly gateway: Gateway
  readonly signal: AbortSignal
  readonly meter: Meter
  readonly rules: RuleSet
  /** What stands for the caller's values in the prompt, and where it is turned back in the reply. */
  readonly replacement: Replacement
  readonly restores: ProfileRules['restores']
  readonly dialect: ReplyDialect
}
