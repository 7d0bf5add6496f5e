import { type Automaton, applyProfile, type Machine, type Program, type ProgramOptions } from './automaton.ts'
import { catalogMachine, families, recognizers } from './catalog.ts'
import { assemble } from './compiler/assemble.ts'
import { compile } from './compiler/compile.ts'
import type { Direction, Replacer, RuleSet, Screening, StreamWindow } from './finding.ts'
import { numberHeldMax } from './json-output.ts'
import { escapeHeldMax, JsonWindow } from './json-window.ts'
import { placeholders } from './mask.ts'
import { type Recognizer, scoreMinDefault } from './recognizer.ts'
import { creditMax, rawUnitsMax } from './source.ts'
import { InertWindow, TextWindow } from './stream-window.ts'

export interface RuleSetOptions extends Pick<ProgramOptions, 'policyOf'> {
  readonly name: string
  readonly direction: Direction
  /** Of the configuration, beside those of the catalog. */
  readonly custom?: readonly Recognizer[]
  /** The score that a match needs. */
  readonly scoreMin?: number
  /** Literal values that are no findings, folded and in lower case. */
  readonly allowed?: ReadonlySet<string>
}

function screening(window: StreamWindow, text: string): Screening {
  const screened = window.push(text) + window.flush()
  const { blocked, findings, tallies } = window
  return { text: blocked === undefined ? screened : '', findings, tallies, blocked }
}

class CompiledRuleSet implements RuleSet {
  readonly name: string
  readonly direction: Direction
  readonly inert: boolean
  readonly heldTextMax: number
  readonly #program: Program

  constructor({ name, direction }: RuleSetOptions, program: Program) {
    this.name = name
    this.direction = direction
    this.#program = program
    this.inert = program.actions.every((action) => action === 'allow')
    this.heldTextMax = this.inert
      ? 0
      : program.heldUnitsMax * rawUnitsMax + creditMax + numberHeldMax + escapeHeldMax
  }

  screen(text: string, replacer?: Replacer): Screening {
    return screening(this.open('text', replacer), text)
  }

  screenJson(text: string, replacer?: Replacer): Screening {
    return screening(this.open('json', replacer), text)
  }

  open(kind: 'text' | 'json', replacer: Replacer = placeholders): StreamWindow {
    if (this.inert) return new InertWindow()
    const Window = kind === 'json' ? JsonWindow : TextWindow
    return new Window(this.#program, replacer)
  }
}

/** Custom recognizers are compiled into machines of their own: those of the catalog stay as they are. */
const machinesOf = (custom: readonly Recognizer[]): Machine[] =>
  families.map((family) => compile(family, custom)).filter(({ rules }) => rules.length > 0)

const none: readonly Recognizer[] = []
const assembled = new WeakMap<readonly Recognizer[], Map<string, Automaton>>()

/** The automaton of the families in which a profile looks for anything, made once. */
function automatonFor({ policyOf, custom = none }: RuleSetOptions): Automaton {
  const wanted = recognizers.filter((recognizer) => policyOf(recognizer) !== 'allow')
  const needed = families.filter((family) =>
    wanted.some((recognizer) =>
      recognizer.rules.some((rule) => (rule.family ?? recognizer.family) === family),
    ),
  )
  const made = assembled.get(custom) ?? new Map<string, Automaton>()
  assembled.set(custom, made)
  const known = made.get(needed.join())
  if (known !== undefined) return known
  const machines = [...needed.map(catalogMachine), ...machinesOf(custom)]
  const automaton = assemble(machines, [...custom, ...recognizers])
  made.set(needed.join(), automaton)
  return automaton
}

/** Makes a profile ready for scanning. Pass the same array of custom recognizers again, and it is compiled once. */
export function createRuleSet(options: RuleSetOptions): RuleSet {
  const { direction, policyOf, scoreMin = scoreMinDefault, allowed = new Set() } = options
  const program = applyProfile(automatonFor(options), { direction, policyOf, scoreMin, allowed })
  return new CompiledRuleSet(options, program)
}

/** The entities a profile can name, those of custom recognizers aside. */
export const entities: readonly string[] = [...new Set(recognizers.map(({ entity }) => entity))]
