/**
 * Steps the threads of a scanner and judges where they end. A match counts when its right edge, length, score, context
 * and validator agree; the longest of a thread is kept until the thread is over. What blocks does so at once; what is
 * certain is handed on at once, with its tail.
 */
import {
  type Automaton,
  EDGE,
  edgeFlag,
  type Machine,
  type Program,
  type Reach,
  scoring,
} from './automaton.ts'
import { ContextReader, hasList } from './context.ts'
import type { Action, Finding } from './finding.ts'
import type { Rewriter } from './rewrite.ts'
import type { Source } from './source.ts'
import { Tails } from './tails.ts'
import { Threads } from './threads.ts'

/** The class of a symbol, or of the edge of the channel. */
const classAt = (machine: Machine, symbol: number): number =>
  symbol === EDGE ? machine.edge : (machine.classes[symbol] as number)

export class Matcher {
  readonly threads = new Threads()
  readonly tails: Tails
  blocked: Finding | undefined
  /** Thread steps taken: the measure of work. */
  steps = 0
  /** The place of the code unit that is being taken. */
  position = 0
  readonly #program: Program
  readonly #automaton: Automaton
  readonly #source: Source
  readonly #rewriter: Rewriter
  readonly #context: ContextReader

  constructor(program: Program, source: Source, rewriter: Rewriter) {
    this.#program = program
    this.#automaton = program.automaton
    this.#source = source
    this.#rewriter = rewriter
    this.tails = new Tails(program.automaton)
    this.#context = new ContextReader(program.automaton.contexts, source)
  }

  /** Takes `symbol` at the position in every thread. */
  step(symbol: number): void {
    const threads = this.threads
    const { machines } = this.#automaton
    const { reach } = this.#program
    const { count, machine: machineOf, state: states, start: starts, waitEnd } = threads
    this.steps += count
    let kept = 0
    for (let index = 0; index < count; index++) {
      const at = machineOf[index] as number
      const { table, shift, classes, flags } = machines[at] as Machine
      const { lengths, ripe } = reach[at] as Reach
      const state = states[index] as number
      const length = this.position - (starts[index] as number)
      if (waitEnd[index] !== -1) this.#decideWait(index, symbol)
      if (length >= (ripe[state] as number)) this.#accept(index, symbol)
      let next = table[(state << shift) | (classes[symbol] as number)] as number
      if (next !== 0 && length >= (lengths[next] as number)) next = 0
      if (flags[next] !== 0 && length + 1 >= (ripe[next] as number) && this.#certain(index, next)) next = 0
      states[index] = next
      if (next === 0 && waitEnd[index] === -1) this.#retire(index)
      else threads.move(index, kept++)
    }
    threads.count = kept
  }

  /** Nothing more can come: decides every thread as if the text ended at the position. */
  expire(): void {
    const { threads } = this
    for (let index = 0; index < threads.count; index++) {
      if (threads.waitEnd[index] !== -1) this.#decideWait(index, EDGE)
      this.#accept(index, EDGE)
      this.#retire(index)
    }
    threads.count = 0
    this.tails.endAll()
  }

  #machine(index: number): Machine {
    return this.#automaton.machines[this.threads.machine[index] as number] as Machine
  }

  /** The thread may be in an accepting state, and `symbol` is what follows. */
  #accept(index: number, symbol: number): void {
    const threads = this.threads
    const machine = this.#machine(index)
    const state = threads.state[index] as number
    const neighbor = classAt(machine, symbol)
    for (const rule of machine.accepts[state] as readonly number[]) {
      const bits = machine.edges[rule * machine.classCount + neighbor] as number
      if ((bits & edgeFlag.forbidden) !== 0) continue
      if ((bits & edgeFlag.near) === 0) {
        this.#candidate(index, rule, this.position)
      } else {
        threads.waitEnd[index] = this.position
        threads.waitState[index] = state
        threads.waitNear[index] = neighbor
      }
    }
  }

  #decideWait(index: number, symbol: number): void {
    const threads = this.threads
    const machine = this.#machine(index)
    const end = threads.waitEnd[index] as number
    for (const rule of machine.accepts[threads.waitState[index] as number] as readonly number[]) {
      const near = machine.edges[rule * machine.classCount + (threads.waitNear[index] as number)] as number
      const waited = (near & (edgeFlag.near | edgeFlag.forbidden)) === edgeFlag.near
      const far = machine.edges[rule * machine.classCount + classAt(machine, symbol)] as number
      if (waited && (far & edgeFlag.far) === 0) this.#candidate(index, rule, end)
    }
    threads.waitEnd[index] = -1
  }

  #numberOf(index: number, rule: number): number {
    return (this.#automaton.bases[this.threads.machine[index] as number] as number) + rule
  }

  /** `rule` is its number in the machine. */
  #candidate(index: number, rule: number, end: number): void {
    const threads = this.threads
    const number = this.#numberOf(index, rule)
    const action = this.#program.actions[number] as Action
    if (action === 'allow') return
    const isShadow = action === 'shadow'
    const [ends, rules] = isShadow ? [threads.shadowEnd, threads.shadowRule] : [threads.end, threads.rule]
    const best = ends[index] as number
    const isBetter = end > best || (end === best && number < (rules[index] as number))
    if (!(isBetter || action === 'block') || !this.#isValid(number, threads.start[index] as number, end))
      return
    if (action === 'block') this.#block(number, threads.start[index] as number, end)
    ends[index] = end
    rules[index] = number
  }

  #isValid(number: number, start: number, end: number): boolean {
    const rule = this.#automaton.rules[number] as Automaton['rules'][number]
    if (end - start > rule.lengthMax || end - start < rule.lengthMin) return false
    const needsContext = this.#program.needs[number] === scoring.context
    if (needsContext && !hasList(this.#context.before(start), number)) return false
    const text = this.#source.text
    const [from, to] = [this.#source.at(start), this.#source.at(end)]
    if (rule.exact !== undefined && !rule.exact.test(text.slice(from, to))) return false
    if (rule.validate !== undefined && !rule.validate(text, from, to)) return false
    const { allowed } = this.#program
    return allowed.size === 0 || !allowed.has(text.slice(from, to).toLowerCase())
  }

  /** The thread comes into a state in which a rule is certain: it ends here, and the tail goes on without it. */
  #certain(index: number, state: number): boolean {
    const threads = this.threads
    const start = threads.start[index] as number
    const end = this.position + 1
    for (const rule of this.#machine(index).sures[state] as readonly number[]) {
      const number = this.#numberOf(index, rule)
      const action = this.#program.actions[number] as Action
      if (action === 'allow' || !this.#isValid(number, start, end)) continue
      if (action === 'shadow') {
        threads.shadowEnd[index] = end
        threads.shadowRule[index] = number
        continue
      }
      this.#begins(number, start, end)
      threads.end[index] = -1
      threads.waitEnd[index] = -1
      return true
    }
    return false
  }

  #begins(number: number, start: number, end: number): void {
    const { closes, entity } = this.#automaton.rules[number] as Automaton['rules'][number]
    const match = { rule: number, start, end, decided: end, open: true }
    if (closes) this.tails.endBlocks(entity)
    else if (this.#program.actions[number] === 'block') this.#block(number, start, end)
    else if (this.tails.begin(match) === match) this.#rewriter.add(match)
  }

  #retire(index: number): void {
    const threads = this.threads
    const start = threads.start[index] as number
    const end = threads.end[index] as number
    const rule = threads.rule[index] as number
    if (end !== -1 && this.#program.actions[rule] !== 'block')
      this.#rewriter.add({ rule, start, end, decided: end, open: false })
    const shadowEnd = threads.shadowEnd[index] as number
    if (shadowEnd !== -1) this.#rewriter.note(threads.shadowRule[index] as number, start, shadowEnd)
  }

  #block(rule: number, start: number, end: number): void {
    this.blocked ??= this.#rewriter.note(rule, start, end)
  }
}
