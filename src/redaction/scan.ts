/**
 * The scanner: one code unit at a time, the same for a whole prompt and for a stream of tokens.
 *
 * A *thread* is one run of the automaton from one start. `start <= position` for each; `emitted` is how far the
 * output has got in the input. The text is masked where the union of all valid matches lies (a match: the longest
 * valid one of a start); matches that overlap become one mask, labeled by the leftmost, then longest, then first rule.
 * Rules and validators read the text folded (fold.ts) and without what is invisible (invisible.ts).
 *
 * 1. Every decision is a function of the text up to a code unit, never of how it was cut into pushes.
 * 2. What has left is exactly the input up to min(position, starts of live threads), masked; it never moves back.
 * 3. No code unit of a match leaves: a thread holds from its start on, and outlives the match until it is decided.
 * 4. A thread is never longer than its longest rule and `invisibleUnitsMax`; so is `held`, but for the right edge.
 * 5. A certain match is masked at once; its tail is swallowed in O(1) memory.
 * 6. An entity whose action is `allow` neither masks nor hides what another entity matches.
 * 7. Surrogate pairs are never cut.
 * 8. After a match with the action `block` nothing leaves.
 */
import { type Automaton, edgeFlag, headIndex, type Program, stateFlag } from './automaton.ts'
import { symbolOf } from './compiler/char-set.ts'
import type { Action, Finding, Found } from './finding.ts'
import { fold } from './fold.ts'
import { invisibleUnitsMax, isInvisible } from './invisible.ts'
import { type Output, Rewriter } from './rewrite.ts'
import { isHighSurrogate } from './surrogate.ts'
import { Tails } from './tails.ts'
import { beginThread, type Thread } from './thread.ts'

export class Scanner {
  blocked: Finding | undefined
  /** Thread steps taken: the measure of work. */
  steps = 0
  readonly #automaton: Automaton
  readonly #actions: readonly Action[]
  readonly #lengths: Uint16Array
  readonly #rewriter: Rewriter
  readonly #tails: Tails
  #threads: Thread[] = []
  readonly #idle: Thread[] = []
  #position = 0
  /** The position after the last visible code unit. */
  #seenEnd = 0
  /** The last code unit that was taken. */
  #unit = 0
  #near: number
  #far: number
  #headBits = 0

  constructor({ automaton, actions, lengths }: Program, output: Output) {
    this.#automaton = automaton
    this.#actions = actions
    this.#lengths = lengths
    this.#rewriter = new Rewriter(output, (rule) => this.#entity(rule))
    this.#tails = new Tails(automaton)
    this.#near = automaton.edge
    this.#far = automaton.edge
  }

  /** Code units taken and not yet put out. */
  get held(): number {
    return this.#position - this.#rewriter.emitted
  }

  get found(): Found {
    return this.#rewriter.found
  }

  /** How far the output has got. */
  get emitted(): number {
    return this.#rewriter.emitted
  }

  /** Takes text; call `drain` for what may leave. */
  feed(chunk: string): void {
    if (this.blocked !== undefined) return
    const folded = fold(chunk)
    this.#rewriter.append(chunk, folded)
    const { classes } = this.#automaton
    for (let index = 0; index < chunk.length && this.blocked === undefined; index++) {
      this.#unit = folded.charCodeAt(index)
      if (isInvisible(this.#unit)) this.#pass()
      else this.#advance(classes[symbolOf(this.#unit)] as number)
    }
  }

  /** Puts out the longest prefix that no continuation can change. */
  drain(): void {
    if (this.blocked !== undefined) return
    const frontier = this.#frontier()
    const pairMayFollow = frontier === this.#position && isHighSurrogate(this.#unit)
    this.#rewriter.release(pairMayFollow ? Math.max(frontier - 1, this.#rewriter.emitted) : frontier)
  }

  /** The text ends here: decides everything and puts it out. What is fed next begins at an edge. */
  finish(): void {
    for (const thread of this.#threads) this.#expire(thread)
    this.#threads = []
    this.#headBits = 0
    this.#tails.endAll()
    if (this.blocked !== undefined) return
    this.#rewriter.settle(this.#position)
    this.skip(0)
  }

  /** Counts code units that are not scanned; only where nothing is held, right after `finish`. */
  skip(units: number): void {
    this.#position += units
    this.#seenEnd = this.#position
    this.#unit = 0
    this.#rewriter.restart(this.#position)
    this.#near = this.#automaton.edge
    this.#far = this.#automaton.edge
  }

  #advance(symbol: number): void {
    const { gates, shift } = this.#automaton
    if (this.#tails.size > 0) this.#tails.advance(symbol, this.#unit, this.#position)
    // A run that has a thread in its head state needs no second one: the first covers it.
    const launching = (gates[(this.#near << shift) | symbol] as number) & ~this.#headBits
    if (launching !== 0) this.#launch(symbol, launching)
    if (this.#threads.length > 0) this.#stepAll(symbol)
    this.#far = this.#near
    this.#near = symbol
    this.#position++
    this.#seenEnd = this.#position
    if (this.#rewriter.pending > 0) this.#rewriter.settle(this.#frontier())
  }

  /** An invisible code unit: threads wait where they are, and what has outgrown its length is decided. */
  #pass(): void {
    const { heads } = this.#automaton
    if (this.#tails.size > 0) this.#tails.pass(this.#position)
    this.#position++
    this.steps += this.#threads.length
    this.#threads = this.#threads.filter((thread) => this.#outlives(thread) || this.#expire(thread))
    this.#headBits = this.#threads.reduce((bits, { state }) => bits | (heads[state] as number), 0)
    if (this.#rewriter.pending > 0) this.#rewriter.settle(this.#frontier())
  }

  #outlives(thread: Thread): boolean {
    if (thread.unseen < invisibleUnitsMax) {
      thread.unseen++
      return true
    }
    const length = this.#lengths[thread.state] as number
    if (this.#position - thread.start - thread.unseen <= length) return true
    const head = this.#automaton.heads[thread.state] as number
    return head !== 0 && length !== 0 && this.#slide(thread, headIndex(head))
  }

  /** Nothing more can come: decides a thread as if the text ended. */
  #expire(thread: Thread): false {
    const { edge, flags } = this.#automaton
    if (thread.waitEnd >= 0) this.#decideWait(thread, edge)
    if (((flags[thread.state] as number) & stateFlag.accepts) !== 0) this.#accept(thread, edge)
    this.#retire(thread)
    return false
  }

  #launch(symbol: number, launching: number): void {
    const { table, shift, launches, classCount } = this.#automaton
    const context = this.#far * classCount + this.#near
    for (let index = 0; index < launches.length; index++) {
      if ((launching & (1 << index)) === 0) continue
      const state = launches[index]?.starts[context] as number
      if (table[(state << shift) | symbol] === 0) continue
      this.#threads.push(beginThread(this.#idle.pop(), this.#position, state))
    }
  }

  #stepAll(symbol: number): void {
    const threads = this.#threads
    const { heads } = this.#automaton
    let kept = 0
    let headBits = 0
    for (let index = 0; index < threads.length; index++) {
      const thread = threads[index] as Thread
      if (this.#step(thread, symbol)) {
        if (kept !== index) threads[kept] = thread
        kept++
        headBits |= heads[thread.state] as number
      } else {
        this.#retire(thread)
      }
    }
    threads.length = kept
    this.#headBits = headBits
  }

  #step(thread: Thread, symbol: number): boolean {
    const { flags } = this.#automaton
    this.steps++
    if (thread.waitEnd >= 0) this.#decideWait(thread, symbol)
    if (thread.state !== 0) {
      if (((flags[thread.state] as number) & stateFlag.accepts) !== 0) this.#accept(thread, symbol)
      thread.state = this.#next(thread, symbol)
      if (((flags[thread.state] as number) & stateFlag.sure) !== 0) this.#certain(thread)
    }
    return thread.state !== 0 || thread.waitEnd >= 0
  }

  #next(thread: Thread, symbol: number): number {
    const { table, shift, heads } = this.#automaton
    const state = table[(thread.state << shift) | symbol] as number
    if (state === 0 || this.#position + 1 - thread.start - thread.unseen <= (this.#lengths[state] as number))
      return state
    const head = heads[state] as number
    return head !== 0 && this.#lengths[state] !== 0 && this.#slide(thread, headIndex(head)) ? state : 0
  }

  /** Moves the start of a run that has outgrown its head to the next possible first character. */
  #slide(thread: Thread, launch: number): boolean {
    const { classes, launches } = this.#automaton
    const first = launches[launch]?.head?.first as Uint8Array
    const at = (position: number) => classes[symbolOf(this.#rewriter.unitAt(position))] as number
    do {
      if (isInvisible(this.#rewriter.unitAt(thread.start)) && thread.unseen > 0) thread.unseen--
      thread.start++
    } while (thread.start <= this.#position && first[at(thread.start)] === 0)
    return thread.start <= this.#position
  }

  /** The thread is in an accepting state, and `symbol` is what follows. */
  #accept(thread: Thread, symbol: number): void {
    const { accepts, edges, classCount } = this.#automaton
    for (const rule of accepts[thread.state] as readonly number[]) {
      const bits = edges[rule * classCount + symbol] as number
      if ((bits & edgeFlag.forbidden) !== 0) continue
      if ((bits & edgeFlag.near) === 0) {
        this.#candidate(thread, rule, this.#seenEnd)
      } else {
        thread.waitEnd = this.#seenEnd
        thread.waitState = thread.state
        thread.waitNear = symbol
      }
    }
  }

  #decideWait(thread: Thread, symbol: number): void {
    const { accepts, edges, classCount } = this.#automaton
    for (const rule of accepts[thread.waitState] as readonly number[]) {
      const near = edges[rule * classCount + thread.waitNear] as number
      const waited = (near & (edgeFlag.near | edgeFlag.forbidden)) === edgeFlag.near
      const far = edges[rule * classCount + symbol] as number
      if (waited && (far & edgeFlag.far) === 0) this.#candidate(thread, rule, thread.waitEnd)
    }
    thread.waitEnd = -1
  }

  #isValid(thread: Thread, rule: number, end: number): boolean {
    const { lengthMax, validate } = this.#automaton.rules[rule] as Automaton['rules'][number]
    if (this.#actions[rule] === 'allow' || end - thread.start - thread.unseen > lengthMax) return false
    return validate === undefined || this.#rewriter.check(validate, thread.start, end)
  }

  #candidate(thread: Thread, rule: number, end: number): void {
    const blocks = this.#actions[rule] === 'block'
    const better = end > thread.end || (end === thread.end && rule < thread.rule)
    if (!(better || blocks) || !this.#isValid(thread, rule, end)) return
    if (blocks) this.#block(rule, thread.start, end)
    thread.end = end
    thread.rule = rule
  }

  /** The thread is in a state in which a rule is certain: it ends here, and the tail goes on without it. */
  #certain(thread: Thread): void {
    const { sures, rules } = this.#automaton
    const end = this.#position + 1
    const rule = (sures[thread.state] as readonly number[]).find((rule) => this.#isValid(thread, rule, end))
    if (rule === undefined) return
    thread.state = 0
    thread.end = thread.waitEnd = -1
    const { closes, entity } = rules[rule] as Automaton['rules'][number]
    const match = { rule, start: thread.start, end, open: true }
    if (closes) this.#tails.endBlocks(entity)
    else if (this.#actions[rule] === 'block') this.#block(rule, match.start, end)
    else if (this.#tails.begin(match) === match) this.#rewriter.add(match)
  }

  #retire(thread: Thread): void {
    const { rule, start, end } = thread
    if (end >= 0 && this.#actions[rule] !== 'block') this.#rewriter.add({ rule, start, end, open: false })
    this.#idle.push(thread)
  }

  #block(rule: number, start: number, end: number): void {
    if (this.blocked !== undefined) return
    this.blocked = { entity: this.#entity(rule), action: 'block', start, end }
    this.#rewriter.found.add({ ...this.blocked })
  }

  #entity(rule: number): string {
    return (this.#automaton.rules[rule] as Automaton['rules'][number]).entity
  }

  #frontier(): number {
    let frontier = this.#tails.size === 0 ? this.#position : Math.min(this.#position, this.#tails.frontier)
    for (const { start } of this.#threads) if (start < frontier) frontier = start
    return frontier
  }
}
