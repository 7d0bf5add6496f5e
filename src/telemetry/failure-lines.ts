/**
 * A failure, told without quoting anybody. Messages of foreign errors are left out: JSON.parse, header checks and URL
 * parsers quote their input in them. What remains says where and what: name, code, system call, and our own frames.
 */
import { Refusal } from '../refusal.ts'
import { cleanText } from './clean-text.ts'

const causesMax = 5
const framesMax = 6
const detailCharsMax = 200
const stackCharsMax = 8192

const namePattern = /^[A-Za-z][A-Za-z0-9_]{0,63}$/
const codePattern = /^[A-Z][A-Z0-9_]{1,63}$/
const syscallPattern = /^[a-z][a-z0-9_]{0,31}$/
const framePattern =
  /^ {4}at (?:async )?(?:[\w$.#<>[\] ]{1,120} \()?(?:file:\/\/\/|node:)([\w@%+.\-/]{1,300}:\d{1,7}:\d{1,7})\)?$/

/** The error and its causes, one line each, outermost first. Never throws, whatever was thrown. */
export function failureLines(error: unknown): string[] {
  const lines: string[] = []
  let current = error
  for (let depth = 0; depth < causesMax && current !== undefined; depth++) {
    try {
      lines.push(lineOf(current))
      current = causeOf(current)
    } catch {
      lines.push('unreadable error')
      break
    }
  }
  return lines
}

/** Where it happened: our own frames of the stack, `src/exchange/exchange.ts:41:7`. Empty when the stack is odd. */
export function failureFrames(error: unknown): string[] {
  try {
    return error instanceof Error ? framesOf(error) : []
  } catch {
    return []
  }
}

function lineOf(error: unknown): string {
  if (error instanceof Refusal) return cleanText(`Refusal ${error.code}: ${error.detail}`, detailCharsMax)
  if (!(error instanceof Error)) return `thrown ${error === null ? 'null' : typeof error}`
  const { code, syscall } = error as { code?: unknown; syscall?: unknown }
  const parts = [matching(error.name, namePattern) ?? 'Error']
  for (const part of [matching(code, codePattern), matching(syscall, syscallPattern)]) {
    if (part !== undefined) parts.push(part)
  }
  return parts.join(' ')
}

const matching = (value: unknown, pattern: RegExp): string | undefined =>
  typeof value === 'string' && value.length <= 64 && pattern.test(value) ? value : undefined

function causeOf(error: unknown): unknown {
  if (!(error instanceof Error)) return undefined
  // Several tries that all failed (happy eyeballs, for one) come as an AggregateError; the first tells enough.
  if (error instanceof AggregateError && error.cause === undefined) return error.errors[0]
  return error.cause
}

function framesOf(error: Error): string[] {
  const stack = String(error.stack ?? '')
  // The stack begins with the message, which may hold lines that look like frames: they must not be taken for some.
  const start = stack.indexOf(error.message)
  if (start < 0 || start > 128) return []
  return stack
    .slice(start + error.message.length)
    .slice(0, stackCharsMax)
    .split('\n')
    .flatMap((line) => framePattern.exec(line)?.[1] ?? [])
    .slice(0, framesMax)
    .map(shortPath)
}

function shortPath(frame: string): string {
  const at = Math.max(
    frame.lastIndexOf('/src/'),
    frame.lastIndexOf('/plugins/'),
    frame.lastIndexOf('/node_modules/'),
  )
  return cleanText(at < 0 ? frame : frame.slice(at + 1))
}
