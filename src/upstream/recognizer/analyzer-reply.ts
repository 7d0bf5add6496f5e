/**
 * What a Presidio-compatible analyzer answers: `[{"entity_type": "PERSON", "start": 0, "end": 4, "score": 0.85}, ...]`,
 * checked to the last number. Python counts characters by code points; here places are UTF-16 code units.
 */
export interface Recognized {
  readonly entity: string
  readonly start: number
  readonly end: number
  readonly score: number
}

export interface ReplyRules {
  readonly resultsMax: number
  readonly scoreMin: number
  /** The entities that were asked for; all when undefined. */
  readonly entities: readonly string[] | undefined
}

/** What a result is called whose name is not one, or was not asked for: it is masked all the same. */
export const otherEntity = 'OTHER'

const nameShape = /^[A-Z][A-Z0-9_]{0,63}$/
const surrogate = /[\ud800-\udfff]/

type Fields = Readonly<Record<string, unknown>>

/** The results of one reply, in order; `undefined` when the reply is not one, or one result in it is not about the text. */
export function readRecognized(json: unknown, text: string, rules: ReplyRules): Recognized[] | undefined {
  if (!Array.isArray(json) || json.length > rules.resultsMax) return undefined
  const unitOf = codePointPlaces(text)
  const results: Recognized[] = []
  for (const item of json as unknown[]) {
    const result = resultOf(item, unitOf, rules)
    if (result === undefined) return undefined
    if (result.score >= rules.scoreMin) results.push(result)
  }
  return results
}

function resultOf(
  item: unknown,
  unitOf: (place: number) => number | undefined,
  rules: ReplyRules,
): Recognized | undefined {
  if (typeof item !== 'object' || item === null) return undefined
  const { entity_type, start, end, score } = item as Fields
  if (typeof entity_type !== 'string' || typeof score !== 'number' || !(score >= 0 && score <= 1))
    return undefined
  const from = placeOf(start, unitOf)
  const to = placeOf(end, unitOf)
  if (from === undefined || to === undefined || from >= to) return undefined
  return { entity: nameOf(entity_type, rules.entities), start: from, end: to, score }
}

const placeOf = (value: unknown, unitOf: (place: number) => number | undefined): number | undefined =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? unitOf(value) : undefined

const nameOf = (name: string, asked: readonly string[] | undefined): string =>
  nameShape.test(name) && (asked === undefined || asked.includes(name)) ? name : otherEntity

/** From a number of code points to a number of code units; `undefined` beyond the end of the text. */
function codePointPlaces(text: string): (place: number) => number | undefined {
  if (!surrogate.test(text)) return (place) => (place <= text.length ? place : undefined)
  const units = new Uint32Array(text.length + 1)
  let points = 0
  let unit = 0
  for (const char of text) {
    units[points++] = unit
    unit += char.length
  }
  units[points] = unit
  return (place) => (place <= points ? units[place] : undefined)
}

/** In order and none over another: of those that overlap one, as long as all, named by the surest. */
export function merged(results: readonly Recognized[]): Recognized[] {
  const kept: Recognized[] = []
  for (const one of [...results].sort((a, b) => a.start - b.start || b.end - a.end || b.score - a.score)) {
    const last = kept.at(-1)
    if (last === undefined || one.start >= last.end) kept.push(one)
    else
      kept[kept.length - 1] = {
        ...(one.score > last.score ? one : last),
        start: last.start,
        end: Math.max(last.end, one.end),
      }
  }
  return kept
}
