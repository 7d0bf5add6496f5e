/**
 * Steps the threads of a scanner and judges where they end. A match counts when its right edge, length, score, context
 * and validator agree; the longest of a thread is kept until the thread is over. What blocks does so at once; what is
 * certain is handed on at once, with its tail.
 */
import {
  type Automaton,
  edgeFlag,
  type Machine,
  type Program,
  type Reach,
  scoring,
  stateFlag,
} from './automaton.ts'
import { ContextReader, hasList } from './context.ts'
import type { Action, Finding } from './finding.ts'
import type { Rewriter } from './rewrite.ts'
import type { Source } from './source.ts'
import { Tails } from './tails.ts'
import { Threads } from './threads.ts'

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
    const { count, machine: machineOf, state: states, waitEnd } = threads
    this.steps += count
    let kept = 0
    // Threads of one machine mostly stand side by side.
    let at = -1
    let machine = machines[0] as Machine
    let neighbor = 0
    for (let index = 0; index < count; index++) {
      if (machineOf[index] !== at) {
        at = machineOf[index] as number
        machine = machines[at] as Machine
        neighbor = machine.classes[symbol] as number
      }
      const next = this.#next(index, machine, reach[at] as Reach, neighbor)
      states[index] = next
      if (next === 0 && waitEnd[index] === -1) this.#retire(index)
      else threads.move(index, kept++)
    }
    threads.count = kept
  }

  /** Decides what ends before a code unit of the class `neighbor`, and says which state it leads to. */
  #next(index: number, machine: Machine, { lengths, ripe }: Reach, neighbor: number): number {
    const { start, state, waitEnd } = this.threads
    const from = state[index] as number
    const length = this.position - (start[index] as number)
    if (waitEnd[index] !== -1) this.#decideWait(index, machine, neighbor)
    if (length >= (ripe[from] as number)) this.#accept(index, machine, neighbor)
    const next = machine.table[(from << machine.shift) | neighbor] as number
    if (length >= (lengths[next] as number)) return 0
    const isSure = ((machine.flags[next] as number) & stateFlag.sure) !== 0
    return isSure && length + 1 >= (ripe[next] as number) && this.#certain(index, next) ? 0 : next
  }

  /** Nothing more can come: decides every thread as if the text ended at the position. */
  expire(): void {
    const { threads } = this
    for (let index = 0; index < threads.count; index++) {
      const machine = this.#machine(index)
      if (threads.waitEnd[index] !== -1) this.#decideWait(index, machine, machine.edge)
      this.#accept(index, machine, machine.edge)
      this.#retire(index)
    }
    threads.count = 0
    this.tails.endAll()
  }

  #machine(index: number): Machine {
    return this.#automaton.machines[this.threads.machine[index] as number] as Machine
  }

  /** The thread may be in an accepting state, and something of the class `neighbor` follows. */
  #accept(index: number, { accepts, edges, classCount }: Machine, neighbor: number): void {
    const threads = this.threads
    const state = threads.state[index] as number
    for (const rule of accepts[state] as readonly number[]) {
      const bits = edges[rule * classCount + neighbor] as number
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

  #decideWait(index: number, { accepts, edges, classCount }: Machine, neighbor: number): void {
    const threads = this.threads
    const end = threads.waitEnd[index] as number
    for (const rule of accepts[threads.waitState[index] as number] as readonly number[]) {
      const near = edges[rule * classCount + (threads.waitNear[index] as number)] as number
      const waited = (near & (edgeFlag.near | edgeFlag.forbidden)) === edgeFlag.near
      const far = edges[rule * classCount + neighbor] as number
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
    const ends = isShadow ? threads.shadowEnd : threads.end
    const rules = isShadow ? threads.shadowRule : threads.rule
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
