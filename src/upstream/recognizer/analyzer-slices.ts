export interface TextSlice {
  readonly from: number
  readonly text: string
}

const blank = /\s/
const surrogateLow = /[\udc00-\udfff]/
/** How far back a blank is looked for to cut at. */
const wordUnitsMax = 128

/** The nearest place at or before `at` where a cut hurts nothing: behind a blank, else between two characters. */
function cutBefore(text: string, at: number): number {
  for (let place = at; place > at - wordUnitsMax; place--) if (blank.test(text[place - 1] ?? '')) return place
  return surrogateLow.test(text[at] ?? '') ? at - 1 : at
}

/**
 * A text in slices of at most `unitsMax`, each of which begins `overlapUnits` before the one before it ends, so that
 * what lies over a cut stands whole in one of the two. `unitsMax` is at least twice `overlapUnits` and 256 more.
 */
export function slicesOf(text: string, unitsMax: number, overlapUnits: number): TextSlice[] {
  const slices: TextSlice[] = []
  for (let from = 0; ; ) {
    const whole = text.length - from <= unitsMax
    const to = whole ? text.length : cutBefore(text, from + unitsMax)
    slices.push({ from, text: text.slice(from, to) })
    if (whole) return slices
    from = cutBefore(text, to - overlapUnits)
  }
}
