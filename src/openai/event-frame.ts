import type { JsonObject, ReplySlot, Usage } from './call.ts'
import { membersOf, type Span, stringEnd, stringsOf, valueEnd } from './json-span.ts'
import type { Reply, ReplyDialect } from './reply.ts'
import { encodeEvent } from './sse.ts'
import { readUsage } from './usage.ts'

/**
 * A model server writes the same JSON around each piece of text. A frame is that JSON with holes in it: for the text, the
 * running usage and the time. An event that fits the frame is read by its holes alone and written by the frame's own
 * form, without parsing, rebuilding and serializing what has not changed.
 *
 * 1. `read` gives what the dialect gives for the parsed event, or nothing: what is outside the holes is equal to the
 *    character, and a hole holds one value of its kind. JSON has no way to say the same text with another structure.
 * 2. A frame is made of one event only when changing the text changes nothing but the one text of the reply, as the
 *    dialect itself says of a probe.
 * 3. Events that end a choice, carry no text or several, or call a tool have no frame.
 * 4. At most `framesMax` frames are made for a stream: a server that writes each event differently costs no more for long.
 */
const framesMax = 16
const probeText = 'sallyport:frame'
const integer = /^[1-9]\d{0,14}$/
const DIGIT_0 = 48
const DIGIT_9 = 57
const noChoices: readonly number[] = []

type HoleKind = 'text' | 'usage' | 'created'

interface Hole extends Span {
  readonly kind: HoleKind
}

/** The events of one stream. */
export class FramedEvents {
  readonly #dialect: ReplyDialect
  readonly #model: string
  #frame: Frame | undefined
  #frames = 0

  constructor(dialect: ReplyDialect, publicModel: string) {
    this.#dialect = dialect
    this.#model = publicModel
  }

  /** What the dialect says of the event with this data, when it is known without asking. */
  read(data: string): Reply | undefined {
    return this.#frame?.read(data)
  }

  /** What the dialect says of a parsed event; remembers how its data was written. */
  parsed(json: unknown, data: string): Reply {
    const reply = this.#dialect.event(json, this.#model)
    if (this.#frames < framesMax && isPlainText(reply)) {
      this.#frames += 1
      this.#frame = frameOf(data, reply, (probe) => this.#dialect.event(probe, this.#model)) ?? this.#frame
    }
    return reply
  }
}

const isPlainText = ({ texts, finished, usageOnly }: Reply): boolean => {
  const [slot, more] = texts
  const isText = slot !== undefined && slot.text !== '' && !/^(tool_calls|function_call)/.test(slot.channel)
  return isText && more === undefined && finished.length === 0 && !usageOnly
}

function frameOf(data: string, reply: Reply, dialect: (json: unknown) => Reply): Frame | undefined {
  const members = membersOf(data)
  const choices = members?.get('choices')
  if (members === undefined || choices === undefined) return undefined
  const others = [...holesAt(members, 'usage'), ...holesAt(members, 'created')].filter(
    ({ kind, start, end }) => kind === 'usage' || integer.test(data.slice(start, end)),
  )
  for (const { start, end } of stringsOf(data)) {
    if (start < choices.start || end > choices.end) continue
    const probe = probeAt(data, { start, end }, reply, dialect)
    const holes = [...others, { kind: 'text', start, end } as const].sort((a, b) => a.start - b.start)
    if (probe !== undefined) return new Frame(data, holes, probe)
  }
  return undefined
}

function holesAt(members: ReadonlyMap<string, Span>, kind: 'usage' | 'created'): Hole[] {
  const span = members.get(kind)
  return span === undefined ? [] : [{ kind, ...span }]
}

interface Probe {
  /** With the probe's text in it; the slot changes it. */
  readonly body: JsonObject
  readonly slot: ReplySlot
}

/** The reply with another text there, when nothing but its text is another. */
function probeAt(
  data: string,
  at: Span,
  { body, texts: [slot] }: Reply,
  dialect: (json: unknown) => Reply,
): Probe | undefined {
  const json = `${data.slice(0, at.start)}${probeText}${data.slice(at.end)}`
  const probe = attempted(() => dialect(JSON.parse(json)))
  const [other] = probe?.texts ?? []
  // A text that is the probe's would be found wherever it is looked for.
  if (slot === undefined || slot.text === probeText) return undefined
  if (probe === undefined || other?.text !== probeText) return undefined
  if (!isPlainText(probe) || other.path !== slot.path || other.channel !== slot.channel) return undefined
  other.replace(slot.text)
  const isSame = other.kind === slot.kind && JSON.stringify(probe.body) === JSON.stringify(body)
  other.replace(probeText)
  delete probe.body['usage']
  if (encodeEvent(probe.body).split(JSON.stringify(probeText)).length !== 2) return undefined
  return isSame ? { body: probe.body, slot: other } : undefined
}

function attempted<Result>(act: () => Result): Result | undefined {
  try {
    return act()
  } catch {
    return undefined
  }
}

/** One form of an event. */
class Frame {
  readonly body: JsonObject
  readonly slot: ReplySlot
  readonly #literals: readonly string[]
  readonly #kinds: readonly HoleKind[]
  readonly #head: string
  readonly #tail: string

  constructor(data: string, holes: readonly Hole[], { body, slot }: Probe) {
    const starts = [0, ...holes.map(({ end }) => end)]
    this.#literals = starts.map((start, index) => data.slice(start, holes[index]?.start))
    this.#kinds = holes.map(({ kind }) => kind)
    this.body = body
    this.slot = slot
    const [head = '', tail = ''] = encodeEvent(body).split(JSON.stringify(probeText))
    this.#head = head
    this.#tail = tail
  }

  /** As `encodeEvent` writes the body with this text in it. */
  encoded(text: string): string {
    return this.#head + JSON.stringify(text) + this.#tail
  }

  read(data: string): Reply | undefined {
    const found = new Found()
    let at = 0
    for (let index = 0; index < this.#literals.length; index += 1) {
      const literal = this.#literals[index] as string
      if (!data.startsWith(literal, at)) return undefined
      const start = at + literal.length
      const kind = this.#kinds[index]
      if (kind === undefined) return start === data.length ? found.reply(this) : undefined
      at = found.take(kind, data, start)
      if (at === -1) return undefined
    }
    return undefined
  }
}

/** What stands in the holes of one event. */
class Found {
  #text = ''
  #usage: Usage | undefined

  /** Reads the hole that begins at `start`; index behind it, -1 when something else is there. */
  take(kind: HoleKind, data: string, start: number): number {
    if (kind === 'created') return digitsEnd(data, start)
    if (kind === 'text') return this.#takeText(data, start)
    if (data.startsWith('null', start)) return start + 4
    const end = valueEnd(data, start)
    const json = end === -1 ? undefined : attempted(() => JSON.parse(data.slice(start, end)) as unknown)
    if (json === undefined) return -1
    this.#usage = readUsage(json)
    return end
  }

  reply(frame: Frame): Reply | undefined {
    return this.#text === '' ? undefined : new FramedReply(frame, this.#text, this.#usage)
  }

  #takeText(data: string, start: number): number {
    const end = stringEnd(data, start)
    if (end === -1) return -1
    const inside = data.slice(start, end)
    const text = inside.includes('\\') ? attempted(() => JSON.parse(`"${inside}"`) as string) : inside
    if (text === undefined) return -1
    this.#text = text
    return end
  }
}

/** Behind an integer as JSON writes it; -1 when none of at most 15 digits begins there. */
function digitsEnd(data: string, start: number): number {
  let end = start
  while (data.charCodeAt(end) >= DIGIT_0 && data.charCodeAt(end) <= DIGIT_9) end += 1
  return integer.test(data.slice(start, Math.min(end, start + 16))) ? end : -1
}

/** The frame's replies share one body, which is filled in when somebody asks for it. */
class FramedReply implements Reply {
  readonly texts: readonly [FramedSlot]
  readonly finished = noChoices
  readonly usage: Usage | undefined
  readonly usageOnly = false
  readonly #frame: Frame

  constructor(frame: Frame, text: string, usage: Usage | undefined) {
    this.#frame = frame
    this.texts = [new FramedSlot(frame.slot, text)]
    this.usage = usage
  }

  /** Good until the body of another event is asked for. */
  get body(): JsonObject {
    this.#frame.slot.replace(this.texts[0].now)
    return this.#frame.body
  }

  encoded(): string {
    return this.#frame.encoded(this.texts[0].now)
  }
}

class FramedSlot implements ReplySlot {
  readonly choice: number
  readonly channel: string
  readonly kind: ReplySlot['kind']
  readonly text: string
  /** What stands there now. */
  now: string
  readonly #slot: ReplySlot

  constructor(slot: ReplySlot, text: string) {
    this.choice = slot.choice
    this.channel = slot.channel
    this.kind = slot.kind
    this.text = text
    this.now = text
    this.#slot = slot
  }

  get path(): string {
    return this.#slot.path
  }

  replace(text: string): void {
    this.now = text
  }
}
