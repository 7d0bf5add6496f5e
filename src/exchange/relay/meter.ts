import type { Call, Usage } from '../../openai/call.ts'
import type { Reply } from '../../openai/reply.ts'
import { calledTools } from '../../openai/tool-call-reply.ts'
import { settleUsage, UsageMeter } from '../../openai/usage.ts'
import type { Reservation } from '../../quota/quota.ts'
import { GapHistogram } from '../../telemetry/histogram.ts'
import type { ServerKind } from '../../upstream/pool.ts'

/** A role chunk or an empty delta is no token. */
const carriesToken = (reply: Reply): boolean =>
  reply.texts.some((slot) => slot.text !== '') || calledTools(reply.body).length > 0

/** What counts a reply as it passes, before redaction changes its length: tokens, events, gaps between events. */
export class Meter {
  readonly gaps = new GapHistogram()
  /** Events that carried text or named a tool. */
  events = 0
  readonly #usage: UsageMeter
  readonly #reserved: Pick<Reservation, 'inputTokens' | 'outputTokens'>
  readonly #monotonic: () => number
  #lastEventMs: number | undefined

  constructor(
    call: Call,
    reserved: Pick<Reservation, 'inputTokens' | 'outputTokens'>,
    clock: { monotonic(): number },
    server?: ServerKind,
  ) {
    const { choices, prompts } = call
    this.#usage = new UsageMeter({ choices, prompts, firstChoiceOnly: server === 'llamacpp' })
    this.#reserved = reserved
    this.#monotonic = () => clock.monotonic()
  }

  event(reply: Reply): void {
    this.#usage.event(reply)
    if (!carriesToken(reply)) return
    this.events += 1
    const now = this.#monotonic()
    if (this.#lastEventMs !== undefined) this.gaps.add(now - this.#lastEventMs)
    this.#lastEventMs = now
  }

  whole(reply: Reply): void {
    this.#usage.whole(reply)
    this.events = 1
  }

  get reported(): boolean {
    return this.#usage.reported !== undefined
  }

  /** What the exchange is charged if it ended now. */
  get usage(): Usage {
    return settleUsage({
      reported: this.#usage.reported,
      counted: this.#usage.counted,
      reserved: this.#reserved,
    })
  }
}
