import type { Call, JsonObject, ReplySlot } from '../../openai/call.ts'
import type { Reply, ReplyDialect } from '../../openai/reply.ts'
import { calledTools } from '../../openai/tool-call-reply.ts'
import type { Finding, StreamWindow } from '../../redaction/finding.ts'
import { PacedScreening } from '../../redaction/paced-screening.ts'
import { Refusal } from '../../refusal.ts'
import { type Located, LocatedFindings } from '../located-findings.ts'
import type { RelayJob } from './job.ts'
import { ReplyWindows } from './reply-windows.ts'

/** What is done to the text of a reply. */
export type ReplyRules = Pick<RelayJob, 'rules' | 'replacement' | 'restores'>

interface Channel {
  readonly choice: number
  readonly channel: string
  readonly window: StreamWindow
}

/** Windows beside one for each choice: a hostile model server could otherwise name a new tool call in every event. */
const SPARE_CHANNELS_MAX = 512

/**
 * The reply rules over a stream.
 *
 * 1. Text reaches the caller only through the window of its choice and channel; no window is shared or skipped.
 * 2. A window is flushed once, when its choice ends or the stream properly ends. Text for a flushed window is a
 *    protocol error: deciding it apart from what came before could show half of a value.
 * 3. On every other ending the windows are dropped with what they hold.
 * 4. At most one event leaves for one that came, except for what a flush releases into channels that the ending
 *    event does not carry.
 */
export class ReplyScreen {
  readonly #windows: ReplyWindows
  readonly #dialect: ReplyDialect
  readonly #channelsMax: number
  readonly #channels = new Map<string, Channel>()
  /** The same by choice: a call may ask for thousands of choices, and each of them ends once. */
  readonly #channelsOf = new Map<number, Channel[]>()
  readonly #finished = new Set<number>()
  #last: Reply | undefined
  /** Most events go on where the one before them was. */
  #latest: Channel | undefined
  /** Most code units that all windows together held back at one time. */
  heldCharsMax = 0
  #held = 0

  /** `choices`: how many the call asked for, over all its prompts. */
  constructor(rules: ReplyRules, dialect: ReplyDialect, choices: number) {
    this.#windows = new ReplyWindows(rules)
    this.#dialect = dialect
    this.#channelsMax = SPARE_CHANNELS_MAX + choices
  }

  /** What may leave for this event, in order. */
  pass(reply: Reply): JsonObject[] {
    if (this.#windows.inert) return [reply.body]
    this.#windows.note(reply.body)
    const released = reply.texts.map((slot) => this.#release(slot))
    const events = reply.finished.flatMap((choice) => this.#finish(choice, reply, released))
    this.#last = reply
    if (reply.finished.length > 0 || !isHollow(reply, released)) events.push(reply.body)
    return events
  }

  /** The stream has properly ended: what the windows of unfinished choices still hold. */
  flush(): JsonObject[] {
    const events: JsonObject[] = []
    for (const open of this.#channels.values()) {
      const text = this.#finished.has(open.choice) ? '' : this.#flush(open)
      if (text !== '' && this.#last)
        events.push(this.#dialect.carrier(this.#last, open.choice, open.channel, text))
    }
    return events
  }

  get found(): Located {
    const found = new LocatedFindings()
    for (const open of this.#channels.values()) found.addAll(pathOf(open), open.window)
    return found
  }

  /** Puts into the slot what its window lets go, and returns it. */
  #release(slot: ReplySlot): string {
    if (slot.text === '') return ''
    if (this.#finished.has(slot.choice)) throw new Refusal('upstream_protocol', 'text after finish_reason')
    const window = this.#windowOf(slot)
    const before = window.held
    const text = window.push(slot.text)
    this.#held += window.held - before
    this.heldCharsMax = Math.max(this.heldCharsMax, this.#held)
    this.#refuseBlocked(window)
    slot.replace(text)
    return text
  }

  /** Decides what the choice's windows still hold: into this event where it has a slot for it, else into events before it. */
  #finish(choice: number, reply: Reply, released: readonly string[]): JsonObject[] {
    if (this.#finished.has(choice)) return []
    this.#finished.add(choice)
    const events: JsonObject[] = []
    for (const open of this.#channelsOf.get(choice) ?? []) {
      const text = this.#flush(open)
      if (text === '') continue
      const at = reply.texts.findLastIndex((slot) => slot.choice === choice && slot.channel === open.channel)
      if (at === -1) events.push(this.#dialect.carrier(reply, choice, open.channel, text))
      else reply.texts[at]?.replace(released[at] + text)
    }
    return events
  }

  #flush({ window }: Channel): string {
    this.#held -= window.held
    const text = window.flush()
    this.#refuseBlocked(window)
    return text
  }

  #windowOf(slot: ReplySlot): StreamWindow {
    const { choice, channel } = slot
    const latest = this.#latest
    if (latest?.choice === choice && latest.channel === channel) return latest.window
    const key = `${choice}/${channel}`
    const open = this.#channels.get(key)
    this.#latest = open
    if (open) return open.window
    if (this.#channels.size >= this.#channelsMax) throw new Refusal('upstream_protocol', 'too many channels')
    const window = this.#windows.open(slot)
    const opened = { choice, channel, window }
    this.#channels.set(key, opened)
    const siblings = this.#channelsOf.get(choice)
    if (siblings) siblings.push(opened)
    else this.#channelsOf.set(choice, [opened])
    return window
  }

  #refuseBlocked(window: StreamWindow): void {
    if (window.blocked) throw new Refusal('content_blocked', window.blocked.entity)
  }
}

/** The event carried text and nothing else (no role, no tool call's name), and none of it may leave yet. */
const isHollow = (reply: Reply, released: readonly string[]): boolean =>
  reply.texts.some((slot) => slot.text !== '') &&
  released.every((text) => text === '') &&
  reply.texts.every((slot) => !slot.channel.startsWith('tool_calls')) &&
  !mentionsRole(reply.body)

const mentionsRole = (body: JsonObject): boolean =>
  Array.isArray(body.choices) &&
  body.choices.some((choice) => {
    const delta = (choice as JsonObject).delta as JsonObject | undefined
    return delta !== undefined && delta.role !== undefined
  })

const pathOf = ({ choice, channel }: Pick<ReplySlot, 'choice' | 'channel'>): string =>
  `choices[${choice}].${channel}`

interface ScreenedWhole {
  readonly found: Located
  readonly blocked: Finding | undefined
}

/** The reply rules over a whole reply: the texts are replaced in place, up to the first that is blocked. */
export async function screenWhole(
  reply: Reply,
  rules: ReplyRules,
  signal: AbortSignal,
): Promise<ScreenedWhole> {
  const found = new LocatedFindings()
  const windows = new ReplyWindows(rules)
  const paced = new PacedScreening(rules.rules, signal)
  windows.note(reply.body)
  for (const slot of windows.inert ? [] : reply.texts) {
    const screening = await paced.screen(slot, windows.open(slot))
    found.addAll(pathOf(slot), screening)
    if (screening.blocked) return { found, blocked: screening.blocked }
    if (screening.text !== slot.text) slot.replace(screening.text)
  }
  return { found, blocked: undefined }
}

/** A model may call what the caller offered and nothing else: an invented name reaches code that trusts its own list. */
export function checkTools(reply: Reply, call: Call): void {
  const strange = calledTools(reply.body).some((name) => !call.tools.includes(name))
  if (strange) throw new Refusal('upstream_protocol', 'a tool call that was not offered')
}
