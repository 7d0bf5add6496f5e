import { type Automaton, tailFlag } from './automaton.ts'
import type { Tail } from './recognizer.ts'

/** A decided match. While it is `open`, its tail still moves `end` forward. */
export interface Match {
  readonly rule: number
  readonly start: number
  /** Its end when it was decided: before its tail. */
  readonly decided: number
  end: number
  open: boolean
}

interface OpenTail {
  readonly match: Match
  /** Code units since the tail last saw what it lives on: a member (`run`) or a long enough run (`block`). */
  gap: number
  run: number
}

/** The tails of certain matches that still swallow: at most one for each rule, a few words of memory each. */
export class Tails {
  readonly #automaton: Automaton
  #open: OpenTail[] = []

  constructor(automaton: Automaton) {
    this.#automaton = automaton
  }

  get size(): number {
    return this.#open.length
  }

  /** How far the output may go while a joiner waits for what follows it. */
  get frontier(): number {
    let frontier = Number.POSITIVE_INFINITY
    for (const { match } of this.#open) if (match.end < frontier) frontier = match.end
    return frontier
  }

  /** Begins the tail of a match, or joins it to a tail of the same rule, which it then lies in. */
  begin(match: Match): Match {
    const same = this.#open.find((tail) => tail.match.rule === match.rule)
    if (same === undefined) {
      this.#open.push({ match, gap: 0, run: 0 })
      return match
    }
    same.match.end = match.end
    same.gap = 0
    return same.match
  }

  /** Takes the code unit at `position`; tails that end there are closed. */
  advance(symbol: number, position: number): void {
    let kept = 0
    for (const tail of this.#open) {
      if (this.#grows(tail, symbol, position)) this.#open[kept++] = tail
      else tail.match.open = false
    }
    this.#open.length = kept
  }

  #flagsOf(rule: number, symbol: number): number {
    const { machines, machineOf, bases } = this.#automaton
    const at = machineOf[rule] as number
    const { tails, classCount, classes } = machines[at] as Automaton['machines'][number]
    return tails[(rule - (bases[at] as number)) * classCount + (classes[symbol] as number)] as number
  }

  #grows(tail: OpenTail, symbol: number, position: number): boolean {
    const flags = this.#flagsOf(tail.match.rule, symbol)
    const kind = this.#automaton.rules[tail.match.rule]?.tail as Tail
    if (kind.kind === 'block') {
      tail.run = (flags & tailFlag.member) === 0 ? 0 : tail.run + 1
      tail.gap = tail.run >= kind.runMin ? 0 : tail.gap + 1
      tail.match.end = position + 1
      return tail.gap < kind.gapMax
    }
    if ((flags & tailFlag.member) !== 0) {
      tail.gap = 0
      tail.match.end = position + 1
      return true
    }
    return (flags & tailFlag.joiner) !== 0 && ++tail.gap === 1
  }

  /** Ends the block tails of an entity. */
  endBlocks(entity: string): void {
    const { rules } = this.#automaton
    this.#open = this.#open.filter(({ match }) => {
      const rule = rules[match.rule]
      match.open = rule?.tail?.kind !== 'block' || rule.entity !== entity
      return match.open
    })
  }

  /** Ends every tail: the channel is over. */
  endAll(): void {
    for (const { match } of this.#open) match.open = false
    this.#open = []
  }
}
