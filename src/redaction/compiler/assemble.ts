import type { Automaton, Machine } from '../automaton.ts'
import { ContextWords } from '../context.ts'
import type { Recognizer } from '../recognizer.ts'
import { SYMBOLS } from './char-set.ts'

/** Bits of a gate; launches beyond share the last one. */
const gateBits = 31

/** Symbols that no machine tells apart share a class. */
function gateClasses(machines: readonly Machine[]): { classes: Uint8Array; count: number } {
  let classes = new Uint8Array(SYMBOLS)
  let count = 1
  for (const machine of machines) {
    const known = new Map<number, number>()
    const finer = new Uint8Array(SYMBOLS)
    for (let symbol = 0; symbol < SYMBOLS; symbol++) {
      const key = ((classes[symbol] as number) << 8) | (machine.classes[symbol] as number)
      const found = known.get(key) ?? known.size
      if (found > 254) throw new Error('the machines tell more than 255 character classes apart')
      known.set(key, found)
      finer[symbol] = found
    }
    classes = finer
    count = known.size
  }
  return { classes, count }
}

/**
 * Puts machines together: one alphabet in front of them all, and one numbering of their rules. `recognizers` are those of all
 * machines, by priority.
 */
export function assemble(machines: readonly Machine[], recognizers: readonly Recognizer[]): Automaton {
  const ranks = new Map(recognizers.map((recognizer, rank) => [recognizer, rank]))
  const launches = machines
    .flatMap(({ launches }, machine) => launches.map((launch) => ({ ...launch, machine })))
    .map((launch, index) => ({ ...launch, bit: Math.min(index, gateBits - 1) }))
  const { classes, count } = gateClasses(machines)
  const gateShift = Math.ceil(Math.log2(count + 1))
  const rules = machines.flatMap((machine) => machine.rules)
  const bases: number[] = []
  for (const index of machines.keys())
    bases.push((bases.at(-1) ?? 0) + (machines[index - 1]?.rules.length ?? 0))
  return {
    machines,
    bases,
    rules,
    priorities: Uint16Array.from(rules, ({ recognizer }) => ranks.get(recognizer) ?? ranks.size),
    machineOf: Uint8Array.from(machines.flatMap((machine, index) => machine.rules.map(() => index))),
    launches: Array.from({ length: gateBits }, (_, bit) => launches.filter((launch) => launch.bit === bit)),
    gateClasses: classes,
    gateEdge: count,
    gateShift,
    contexts: new ContextWords(rules.map(({ context }) => context ?? [])),
  }
}
