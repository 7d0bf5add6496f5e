import type { Finding, FindingTally, StreamWindow } from '../finding.ts'
import { isBeside, isSound, mayBegin, readToken, type TokenReading } from './pseudonym-token.ts'

/** How often pseudonyms were turned back, and how often what looks like one was nobody's. */
export interface RestoreCount {
  restored: number
  unknown: number
}

interface Originals {
  originalOf(token: string): string | undefined
}

const backslash = 92
const letterU = 117
/** The next unit says how long the escape is. */
const escapeBegins = 5

/** Whether a token may begin after what has passed. In JSON `\\nPII_...` is a line break and a token, not the word `nPII`. */
class LeftEdge {
  readonly #json: boolean
  #isOpen = true
  /** Units that still belong to an escape. */
  #escaped = 0

  constructor(kind: 'text' | 'json') {
    this.#json = kind === 'json'
  }

  get isOpen(): boolean {
    return this.#isOpen && this.#escaped === 0
  }

  passes(unit: number): void {
    if (this.#escaped > 0) {
      const begins = this.#escaped === escapeBegins
      this.#escaped = begins ? (unit === letterU ? 4 : 0) : this.#escaped - 1
      this.#isOpen = true
    } else {
      this.#isOpen = isBeside(unit)
      if (this.#json && unit === backslash) this.#escaped = escapeBegins
    }
  }

  /** A token has passed. */
  closes(): void {
    this.#isOpen = false
  }
}

/** Private characters, each of which stands for an opaque piece of text while the text is being screened. */
const firstPrivate = 0xf400
const privateCount = 1_024
/** Pieces that go into the inner window at once; with what it holds they are never more than `privateCount`. */
const piecesPerPush = 256

const isPrivate = (unit: number): boolean => unit >= firstPrivate && unit < firstPrivate + privateCount

/** Texts that the inner window sees as one private character each. */
class Opaque {
  readonly #texts: string[] = []
  #next = 0

  hide(text: string): string {
    const at = this.#next
    this.#texts[at] = text
    this.#next = (at + 1) % privateCount
    return String.fromCharCode(firstPrivate + at)
  }

  show(text: string): string {
    let out = ''
    let from = 0
    for (let at = 0; at < text.length; at++) {
      const unit = text.charCodeAt(at)
      if (!isPrivate(unit)) continue
      out += text.slice(from, at) + (this.#texts[unit - firstPrivate] ?? '')
      from = at + 1
    }
    return out + text.slice(from)
  }
}

/**
 * Turns the pseudonyms of an exchange back, around the window that masks.
 *
 * 1. Only tokens that `originals` knows are turned back; every other text leaves as the inner window has it.
 * 2. The inner window sees a known token as one character that no rule knows: it neither takes a part of the token for
 *    a value, nor masks again what is turned back. A private character of the model's own is hidden the same way, so
 *    none of them is ever taken for a token.
 * 3. No part of a token leaves before the token is decided; never more than `tokenUnitsMax` code units are held for it.
 * 4. How the text was cut does not matter.
 * 5. In JSON the value is escaped, so that JSON stays JSON.
 */
export class RehydrationWindow implements StreamWindow {
  readonly #inner: StreamWindow
  readonly #kind: 'text' | 'json'
  readonly #originals: Originals
  readonly #count: RestoreCount
  readonly #opaque = new Opaque()
  #pending = ''
  /** What stands before `#pending`. */
  readonly #edge: LeftEdge

  constructor(inner: StreamWindow, kind: 'text' | 'json', originals: Originals, count: RestoreCount) {
    this.#inner = inner
    this.#kind = kind
    this.#edge = new LeftEdge(kind)
    this.#originals = originals
    this.#count = count
  }

  push(chunk: string): string {
    return this.#pass(chunk, 'open')
  }

  flush(): string {
    const passed = this.#pass('', 'ended')
    return passed + this.#opaque.show(this.#inner.flush())
  }

  get held(): number {
    return this.#inner.held + this.#pending.length
  }

  get findings(): readonly Finding[] {
    return this.#inner.findings
  }

  get tallies(): readonly FindingTally[] {
    return this.#inner.tallies
  }

  get blocked(): Finding | undefined {
    return this.#inner.blocked
  }

  #pass(text: string, state: 'open' | 'ended'): string {
    const all = this.#pending + text
    this.#pending = ''
    let out = ''
    for (let at = 0; at < all.length && this.blocked === undefined; ) {
      const { hidden, end, isPart } = this.#hide(all, at, state)
      out += this.#opaque.show(this.#inner.push(hidden))
      at = end
      if (!isPart) continue
      this.#pending = all.slice(end)
      break
    }
    // Once something blocks nothing leaves, not of the same push either.
    if (this.blocked === undefined) return out
    this.#pending = ''
    return ''
  }

  /** Hides what is opaque from `from` on, up to a bounded number of pieces or to what may become a token. */
  #hide(all: string, from: number, state: 'open' | 'ended') {
    let hidden = ''
    let done = from
    let at = from
    for (let pieces = 0; at < all.length && pieces < piecesPerPush; ) {
      const unit = all.charCodeAt(at)
      const reading = mayBegin(unit) && this.#edge.isOpen ? this.#read(all, at, state) : undefined
      if (reading?.kind === 'part') return { hidden: hidden + all.slice(done, at), end: at, isPart: true }
      const piece = this.#pieceAt(all, at, reading)
      if (reading?.kind === 'token') this.#edge.closes()
      else this.#edge.passes(unit)
      if (piece !== undefined) {
        hidden += all.slice(done, at) + this.#opaque.hide(piece)
        pieces++
      }
      at = reading?.kind === 'token' ? reading.end : at + 1
      if (piece !== undefined) done = at
    }
    return { hidden: hidden + all.slice(done, at), end: at, isPart: false }
  }

  /** What comes back in place of the token or character here; nothing where the inner window is to see it. */
  #pieceAt(all: string, at: number, reading: TokenReading | undefined): string | undefined {
    if (reading?.kind === 'token') return this.#restored(reading.token)
    return isPrivate(all.charCodeAt(at)) ? all.charAt(at) : undefined
  }

  #read(text: string, at: number, state: 'open' | 'ended'): TokenReading {
    return readToken(text, at, { kind: this.#kind, ended: state === 'ended' })
  }

  #restored(token: string): string | undefined {
    const original = this.#originals.originalOf(token)
    if (original === undefined) {
      if (isSound(token)) this.#count.unknown++
      return undefined
    }
    this.#count.restored++
    return this.#kind === 'json' ? JSON.stringify(original).slice(1, -1) : original
  }
}
