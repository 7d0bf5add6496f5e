import type { Tested } from './redact-rules.ts'

/** One streamed event: what came, what left because of it, and what is held back then. */
export interface StreamEvent {
  readonly came: string
  readonly left: string
  /** Raw text that is held; empty also where a long value is swallowed as it comes. */
  readonly held: string
  readonly heldUnits: number
}

/** Lets a text come in pieces of `size` code units; the last event is the end of the stream. */
export function streamEvents(
  { rules, replacer }: Pick<Tested, 'rules' | 'replacer'>,
  text: string,
  size: number,
): StreamEvent[] {
  const window = rules.open('text', replacer)
  const events: StreamEvent[] = []
  for (let from = 0; from < text.length && window.blocked === undefined; from += size) {
    const came = text.slice(from, from + size)
    const left = window.push(came)
    const held = text.slice(Math.max(0, from + came.length - window.held), from + came.length)
    events.push({ came, left, held, heldUnits: window.held })
  }
  return [...events, { came: '', left: window.flush(), held: '', heldUnits: window.held }]
}

const quoted = (text: string): string => (text === '' ? '' : JSON.stringify(text))

/** A line an event. */
export function streamText(events: readonly StreamEvent[]): string {
  const width = (column: 'came' | 'left'): number =>
    Math.min(40, Math.max(column.length, ...events.map((event) => quoted(event[column]).length)))
  const [came, left] = [width('came'), width('left')]
  const line = (first: string, second: string, third: string, fourth: string): string =>
    `${first.padStart(6)}  ${second.padEnd(came)}  ${third.padEnd(left)}  ${fourth}`.trimEnd()
  const lines = events.map((event, index) =>
    line(
      index === events.length - 1 ? 'end' : String(index + 1),
      quoted(event.came),
      quoted(event.left),
      event.heldUnits === 0 ? '' : `${event.heldUnits} ${quoted(event.held)}`,
    ),
  )
  return [line('event', 'came', 'left', 'held'), ...lines, ''].join('\n')
}
