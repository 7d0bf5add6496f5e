import { styleText } from 'node:util'
import type { Finding, Replacer, Screening } from '../redaction/finding.ts'
import { readInput } from './redact-input.ts'
import { type RulesOptions, rulesOf, type Tested } from './redact-rules.ts'
import { type StreamEvent, streamEvents, streamText } from './redact-stream.ts'
import { type ExitCode, exitCodes, type Surroundings } from './surroundings.ts'

export interface RedactTestOptions extends RulesOptions {
  readonly stream?: boolean
  /** Code units of a streamed event. */
  readonly eventSize: number
  readonly json?: boolean
}

/** `sallyport redact test`: what the gateway would make of a text. */
export async function redactTest(
  file: string,
  { stream, eventSize, json, ...options }: RedactTestOptions,
  { out }: Surroundings,
): Promise<ExitCode> {
  const text = await readInput(file)
  const tested = await rulesOf(options)
  const screening = await tested.screen(text)
  const events = stream ? streamEvents(tested, text, eventSize) : undefined
  if (json) out(`${JSON.stringify(report(tested, screening, events), null, 2)}\n`)
  else out(shown(text, tested.replacer, screening, events))
  return exitCodes.ok
}

function report(
  { rules }: Tested,
  { text, findings, tallies, blocked }: Screening,
  events: StreamEvent[] | undefined,
) {
  return {
    rules: rules.name,
    direction: rules.direction,
    blocked: blocked !== undefined,
    text,
    findings,
    tallies,
    heldTextMax: rules.heldTextMax,
    ...(events === undefined ? {} : { events }),
  }
}

/** Colors stand where a terminal can show them and NO_COLOR is not set: Node.js knows both. */
const paint = (format: Parameters<typeof styleText>[0], text: string): string =>
  styleText(format, text, { stream: process.stdout })

/** Those in encoded tokens come first. */
const byPlace = (a: Finding, b: Finding): number => a.start - b.start

function shown(
  text: string,
  replacer: Replacer,
  screening: Screening,
  events: StreamEvent[] | undefined,
): string {
  const body = events === undefined ? wholeText(text, replacer, screening) : streamText(events)
  return `${body}${body.endsWith('\n') ? '' : '\n'}\n${findingsText(text, screening)}`
}

function wholeText(
  text: string,
  replacer: Replacer,
  { text: screened, blocked, findings }: Screening,
): string {
  if (blocked !== undefined) return paint('red', `blocked by ${blocked.entity}: nothing of the text goes on`)
  const inColor = paint('red', ' ') !== ' '
  return inColor ? highlighted(text, findings, replacer) : screened
}

/** The values crossed out, and beside each what stands in its place; those that are only counted are marked. */
export function highlighted(
  text: string,
  findings: readonly Finding[],
  replacer: Replacer,
  color = paint,
): string {
  let shown = ''
  let from = 0
  for (const finding of findings.toSorted(byPlace)) {
    if (finding.start < from) continue
    shown += text.slice(from, finding.start)
    const value = text.slice(finding.start, finding.end)
    if (finding.action === 'shadow') shown += color('yellow', value)
    else
      shown += `${color(['red', 'strikethrough'], value)}${color('green', replacer.replace(finding, value))}`
    from = finding.end
  }
  return shown + text.slice(from)
}

function findingsText(text: string, { findings, tallies }: Screening): string {
  const count = tallies.reduce((sum, tally) => sum + tally.count, 0)
  const lines = findings.toSorted(byPlace).map((finding) => {
    const { line, column } = placeOf(text, finding.start)
    const length = `${finding.end - finding.start} units`
    const columns = [`${line}:${column}`.padEnd(8), finding.entity.padEnd(24), finding.recognizer.padEnd(28)]
    return `  ${columns.join(' ')} ${finding.action.padEnd(12)} ${length}\n`
  })
  const more = count > findings.length ? `  and ${count - findings.length} more\n` : ''
  return `${count} found\n${lines.join('')}${more}`
}

function placeOf(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset).split('\n')
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 }
}
