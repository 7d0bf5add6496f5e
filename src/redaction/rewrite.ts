import type { Finding } from './finding.ts'
import { FoundList } from './found.ts'
import { hasInvisible, visible } from './invisible.ts'
import { leftContextUnits, type Validator } from './recognizer.ts'
import type { Match } from './tails.ts'

/** Takes what may leave, in order. */
export interface Output {
  text(piece: string): void
  mask(entity: string): void
}

interface GrowingFinding extends Finding {
  end: number
}

/** Text is cut off the left end of the buffer when this much is no longer needed. */
const spareUnits = 64

/** The text that is not out yet, and the matches that wait to be masked in it. Positions count from the first push. */
export class Rewriter {
  readonly found = new FoundList()
  /** How far the output has got in the input. */
  emitted = 0
  readonly #output: Output
  readonly #entityOf: (rule: number) => string
  #text = ''
  /** `#text` as the rules read it; mostly the same string. */
  #folded = ''
  /** Whether the text may hold characters that validators are not to see. */
  #hasInvisible = false
  /** Position of the first code unit of `#text`. */
  #base = 0
  /** Matches that `settle` has still to do with. */
  pending = 0
  #matches: Match[] = []
  /** Matches in the output whose tail still grows. */
  #growing: Match[] = []
  #maskEnd = 0
  /** The finding of the last mask. */
  #last: GrowingFinding | undefined

  constructor(output: Output, entityOf: (rule: number) => string) {
    this.#output = output
    this.#entityOf = entityOf
  }

  /** Takes text, and the same as the rules read it. */
  append(chunk: string, folded: string): void {
    this.#hasInvisible ||= hasInvisible(chunk)
    const isSame = chunk === folded && this.#text === this.#folded
    this.#text = this.#text.length === 0 ? chunk : this.#text + chunk
    this.#folded = isSame ? this.#text : this.#folded + folded
  }

  add(match: Match): void {
    this.#matches.push(match)
    this.pending++
  }

  unitAt(position: number): number {
    return this.#folded.charCodeAt(position - this.#base)
  }

  check(validate: Validator, start: number, end: number): boolean {
    const [from, to] = [start - this.#base, end - this.#base]
    if (!this.#hasInvisible) return validate(this.#folded, from, to)
    const left = visible(this.#folded.slice(Math.max(0, from - leftContextUnits), from))
    const seen = left + visible(this.#folded.slice(from, to))
    return validate(seen, left.length, seen.length)
  }

  /** Masks the matches to the left of which nothing is undecided. */
  settle(frontier: number): void {
    for (const match of this.#growing) this.#growMask(match.end)
    this.#growing = this.#growing.filter(({ open }) => open)
    for (
      let match = this.#leftmost();
      match !== undefined && match.start < frontier;
      match = this.#leftmost()
    ) {
      this.#matches.splice(this.#matches.indexOf(match), 1)
      this.#write(match)
    }
    this.pending = this.#matches.length + this.#growing.length
  }

  /** Puts out everything before `frontier`, and forgets what is not needed. */
  release(frontier: number): void {
    this.#emit(frontier)
    const unneeded = Math.min(frontier, this.emitted) - leftContextUnits - this.#base
    if (unneeded <= spareUnits) return
    const isSame = this.#text === this.#folded
    this.#text = this.#text.slice(unneeded)
    this.#folded = isSame ? this.#text : this.#folded.slice(unneeded)
    this.#base += unneeded
    this.#hasInvisible &&= hasInvisible(this.#text)
  }

  /** Puts out all that is left and goes on at `position` with nothing to the left. */
  restart(position: number): void {
    this.#emit(this.#base + this.#text.length)
    this.emitted = position
    this.#base = position
    this.#text = ''
    this.#folded = ''
  }

  #leftmost(): Match | undefined {
    let best: Match | undefined
    for (const match of this.#matches) if (best === undefined || precedes(match, best)) best = match
    return best
  }

  #write(match: Match): void {
    if (match.start >= this.#maskEnd) {
      const entity = this.#entityOf(match.rule)
      this.#emit(match.start)
      this.#output.mask(entity)
      this.#last = { entity, action: 'mask', start: match.start, end: match.end }
      this.found.add(this.#last)
    }
    this.#growMask(match.end)
    if (match.open) this.#growing.push(match)
  }

  #growMask(end: number): void {
    if (end <= this.#maskEnd) return
    this.#maskEnd = end
    this.emitted = Math.max(this.emitted, end)
    if (this.#last !== undefined) this.#last.end = end
  }

  #emit(limit: number): void {
    if (limit <= this.emitted) return
    this.#output.text(this.#text.slice(this.emitted - this.#base, limit - this.#base))
    this.emitted = limit
  }
}

function precedes(a: Match, b: Match): boolean {
  if (a.start !== b.start) return a.start < b.start
  return a.end === b.end ? a.rule < b.rule : a.end > b.end
}
