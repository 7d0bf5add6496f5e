import type { Head } from './automaton.ts'
import { symbolOf } from './compiler/char-set.ts'
import type { Source } from './source.ts'

/** Where the run of a head begins that ends at a place, not before `least`; the place if there is none. */
export function headStart(
  { first, rest, lengthMax }: Head,
  source: Source,
  place: number,
  least: number,
): number {
  const { text } = source
  const end = source.at(place)
  const floor = Math.max(source.at(least), end - lengthMax)
  let start = end
  while (start > floor && rest[symbolOf(text.charCodeAt(start - 1))] === 1) start--
  while (start < end && first[symbolOf(text.charCodeAt(start))] === 0) start++
  return place - (end - start)
}

/** The run of one head, followed through the pushes of a stream so that only what is new has to be looked at. */
export class HeadRun {
  readonly #head: Head
  readonly #source: Source
  #start = 0
  #end = 0

  constructor(head: Head, source: Source) {
    this.#head = head
    this.#source = source
  }

  /** What `headStart` says of `end`, behind which nothing has been read; `added` came last. */
  startAt(end: number, added: string, least: number): number {
    this.#start = this.#goesOn(end, added, least) ? this.#start : this.#anew(end, added, least)
    this.#end = end
    return this.#start
  }

  /** Whether a run that had begun before `added` has got no end in it, and is not too long. */
  #goesOn(end: number, added: string, least: number): boolean {
    const { rest, lengthMax } = this.#head
    const hasBegun = this.#end === end - added.length && this.#start < this.#end
    if (!hasBegun || this.#start < least || end - this.#start > lengthMax) return false
    for (let index = 0; index < added.length; index++)
      if (rest[symbolOf(added.charCodeAt(index))] === 0) return false
    return true
  }

  #anew(end: number, added: string, least: number): number {
    const { first, rest, lengthMax } = this.#head
    let from = added.length
    while (from > 0 && rest[symbolOf(added.charCodeAt(from - 1))] === 1) from--
    // Mostly the run begins in what came last, and what came before need not be put together with it.
    if (from === 0 || added.length - from > lengthMax) return headStart(this.#head, this.#source, end, least)
    while (from < added.length && first[symbolOf(added.charCodeAt(from))] === 0) from++
    return end - (added.length - from)
  }
}
