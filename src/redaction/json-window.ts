/**
 * The window of a channel that carries JSON in fragments, such as tool arguments.
 *
 * 1. Every code unit outside strings and every decoded code unit of every string, keys included, is scanned.
 * 2. What JSON.parse takes, it still takes afterwards; where nothing was masked, it yields the same value.
 * 3. From the first character that JSON does not have outside strings, the rest is scanned and written as plain
 *    text, by the same scanner: a value over that place is found. (Escapes are read there as in all text.)
 * 4. How the text was cut does not matter, be it within an escape or a surrogate pair.
 *
 * 5. A number is also scanned as the digits that it stands for: `4.111111111111111e15` is a card. (Up to
 *    `numberHeldMax` characters; a longer one is scanned as it is written.)
 *
 * `NaN` and the infinities, which Python writes, are taken for JSON. A string is a text of its own: no value goes over
 * its quotes. What stands before it, its key above all, is context for guards. Findings count the text with its
 * escapes decoded.
 */
import type { Program } from './automaton.ts'
import type { Finding, FindingTally, Replacer, StreamWindow } from './finding.ts'
import { FoundList } from './found.ts'
import { JsonOutput, writtenOut } from './json-output.ts'
import { placeholders } from './mask.ts'
import { Scanner } from './scan.ts'
import { TextWindow } from './stream-window.ts'

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
const literals: readonly string[] = ['true', 'false', 'null', 'NaN', 'Infinity', '-Infinity']

/** What has been read of a number: its sign, or more. */
const numberTokens: readonly string[] = ['-', '0']

const isHexDigit = (char: string): boolean => /[0-9A-Fa-f]/.test(char)

/** How far into an escape a string is; the longest unfinished one is `\u123`. */
export const escapeHeldMax = 5

export class JsonWindow implements StreamWindow {
  readonly #output: JsonOutput
  readonly #scanner: Scanner
  readonly #program: Program
  readonly #replacer: Replacer
  /** What was found in numbers alone. */
  readonly #inNumbers = new FoundList()
  #blockedNumber: Finding | undefined
  #state: 'outside' | 'string' | 'plain' = 'outside'
  /** The literal or number that is being read outside strings: its letters, or `0`. */
  #token = ''
  /** The escape that is being read inside a string, as it was written. */
  #escape = ''

  constructor(program: Program, replacer: Replacer) {
    this.#program = program
    this.#replacer = replacer
    this.#output = new JsonOutput(replacer, (number, units) => this.#numberEnds(number, units))
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
    // An escape that was cut off inside a string is no character, so there is nothing in it to scan.
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
    const { findings } = this.#inNumbers
    if (findings.length === 0) return this.#scanner.found.findings
    return [...findings, ...this.#scanner.found.findings].sort((a, b) => a.start - b.start)
  }

  get tallies(): readonly FindingTally[] {
    if (this.#inNumbers.findings.length === 0) return this.#scanner.found.tallies
    const all = new FoundList()
    all.addAll(this.#scanner.found)
    all.addAll(this.#inNumbers)
    return all.tallies
  }

  get blocked(): Finding | undefined {
    return this.#scanner.blocked ?? this.#blockedNumber
  }

  /** Takes one part of the chunk that lies in one state, and returns where it ends. */
  #part(chunk: string, from: number): number {
    if (this.#state === 'string') return this.#inString(chunk, from)
    return this.#state === 'plain' ? this.#inPlain(chunk, from) : this.#outside(chunk, from)
  }

  #inPlain(chunk: string, from: number): number {
    this.#scanner.feed(chunk.slice(from))
    return chunk.length
  }

  /** A number has come out of the scanner: what it stands for may be a value though its characters were none. */
  #numberEnds(number: string, units: number): string | undefined {
    const digits = writtenOut(number)
    if (digits === undefined || this.blocked !== undefined) return undefined
    const window = new TextWindow(this.#program, placeholders)
    // Blanks around it: it is the value of some key, not a text of its own.
    window.push(` ${digits} `)
    window.flush()
    const [first] = window.findings
    if (first === undefined) return undefined
    const end = this.#scanner.emitted + units
    const finding = { ...first, start: end - number.length, end }
    this.#inNumbers.add(finding)
    if (finding.action === 'block') this.#blockedNumber = finding
    return finding.action === 'shadow' ? undefined : this.#replacer.replace(finding, digits)
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
    this.#scanner.skip('"')
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
    const token = this.#token + char
    if (token === '-') {
      this.#token = token
      return true
    }
    if (numberTokens.includes(this.#token) ? /[0-9+\-.eE]/.test(char) : /^[0-9]$/.test(token)) {
      this.#token = '0'
      return true
    }
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
