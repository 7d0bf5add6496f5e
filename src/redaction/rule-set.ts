import { applyActions, type Program } from './automaton.ts'
import { catalogAutomaton, entities } from './catalog.ts'
import type { Action, Direction, RuleSet, Screening, StreamWindow } from './finding.ts'
import { numberHeldMax } from './json-output.ts'
import { escapeHeldMax, JsonWindow } from './json-window.ts'
import { InertWindow, TextWindow } from './stream-window.ts'

export interface RuleSetOptions {
  readonly name: string
  readonly direction: Direction
  /** Action by entity. */
  readonly actions: Readonly<Record<string, Action>>
  /** Action of every entity that `actions` does not name. */
  readonly default: Action
}

function screening(window: StreamWindow, text: string): Screening {
  const screened = window.push(text) + window.flush()
  const { blocked, findings, tallies } = window
  return { text: blocked === undefined ? screened : '', findings, tallies, blocked }
}

class CatalogRuleSet implements RuleSet {
  readonly name: string
  readonly direction: Direction
  readonly inert: boolean
  readonly heldTextMax: number
  readonly #program: Program

  constructor({ name, direction, actions, default: otherwise }: RuleSetOptions) {
    this.name = name
    this.direction = direction
    this.#program = applyActions(catalogAutomaton(), (entity) => actions[entity] ?? otherwise)
    this.inert = this.#program.actions.every((action) => action === 'allow')
    this.heldTextMax = this.inert ? 0 : this.#program.heldUnitsMax + numberHeldMax + escapeHeldMax
  }

  screen(text: string): Screening {
    return screening(this.open('text'), text)
  }

  screenJson(text: string): Screening {
    return screening(this.open('json'), text)
  }

  open(kind: 'text' | 'json'): StreamWindow {
    if (this.inert) return new InertWindow()
    const Window = kind === 'json' ? JsonWindow : TextWindow
    return new Window(this.#program)
  }
}

/** Makes a profile ready for scanning; throws if it names an entity that no recognizer has. */
export function createRuleSet(options: RuleSetOptions): RuleSet {
  const unknown = Object.keys(options.actions).filter((entity) => !entities.includes(entity))
  if (unknown.length > 0) {
    throw new Error(
      `redaction profile ${JSON.stringify(options.name)} names unknown entities: ${unknown.join(', ')}; known are ${entities.join(', ')}`,
    )
  }
  return new CatalogRuleSet(options)
}

export { entities }
