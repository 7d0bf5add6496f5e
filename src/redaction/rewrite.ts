import type { Program } from './automaton.ts'
import type { Action, Finding } from './finding.ts'
import { FoundList } from './found.ts'
import type { Source } from './source.ts'
import type { Match } from './tails.ts'

/** Takes what may leave, in order. */
export interface Output {
  text(piece: string): void
  /** `value` is missing where the end of the match has not come. */
  mask(found: Pick<Finding, 'entity' | 'action'>, value: string | undefined): void
}

interface GrowingFinding extends Finding {
  end: number
}

/** Writes out the text, and what stands in place of matches. `emitted` counts raw code units. */
export class Rewriter {
  readonly found = new FoundList()
  /** How far the output has got in the input. */
  emitted = 0
  readonly #output: Output
  readonly #source: Source
  readonly #program: Program
  /** Matches that `settle` has still to do with. */
  pending = 0
  #matches: Match[] = []
  /** Matches in the output whose tail still grows. */
  #growing: Match[] = []
  /** How far the last mask reaches, as read and as written. */
  #maskEnd = 0
  /** The finding of the last mask. */
  #last: GrowingFinding | undefined

  constructor(output: Output, source: Source, program: Program) {
    this.#output = output
    this.#source = source
    this.#program = program
  }

  /** Whether a match waits for what stands to the left of it. */
  get undecided(): boolean {
    return this.#matches.length > 0
  }

  add(match: Match): void {
    this.#matches.push(match)
    this.pending++
  }

  /** Counts a match that changes nothing, or that blocks. */
  note(rule: number, start: number, end: number): Finding {
    const finding = this.#finding({ rule, start, end })
    this.found.add(finding)
    return finding
  }

  /** Masks the matches to the left of which nothing is undecided. */
  settle(frontier: number): void {
    this.grow()
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

  /** Puts out all there is: the text ends here. */
  finish(needed: number): void {
    this.#emit(this.#source.rawEnd)
    this.#source.forget(needed, this.emitted)
  }

  /** Puts out everything before `frontier`, and forgets what lies before `needed` too. */
  release(frontier: number, needed: number): void {
    this.#emit(this.#source.rawEndAt(frontier))
    this.#source.forget(needed, this.emitted)
  }

  /** Moves the ends of masks whose tails have grown. */
  grow(): void {
    if (this.#growing.length === 0) return
    let kept = 0
    for (const match of this.#growing) {
      this.#growMask(match.end)
      if (match.open) this.#growing[kept++] = match
    }
    this.#growing.length = kept
    this.pending = this.#matches.length + kept
  }

  #leftmost(): Match | undefined {
    let best: Match | undefined
    for (const match of this.#matches) if (best === undefined || this.#precedes(match, best)) best = match
    return best
  }

  /** Leftmost, then longest, then first by priority. */
  #precedes(a: Match, b: Match): boolean {
    if (a.start !== b.start) return a.start < b.start
    if (a.decided !== b.decided) return a.decided > b.decided
    const { priorities } = this.#program.automaton
    const [first, second] = [priorities[a.rule] as number, priorities[b.rule] as number]
    return first === second ? a.rule < b.rule : first < second
  }

  #finding({ rule, start, end }: Pick<Match, 'rule' | 'start' | 'end'>): GrowingFinding {
    const { entity, recognizer } = this.#program.automaton.rules[
      rule
    ] as Program['automaton']['rules'][number]
    return {
      entity,
      recognizer: recognizer.id,
      action: this.#program.actions[rule] as Action,
      start: this.#source.rawAt(start),
      end: this.#source.rawEndAt(end),
    }
  }

  #write(match: Match): void {
    if (match.start >= this.#maskEnd) {
      const found = this.#finding(match)
      this.#emit(found.start)
      this.#output.mask(found, match.open ? undefined : this.#source.slice(found.start, found.end))
      this.#last = found
      this.found.add(found)
    }
    this.#growMask(match.end)
    if (match.open) this.#growing.push(match)
  }

  #growMask(end: number): void {
    if (end <= this.#maskEnd) return
    this.#maskEnd = end
    const raw = this.#source.rawEndAt(end)
    this.emitted = Math.max(this.emitted, raw)
    if (this.#last !== undefined) this.#last.end = raw
  }

  #emit(limit: number): void {
    if (limit <= this.emitted) return
    this.#output.text(this.#source.slice(this.emitted, limit))
    this.emitted = limit
  }
}
