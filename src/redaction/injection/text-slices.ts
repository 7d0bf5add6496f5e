import { inEncodedRun } from './encoded-payload.ts'
import type { InjectionSignal } from './signal.ts'

/** A part of a long text. */
export interface TextSlice {
  readonly start: number
  readonly end: number
  /** Whether a signal that was found in it is this slice's, and not one of its neighbors'. */
  owns(signal: Pick<InjectionSignal, 'start' | 'end'>): boolean
}

export const sliceUnits = 16 * 1024
/** Longer than any link that is looked for, and than most phrases. */
export const overlapUnits = 2_048
/** At the beginning of a slice words and flags may have lost theirs; the slice before has seen them whole. */
const leadUnits = 64

/** One slice if it is short. A slice owns what begins in it, but for its lead, up to the lead of the next. */
export function* textSlices(text: string): Generator<TextSlice> {
  for (let start = 0, seen = 0; ; ) {
    const end = Math.min(text.length, start + sliceUnits)
    const next = end === text.length ? text.length : nextStart(text, start, end)
    yield { start, end, owns: ownership({ start, seen: seen - start, next: next - start }) }
    if (end === text.length) return
    seen = end
    start = next
  }
}

/** `seen`: where the slice before ended; `next`: where the one behind begins. Both as this slice counts. */
function ownership(slice: { start: number; seen: number; next: number }): TextSlice['owns'] {
  const from = slice.start === 0 ? 0 : leadUnits
  const to = slice.next + leadUnits
  // Of an encoded run that is longer than the overlap each slice decodes another part.
  return ({ start, end }) => (start >= from && start < to) || (start === 0 && end > slice.seen)
}

/** A multiple of 4 behind the beginning of the run that it is in, where groups of Base64 begin. */
function nextStart(text: string, start: number, end: number): number {
  const wanted = end - overlapUnits
  let run = wanted
  while (run > start && inEncodedRun(text, run - 1)) run--
  return wanted - ((wanted - run) % 4)
}
