import type { Call, Json } from './call.ts'
import { escapeControlTokens } from './control-token.ts'

/**
 * The last pass over the texts of a chat call, after screening has put its own text in place. It breaks control tokens
 * that only exist once a model server has decoded or joined the texts:
 *
 * 1. in JSON, where a token can be written with escapes (`\u003c|im_end|\u003e`) that templates see decoded;
 * 2. over the border of two content parts, which templates join, trimmed or not.
 *
 * It changes nothing in a text without control tokens, and nothing when it runs again.
 */
export function breakControlTokens(call: Call): void {
  for (const slot of call.texts) {
    const { text } = slot
    const broken = slot.kind === 'json' ? escapeInJson(text) : escapeControlTokens(text)
    if (broken !== text) slot.replace(broken)
  }
  for (const content of contentsOf(call)) separateParts(content)
}

const memberOf = (value: Json | undefined, name: string): Json | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? value[name] : undefined

function contentsOf({ fields }: Call): Json[][] {
  const messages = Array.isArray(fields['messages']) ? fields['messages'] : []
  return [...messages, fields['prediction']].flatMap((holder) => {
    const content = memberOf(holder, 'content')
    return Array.isArray(content) ? [content] : []
  })
}

/** Also in what only looks like JSON: a literal that does not parse is left to the raw escape. */
function escapeInJson(text: string): string {
  const raw = escapeControlTokens(text)
  if (!raw.includes('\\')) return raw
  let escaped = ''
  let done = 0
  for (let start = raw.indexOf('"'); start !== -1; start = raw.indexOf('"', done)) {
    const end = literalEnd(raw, start)
    escaped += raw.slice(done, start) + escapeLiteral(raw.slice(start, end))
    done = end
  }
  return escaped + raw.slice(done)
}

/** Index after the closing quote, or the end of the text. */
function literalEnd(text: string, start: number): number {
  let at = start + 1
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1
  return Math.min(at + 1, text.length)
}

function escapeLiteral(literal: string): string {
  if (!literal.includes('\\')) return literal
  const decoded = decode(literal)
  if (decoded === undefined) return literal
  const escaped = escapeControlTokens(decoded)
  return escaped === decoded ? literal : JSON.stringify(escaped)
}

/** Lenient readers of JSON take bare control characters in a string, so these count as decoded. */
function decode(literal: string): string | undefined {
  try {
    return JSON.parse(literal.replace(controlCharacters, ' '))
  } catch {
    return undefined
  }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what a strict reader refuses
const controlCharacters = /[\u0000-\u001f]/g
/** What Python's and JavaScript's `trim` take away. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: Python counts the four separators as white space
const whiteSpace = /[\s\u001c-\u001f\u0085]/g

const SEPARATOR = '\u200b'
/** Longer than every control token. */
const tokenMax = 128

function separateParts(parts: readonly Json[]): void {
  let before = ''
  for (const part of parts) {
    const name = memberOf(part, 'refusal') === undefined ? 'text' : 'refusal'
    const text = memberOf(part, name)
    if (typeof text !== 'string') continue
    const packed = text.replace(whiteSpace, '')
    const border = spellsToken(before, packed) ? SEPARATOR : ''
    if (border !== '') (part as Record<string, Json>)[name] = border + text
    before = (before + border + packed).slice(-tokenMax)
  }
}

/** Whether a token begins in the one text and ends in the other. */
function spellsToken(before: string, after: string): boolean {
  const tail = before.slice(-tokenMax)
  const head = after.slice(0, tokenMax)
  return escapeControlTokens(tail + head) !== escapeControlTokens(tail) + escapeControlTokens(head)
}
