/**
 * The scanner: one code unit at a time, the same for a whole prompt and for a stream of tokens.
 *
 * A *thread* is one run of a machine from one start (threads.ts). Places count the text as the rules read it
 * (source.ts). The text is masked where the union of all valid matches lies (a match: the longest valid one of a
 * start); matches that overlap become one mask, labeled by the leftmost, then longest, then first rule.
 *
 * 1. Every decision is a function of the text up to a code unit, never of how it was cut into pushes.
 * 2. What has left is exactly the input up to min(position, starts of live threads and heads), masked; it never moves back.
 * 3. No code unit of a match leaves: a thread holds from its start on, and outlives the match until it is decided.
 * 4. A thread is never longer than its longest rule; so is `held`, but for the right edge, in read code units.
 * 5. A certain match is masked at once; its tail is swallowed in O(1) memory.
 * 6. A rule whose action is `allow` or `shadow` neither masks nor hides what another rule matches.
 * 7. Surrogate pairs and escapes are never cut: they are one read code unit.
 * 8. After a match with the action `block` nothing leaves.
 * 9. A guard and a context look left only, into at most `leftContextUnits` of read text.
 */
import type { Automaton, Head, Program, ReadyLaunch } from './automaton.ts'
import { CodeUnits } from './code-units.ts'
import { symbolOf } from './compiler/char-set.ts'
import type { Finding, Found } from './finding.ts'
import { HeadRun, headStart } from './head-run.ts'
import { Matcher } from './matcher.ts'
import { type Guard, leftContextUnits } from './recognizer.ts'
import { type Output, Rewriter } from './rewrite.ts'
import { Source } from './source.ts'
import { endBefore } from './word-ends.ts'

/** So much text is scanned in one go. */
const blockUnits = 1 << 14

/**
 * The symbols of the block that is being scanned: they are looked at several times, and text is slower to read. What
 * takes the output may scan as well (a number in JSON), in the middle of a block: every scan under way has its own.
 */
let symbols = new Uint16Array(0)
const idle: CodeUnits[] = []

/** Makes symbols of code units; those of ASCII are the same. */
function narrow(units: Uint16Array, count: number): void {
  for (let index = 0; index < count; index++) units[index] = symbolOf(units[index] as number)
}

/** How far a launch looks ahead before a thread begins. */
const probeUnits = 12

export class Scanner {
  readonly #program: Program
  readonly #automaton: Automaton
  readonly #source = new Source()
  readonly #rewriter: Rewriter
  readonly #matcher: Matcher
  /** The gate classes of what stands to the left of the position, and left of that. */
  #near: number
  #far: number
  /** Where the text began that heads may reach into. */
  #began = 0
  readonly #runs: readonly HeadRun[]
  /** What came last, as it is read. */
  #taken = ''
  /** Whether a code unit needs more than a look at its gate. */
  #busy = false

  constructor(program: Program, output: Output) {
    this.#program = program
    this.#automaton = program.automaton
    this.#rewriter = new Rewriter(output, this.#source, program)
    this.#runs = program.heads.map((head) => new HeadRun(head, this.#source))
    this.#matcher = new Matcher(program, this.#source, this.#rewriter)
    this.#near = program.automaton.gateEdge
    this.#far = program.automaton.gateEdge
  }

  get blocked(): Finding | undefined {
    return this.#matcher.blocked
  }

  /** Raw code units taken and not yet put out. */
  get held(): number {
    return this.#source.rawEnd - this.#rewriter.emitted
  }

  get found(): Found {
    return this.#rewriter.found
  }

  /** How far the output has got, in raw code units. */
  get emitted(): number {
    return this.#rewriter.emitted
  }

  /** Thread steps taken: the measure of work. */
  get steps(): number {
    return this.#matcher.steps
  }

  /** Takes text; call `drain` for what may leave. */
  feed(chunk: string): void {
    if (this.blocked !== undefined) return
    this.#taken = this.#source.append(chunk)
    this.#scan(this.#taken)
  }

  #scan(text: string): void {
    const outer = symbols
    const own = idle.pop() ?? new CodeUnits(blockUnits)
    try {
      for (let from = 0; from < text.length && this.blocked === undefined; from += blockUnits) {
        const count = Math.min(blockUnits, text.length - from)
        symbols = own.of(count === text.length ? text : text.slice(from, from + count))
        if (!this.#source.isLastAscii) narrow(symbols, count)
        this.#scanBlock(count)
      }
    } finally {
      symbols = outer
      idle.push(own)
    }
  }

  /** Puts out the longest prefix that no continuation can change. */
  drain(): void {
    if (this.blocked !== undefined) return
    const { position } = this.#matcher
    let frontier = this.#undecidedFrom()
    for (const run of this.#runs)
      frontier = Math.min(frontier, run.startAt(position, this.#taken, this.#began))
    this.#rewriter.release(frontier, frontier - leftContextUnits)
  }

  /** The text ends here: decides everything and puts it out. What is fed next begins at an edge. */
  finish(): void {
    if (this.blocked === undefined) this.#scan(this.#source.finish())
    this.#matcher.expire()
    if (this.blocked !== undefined) return
    const { position } = this.#matcher
    this.#rewriter.settle(position)
    this.#rewriter.finish(position - leftContextUnits)
    this.#restart(this.#automaton.gateEdge)
  }

  /** Adds text that is not scanned nor put out, to the left of what follows; only right after `finish`. */
  skip(text: string): void {
    if (this.blocked !== undefined) return
    this.#source.skip(text)
    this.#matcher.position = this.#source.end
    this.#rewriter.emitted = this.#source.rawEnd
    this.#restart(this.#automaton.gateClasses[symbolOf(text.charCodeAt(text.length - 1))] as number)
  }

  #restart(near: number): void {
    this.#near = near
    this.#far = this.#automaton.gateEdge
    this.#began = this.#matcher.position
    this.#taken = ''
    this.#busy = false
  }

  /** Scans what stands in `symbols`. */
  #scanBlock(count: number): void {
    const { gateShift, gateClasses } = this.#automaton
    const { first, isBlank } = this.#program.gates
    const base = this.#matcher.position
    let far = this.#far
    let near = this.#near
    for (let index = 0; index < count; index++) {
      const symbol = symbols[index] as number
      const gate = gateClasses[symbol] as number
      let bits = first[(near << gateShift) | gate] as number
      if (bits !== 0) bits &= this.#ahead(index, count, gate)
      if (bits !== 0 && isBlank[near] === 1) bits &= this.#behind(base + index)
      if (bits !== 0 || this.#busy) {
        this.#matcher.position = base + index
        if (bits !== 0) {
          this.#near = near
          this.#far = far
          this.#launch(index, count, bits)
        }
        this.#advance(symbol)
        if (this.#matcher.blocked !== undefined) return
      }
      far = near
      near = gate
    }
    this.#near = near
    this.#far = far
    this.#matcher.position = base + count
  }

  /** Bits of the launches that the next two code units leave open, as far as they have come. */
  #ahead(index: number, count: number, gate: number): number {
    if (index + 1 >= count) return -1
    const { gateShift, gateClasses } = this.#automaton
    const { second, third } = this.#program.gates
    const next = gateClasses[symbols[index + 1] as number] as number
    const bits = second[(gate << gateShift) | next] as number
    if (bits === 0 || index + 2 >= count) return bits
    const after = gateClasses[symbols[index + 2] as number] as number
    return bits & (third[(next << gateShift) | after] as number)
  }

  /** Bits of the launches that the word before leaves open: in prose, few guards have to be asked. */
  #behind(position: number): number {
    const end = endBefore(this.#source.text, this.#source.at(position))
    return end === -1 ? -1 : (this.#program.gates.words[end] as number)
  }

  /** Takes the code unit at the position. */
  #advance(symbol: number): void {
    const matcher = this.#matcher
    if (matcher.tails.size > 0) matcher.tails.advance(symbol, matcher.position)
    if (matcher.threads.count > 0) matcher.step(symbol)
    matcher.position++
    if (this.#rewriter.undecided) this.#rewriter.settle(this.#frontier())
    else if (this.#rewriter.pending > 0) this.#rewriter.grow()
    this.#busy = matcher.threads.count > 0 || matcher.tails.size > 0 || this.#rewriter.pending > 0
  }

  #launch(index: number, count: number, launching: number): void {
    const { launches } = this.#program
    for (let bits = launching; bits !== 0; bits &= bits - 1)
      for (const launch of launches[31 - Math.clz32(bits & -bits)] as readonly ReadyLaunch[])
        this.#begin(index, count, launch)
  }

  #begin(index: number, count: number, launch: ReadyLaunch): void {
    const { looksFurther, starts, guard, head } = launch
    const left = looksFurther ? (this.#far << this.#automaton.gateShift) | this.#near : this.#near
    const state = starts[left] as number
    if (state === 0) return
    const { position } = this.#matcher
    // Where the word before has let a guard through, it may look at a lot: it comes last.
    if (!this.#survives(index, count, launch, state)) return
    if (guard !== undefined && head === undefined && !this.#allows(guard, position)) return
    const start = head === undefined ? position : this.#runStart(head)
    if (head !== undefined && start === position) return
    if (guard !== undefined && head !== undefined && !this.#allows(guard, start)) return
    this.#matcher.threads.begin(launch.machine, start, state)
  }

  #allows(guard: Guard, start: number): boolean {
    const { text } = this.#source
    const at = this.#source.at(start)
    return guard(text, at) && (guard.outlook === undefined || guard.outlook(text, at, text.length))
  }

  /** Looks ahead: most threads die within a few code units and leave no trace, so they need not begin. */
  #survives(from: number, count: number, launch: ReadyLaunch, start: number): boolean {
    const { table, shift, classes, ripe } = launch
    const end = Math.min(count, from + probeUnits)
    let state = start
    let index = from
    while (index < end) {
      state = table[(state << shift) | (classes[symbols[index++] as number] as number)] as number
      if (index - from >= (ripe[state] as number)) break
    }
    this.#matcher.steps += index - from
    return launch.lengths[state] !== 0
  }

  #runStart(head: Head): number {
    return headStart(head, this.#source, this.#matcher.position, this.#began)
  }

  #frontier(): number {
    let frontier = this.#undecidedFrom()
    for (const head of this.#program.heads) frontier = Math.min(frontier, this.#runStart(head))
    return frontier
  }

  /** Where the leftmost live thread or tail is. */
  #undecidedFrom(): number {
    const { position, tails, threads } = this.#matcher
    let frontier = tails.size > 0 ? Math.min(position, tails.frontier) : position
    const { count, start } = threads
    for (let index = 0; index < count; index++) frontier = Math.min(frontier, start[index] as number)
    return frontier
  }
}
