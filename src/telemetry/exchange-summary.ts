import type { Endpoint, Usage } from '../openai/call.ts'
import type { Action, Direction } from '../redaction/finding.ts'
import type { InjectionKind } from '../redaction/injection/signal.ts'
import type { RefusalCode } from '../refusal.ts'
import type { GapHistogram } from './histogram.ts'
import type { Outcome } from './outcome.ts'

/** Findings of one kind in one exchange. */
export interface FindingCount {
  readonly entity: string
  readonly direction: Direction
  readonly action: Action
  readonly count: number
}

/** All that telemetry is told of an exchange that has ended. Holds no text of the caller or the model. */
export interface ExchangeSummary {
  readonly endpoint: Endpoint | 'unmatched'
  readonly method: string
  /** Public model name; only names from configuration are shown, others fold to `_other`. */
  readonly model?: string | undefined
  /** HTTP status that was sent; 499 when the caller left before one was. */
  readonly status: number
  readonly outcome: Outcome
  readonly refusal?: RefusalCode | undefined
  readonly durationMs: number
  /** Duration less the time spent waiting for the model server or for a slow caller. */
  readonly overheadMs?: number | undefined
  readonly firstTokenMs?: number | undefined
  readonly usage?: Usage | undefined
  readonly gaps?: GapHistogram | undefined
  readonly findings?: readonly FindingCount[] | undefined
  /** What in the prompt hints at injection. */
  readonly injection?: readonly { readonly kind: InjectionKind; readonly count: number }[] | undefined
  /** Pseudonyms that were turned back in the reply, and texts that looked like one and were not. */
  readonly pseudonyms?: { readonly restored: number; readonly unknown: number } | undefined
  readonly scanPromptMs?: number | undefined
  readonly scanReplyMs?: number | undefined
  /** Most code units that the stream windows held back at one time. */
  readonly heldCharsMax?: number | undefined
}
