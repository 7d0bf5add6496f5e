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

/** How many choices an event has text for, and its bytes in UTF-8. */
function textOf({ texts }: Reply): { readonly choices: number; readonly bytes: number } {
  const [only, more] = texts
  if (only !== undefined && more === undefined)
    return { choices: only.text === '' ? 0 : 1, bytes: Buffer.byteLength(only.text) }
  const spoken = texts.filter(({ text }) => text !== '')
  return {
    choices: new Set(spoken.map(({ choice }) => choice)).size,
    bytes: spoken.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0),
  }
}

/** Text of more bytes a token than this over a whole reply is no language and no code. */
const tokenBytesMax = 32

/** What counts a reply as it passes, before redaction changes its length: tokens, events, gaps between events. */
export class Meter {
  readonly gaps = new GapHistogram()
  /** Events that carried text or named a tool. */
  events = 0
  readonly #usage: UsageMeter
  readonly #reserved: Pick<Reservation, 'inputTokens' | 'outputTokens'>
  readonly #monotonic: () => number
  readonly #turn: { produced(tokens: number): void } | undefined
  #lastEventMs: number | undefined

  constructor(
    call: Call,
    reserved: Pick<Reservation, 'inputTokens' | 'outputTokens'>,
    clock: { monotonic(): number },
    server?: ServerKind,
    turn?: { produced(tokens: number): void },
  ) {
    const { choices, prompts } = call
    this.#usage = new UsageMeter({ choices, prompts, firstChoiceOnly: server === 'llamacpp' })
    this.#reserved = reserved
    this.#monotonic = () => clock.monotonic()
    this.#turn = turn
  }

  event(reply: Reply): void {
    this.#usage.event(reply)
    if (!carriesToken(reply)) return
    this.events += 1
    // An event is at least one token; the turn is told the truth when it ends.
    this.#turn?.produced(1)
    const now = this.#monotonic()
    if (this.#lastEventMs !== undefined) this.gaps.add(now - this.#lastEventMs)
    this.#lastEventMs = now
  }

  /**
   * Whether the exchange would have more output with this event than was set aside for it: by the events, by the text (a
   * server that packs a page into each event), or by a running report, which is believed as far as the text can hold so
   * many tokens: an absurd one must not end a good answer.
   */
  outruns(reply: Reply): boolean {
    const { choices, bytes } = textOf(reply)
    if (choices === 0) return false
    const { outputTokensMin, outputTokensMax } = this.#usage.counted
    const seen = outputTokensMin + choices
    const most = outputTokensMax + bytes
    const running = Math.min(reply.usage?.outputTokens ?? 0, most)
    return Math.max(seen, running, Math.floor(most / tokenBytesMax)) > this.#reserved.outputTokens
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
