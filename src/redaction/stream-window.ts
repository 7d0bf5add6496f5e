import type { Program } from './automaton.ts'
import type { Finding, FindingTally, Replacer, StreamWindow } from './finding.ts'
import type { Output } from './rewrite.ts'
import { Scanner } from './scan.ts'

/** Collects what leaves a scanner as plain text. */
class TextOutput implements Output {
  readonly #replacer: Replacer
  #pending = ''

  constructor(replacer: Replacer) {
    this.#replacer = replacer
  }

  text(piece: string): void {
    this.#pending = this.#pending.length === 0 ? piece : this.#pending + piece
  }

  mask(found: Pick<Finding, 'entity' | 'action'>, value: string | undefined): void {
    this.#pending += this.#replacer.replace(found, value)
  }

  take(): string {
    const taken = this.#pending
    this.#pending = ''
    return taken
  }
}

/** The window of a channel of plain text. Once something blocks, nothing comes out, not of the same push either. */
export class TextWindow implements StreamWindow {
  readonly #output: TextOutput
  readonly #scanner: Scanner

  constructor(program: Program, replacer: Replacer) {
    this.#output = new TextOutput(replacer)
    this.#scanner = new Scanner(program, this.#output)
  }

  push(chunk: string): string {
    this.#scanner.feed(chunk)
    this.#scanner.drain()
    return this.#taken()
  }

  flush(): string {
    this.#scanner.finish()
    return this.#taken()
  }

  #taken(): string {
    const taken = this.#output.take()
    return this.blocked === undefined ? taken : ''
  }

  get held(): number {
    return this.#scanner.held
  }

  get findings(): readonly Finding[] {
    return this.#scanner.found.findings
  }

  get tallies(): readonly FindingTally[] {
    return this.#scanner.found.tallies
  }

  get blocked(): Finding | undefined {
    return this.#scanner.blocked
  }

  /** Thread steps taken so far: the measure of work. */
  get steps(): number {
    return this.#scanner.steps
  }
}

/** The window of a channel in which nothing is looked for. */
export class InertWindow implements StreamWindow {
  readonly held = 0
  readonly findings: readonly Finding[] = []
  readonly tallies: readonly FindingTally[] = []
  readonly blocked = undefined

  push(chunk: string): string {
    return chunk
  }

  flush(): string {
    return ''
  }
}
