/**
 * The gates of a profile: by two code units that follow each other, which launches are worth trying. They leave out
 * what the profile is not interested in, so a machine costs a profile nothing where all its rules are allowed.
 */
import type { Automaton, Gates, Machine, PlacedLaunch, Reach } from '../automaton.ts'
import { wordEndsCount } from '../word-ends.ts'

/** For each class, a set of classes that may come after it. */
class ClassPairs {
  readonly #words: number
  readonly #rows: Uint32Array

  constructor(size: number) {
    this.#words = (size + 31) >>> 5
    this.#rows = new Uint32Array(size * this.#words)
  }

  hasAny(left: number): boolean {
    const row = left * this.#words
    for (let word = 0; word < this.#words; word++) if (this.#rows[row + word] !== 0) return true
    return false
  }

  add(left: number, followers: Uint32Array): void {
    const row = left * this.#words
    for (let word = 0; word < this.#words; word++)
      this.#rows[row + word] = (this.#rows[row + word] as number) | (followers[word] as number)
  }

  has(left: number, right: number): boolean {
    return (((this.#rows[left * this.#words + (right >>> 5)] as number) >>> (right & 31)) & 1) === 1
  }
}

/** A launch is worth trying only if each of these says so about two code units that follow each other. */
interface Grams {
  /** The neighbor to the left, and the first code unit. */
  readonly first: ClassPairs
  /** The first and the second. */
  readonly second: ClassPairs
  /** The second and the third. */
  readonly third: ClassPairs
}

/** What can follow in a machine; a state in which something can end leaves everything open. */
class GramReader {
  readonly #machine: Machine
  readonly #reach: Reach
  readonly #size: number
  readonly #followers: (Uint32Array | undefined)[] = []
  readonly #anything: Uint32Array

  constructor(machine: Machine, reach: Reach) {
    this.#machine = machine
    this.#reach = reach
    this.#size = machine.classCount
    this.#anything = new Uint32Array((this.#size + 31) >>> 5).fill(0xffffffff)
  }

  read({ starts, looksFurther }: PlacedLaunch): Grams {
    const size = this.#size
    const contexts = looksFurther ? starts : starts.subarray(0, size)
    const grams = { first: new ClassPairs(size), second: new ClassPairs(size), third: new ClassPairs(size) }
    for (let near = 0; near < size; near++) {
      // What stands beyond the neighbor rarely matters.
      let last = 0
      for (let context = near; context < contexts.length; context += size) {
        const start = contexts[context] as number
        if (start !== last) this.#mark(grams.first, near, start, 0)
        last = start
      }
    }
    const seconds = new Set<number>()
    for (const start of new Set(contexts))
      this.#eachNext(start, (symbol, state) => {
        this.#mark(grams.second, symbol, state, 1)
        seconds.add(state)
      })
    for (const state of seconds)
      if (this.#isOpen(state, 1))
        for (let symbol = 0; symbol < size; symbol++) grams.third.add(symbol, this.#anything)
      else this.#eachNext(state, (symbol, next) => this.#mark(grams.third, symbol, next, 2))
    return grams
  }

  #next(state: number, symbol: number): number {
    const next = this.#machine.table[(state << this.#machine.shift) | symbol] as number
    return this.#reach.lengths[next] === 0 ? 0 : next
  }

  #eachNext(state: number, take: (symbol: number, next: number) => void): void {
    if (this.#reach.lengths[state] === 0) return
    for (let symbol = 0; symbol < this.#size; symbol++) {
      const next = this.#next(state, symbol)
      if (next !== 0) take(symbol, next)
    }
  }

  /** Whether a rule can end in a state that was reached by so many code units. */
  #isOpen(state: number, length: number): boolean {
    return (this.#reach.ripe[state] as number) <= length
  }

  /** Notes which classes can come after `left`, in a state that so many code units led to. */
  #mark(pairs: ClassPairs, left: number, state: number, length: number): void {
    if (this.#reach.lengths[state] === 0) return
    pairs.add(left, this.#isOpen(state, length) ? this.#anything : this.#followersOf(state))
  }

  #followersOf(state: number): Uint32Array {
    const known = this.#followers[state]
    if (known !== undefined) return known
    const followers = new Uint32Array((this.#size + 31) >>> 5)
    this.#eachNext(state, (symbol) => {
      followers[symbol >>> 5] = (followers[symbol >>> 5] as number) | (1 << (symbol & 31))
    })
    this.#followers[state] = followers
    return followers
  }
}

/** The class that each gate class has in a machine, that of the edge last. */
export function machineClasses({ gateClasses, gateEdge }: Automaton, machine: Machine): Uint8Array {
  const classes = new Uint8Array(gateEdge + 1)
  for (const [symbol, gate] of gateClasses.entries()) classes[gate] = machine.classes[symbol] as number
  classes[gateEdge] = machine.edge
  return classes
}

function headEnds({ gateClasses, gateEdge }: Automaton, { head }: PlacedLaunch): Uint8Array {
  const ends = new Uint8Array(gateEdge + 1)
  if (head === undefined) return ends.fill(1)
  // The pattern behind a head begins where its run ends.
  for (const [symbol, gate] of gateClasses.entries()) ends[gate] = head.rest[symbol] as number
  return ends
}

/** Sets the bit of a launch in the gates. */
function addLaunch(gates: Gates, automaton: Automaton, launch: PlacedLaunch, grams: Grams): void {
  const classes = machineClasses(automaton, automaton.machines[launch.machine] as Machine)
  const ends = headEnds(automaton, launch)
  const bit = 1 << launch.bit
  const set = (table: Uint32Array, pairs: ClassPairs, isLeft: (left: number) => boolean): void => {
    for (let left = 0; left < classes.length; left++) {
      const leftClass = classes[left] as number
      if (!isLeft(left) || !pairs.hasAny(leftClass)) continue
      for (let right = 0; right < classes.length; right++) {
        const at = (left << automaton.gateShift) | right
        if (pairs.has(leftClass, classes[right] as number)) table[at] = (table[at] as number) | bit
      }
    }
  }
  set(gates.first, grams.first, (left) => ends[left] === 1)
  set(gates.second, grams.second, () => true)
  set(gates.third, grams.third, () => true)
}

/** The bits of launches by the end of the word before them: those that ask for none are always set. */
function wordGates(launches: readonly PlacedLaunch[]): Uint32Array {
  const always = launches.reduce((bits, { guard, bit }) => (guard?.ends ? bits : bits | (1 << bit)), 0)
  const gates = new Uint32Array(wordEndsCount).fill(always)
  for (const { guard, bit } of launches) {
    const marks = guard?.ends?.marks
    if (marks === undefined) continue
    for (let at = 0; at < wordEndsCount; at++)
      if (marks[at] === 1) gates[at] = (gates[at] as number) | (1 << bit)
  }
  return gates
}

/** `reach` by machine. */
export function buildGates(automaton: Automaton, reach: readonly Reach[]): Gates {
  const launches = automaton.launches.flat()
  const size = (automaton.gateEdge + 1) << automaton.gateShift
  const gates = {
    first: new Uint32Array(size),
    second: new Uint32Array(size),
    third: new Uint32Array(size),
    words: wordGates(launches),
    isBlank: new Uint8Array(automaton.gateEdge + 1),
  }
  for (const unit of [10, 32]) gates.isBlank[automaton.gateClasses[unit] as number] = 1
  const readers = automaton.machines.map((machine, at) => new GramReader(machine, reach[at] as Reach))
  for (const launch of launches)
    addLaunch(gates, automaton, launch, (readers[launch.machine] as GramReader).read(launch))
  return gates
}
