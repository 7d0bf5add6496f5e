import { Pace } from '../pace.ts'
import { injectionSignals, signalsMax } from './injection-signals.ts'
import type { InjectionKind } from './signal.ts'
import { type TextSlice, textSlices } from './text-slices.ts'

/** Signals of one kind. A type and no interface: only then it is a value of a record. */
export type InjectionCount = Readonly<{ kind: InjectionKind; count: number }>

/** What is looked at in one turn of the event loop: about 5 ms of the slowest text there is. */
export const unitsPerTurn = 16 * 1024

/** What any text costs, as code units: a call may have a hundred thousand texts of one letter. */
const unitsPerText = 128

/**
 * Signals in the texts of one exchange, counted with pauses.
 *
 * 1. The event loop has a turn after every `unitsPerTurn` code units, counted over all texts. An abort ends it there.
 * 2. A signal that a slice of a long text cuts is found in the next one, and counted once; an encoded run that is longer
 *    than what slices share counts once for each slice.
 * 3. No kind counts more than `signalsMax`: that many say as much as more.
 */
export class InjectionSignalCount {
  readonly #pace: Pace
  readonly #counts = new Map<InjectionKind, number>()

  constructor(signal: AbortSignal) {
    this.#pace = new Pace(unitsPerTurn, signal)
  }

  async add(text: string): Promise<void> {
    await this.#pace.spend(unitsPerText)
    for (const slice of textSlices(text)) {
      this.#addSlice(text, slice)
      await this.#pace.spend(slice.end - slice.start)
    }
  }

  get counts(): readonly InjectionCount[] {
    return [...this.#counts].map(([kind, count]) => ({ kind, count }))
  }

  #addSlice(text: string, { start, end, owns }: TextSlice): void {
    for (const signal of injectionSignals(text.slice(start, end))) {
      const known = this.#counts.get(signal.kind) ?? 0
      if (owns(signal) && known < signalsMax) this.#counts.set(signal.kind, known + 1)
    }
  }
}
