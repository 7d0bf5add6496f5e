/**
 * The window of a channel that carries JSON in fragments, such as tool arguments.
 *
 * 1. Every code unit outside strings and every decoded code unit of every string, keys included, is scanned.
 * 2. What JSON.parse takes, it still takes afterwards; where nothing was masked, it yields the same value.
 * 3. From the first character that JSON does not have outside strings, the rest is scanned and written as plain
 *    text, by the same scanner: a value over that place is found.
 * 4. How the text was cut does not matter, be it within an escape or a surrogate pair.
 *
 * A string is a text of its own: its quotes are edges, and its window ends at the closing quote. Findings count the
 * text with its escapes decoded.
 */
import type { Program } from './automaton.ts'
import type { Finding, StreamWindow } from './finding.ts'
import { JsonOutput } from './json-output.ts'
import { Scanner } from './scan.ts'

const quote = 34
const backslash = 92

const simpleEscapes: Readonly<Record<string, string>> = {
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  '"': '"',
  '\\': '\\',
  '/': '/',
}
const between = ' \n\r\t{}[],:'
const literals: readonly string[] = ['true', 'false', 'null']

const isHexDigit = (char: string): boolean => /[0-9A-Fa-f]/.test(char)

/** How far into an escape a string is; the longest unfinished one is `\u123`. */
export const escapeHeldMax = 5

export class JsonWindow implements StreamWindow {
  readonly #output = new JsonOutput()
  readonly #scanner: Scanner
  #state: 'outside' | 'string' | 'plain' = 'outside'
  /** The literal or number that is being read outside strings: its letters, or `0`. */
  #token = ''
  /** The escape that is being read inside a string, as it was written. */
  #escape = ''

  constructor(program: Program) {
    this.#scanner = new Scanner(program, this.#output)
  }

  push(chunk: string): string {
    let from = 0
    while (from < chunk.length && this.blocked === undefined) from = this.#part(chunk, from)
    this.#scanner.drain()
    return this.#taken()
  }

  flush(): string {
    this.#scanner.finish()
    this.#output.endNumber()
    // An escape that was cut off is no character, so there is nothing in it to scan.
    this.#output.raw(this.#escape)
    this.#escape = ''
    return this.#taken()
  }

  #taken(): string {
    const taken = this.#output.take()
    return this.blocked === undefined ? taken : ''
  }

  get held(): number {
    return this.#scanner.held + this.#output.held + this.#escape.length
  }

  get findings(): readonly Finding[] {
    return this.#scanner.findings
  }

  get blocked(): Finding | undefined {
    return this.#scanner.blocked
  }

  /** Takes one part of the chunk that lies in one state, and returns where it ends. */
  #part(chunk: string, from: number): number {
    if (this.#state === 'string') return this.#inString(chunk, from)
    if (this.#state !== 'plain') return this.#outside(chunk, from)
    this.#scanner.feed(chunk.slice(from))
    return chunk.length
  }

  #outside(chunk: string, from: number): number {
    let to = from
    while (to < chunk.length && chunk.charCodeAt(to) !== quote && this.#isStructure(chunk.charAt(to))) to++
    this.#scanner.feed(chunk.slice(from, to))
    if (to === chunk.length) return to
    if (chunk.charCodeAt(to) !== quote) return this.#plain(to)
    this.#scanner.finish()
    this.#output.endNumber()
    return this.#cross(to, 'string')
  }

  /** Steps over a quote. */
  #cross(at: number, state: 'outside' | 'string'): number {
    this.#scanner.skip(1)
    this.#output.raw('"')
    this.#output.mode = state
    this.#state = state
    this.#token = ''
    return at + 1
  }

  /** This is not JSON. What is decided so far is written as JSON, so that the place of a cut does not show. */
  #plain(at: number): number {
    this.#scanner.drain()
    this.#output.endNumber()
    this.#output.mode = 'plain'
    this.#state = 'plain'
    return at
  }

  /** Whether a character may stand outside strings after what came before it. */
  #isStructure(char: string): boolean {
    if (between.includes(char)) return this.#endToken()
    if (/[0-9+\-.eE]/.test(char) && (this.#token === '0' || (this.#token === '' && /[0-9-]/.test(char)))) {
      this.#token = '0'
      return true
    }
    const token = this.#token + char
    if (!literals.some((literal) => literal.startsWith(token))) return false
    this.#token = token
    return true
  }

  #endToken(): boolean {
    const whole = this.#token.length < 2 || literals.includes(this.#token)
    this.#token = ''
    return whole
  }

  #inString(chunk: string, from: number): number {
    let decoded = ''
    let at = from
    while (at < chunk.length) {
      if (this.#escape.length > 0) {
        const taken = this.#escaped(chunk.charAt(at))
        decoded += taken.text
        if (taken.used) at++
        continue
      }
      let to = at
      while (to < chunk.length && chunk.charCodeAt(to) !== quote && chunk.charCodeAt(to) !== backslash) to++
      decoded += chunk.slice(at, to)
      at = to
      if (chunk.charCodeAt(at) === quote) return this.#closeString(decoded, at)
      if (at < chunk.length) this.#escape = chunk.charAt(at++)
    }
    this.#scanner.feed(decoded)
    return at
  }

  #closeString(decoded: string, at: number): number {
    this.#scanner.feed(decoded)
    this.#scanner.finish()
    return this.#cross(at, 'outside')
  }

  /** Goes on with an escape; one that JSON does not know stands for itself. */
  #escaped(char: string): { text: string; used: boolean } {
    const read = this.#escape + char
    this.#escape = ''
    if (read.length === 2 && char !== 'u') return { text: simpleEscapes[char] ?? read, used: true }
    if (read.length > 2 && !isHexDigit(char)) return { text: read.slice(0, -1), used: false }
    if (read.length === 6)
      return { text: String.fromCharCode(Number.parseInt(read.slice(2), 16)), used: true }
    this.#escape = read
    return { text: '', used: true }
  }
}
