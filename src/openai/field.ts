import type { RefusalCode } from '../refusal.ts'
import type { Json, JsonObject } from './call.ts'
import { Place, refuse, shownKey, type Walk } from './walk.ts'

/**
 * The language of the request tables. A rule checks one value, builds it anew and registers the text in it, all in one
 * walk: what leaves the walk was named by a table, and no part of it is shared with what the caller sent.
 *
 * A member that is `null` counts as absent, as the stock SDKs mean it, unless its rule is `nullable`.
 */
export interface Rule {
  /** Returns the rebuilt value, or `undefined` to leave the member out. Throws a Refusal that names the place. */
  (value: Json, place: Place, walk: Walk): Json | undefined
  readonly keepsNull?: true
}

/** Rules by member name. A name that is not here is unknown. */
export interface Fields {
  readonly [name: string]: Rule
}

const invalid = (place: Place, detail: string): never => refuse('invalid_value', place, detail)

export const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Rebuilds an object from its table. */
export function rebuild(
  value: JsonObject,
  fields: Fields,
  walk: Walk,
  options: { required: readonly string[]; place?: Place | undefined },
): JsonObject {
  const fresh: JsonObject = {}
  for (const key of Object.keys(value)) {
    const rule = Object.hasOwn(fields, key) ? fields[key] : undefined
    const place = new Place(fresh, key, options.place, rule === undefined ? shownKey(key) : key)
    if (rule === undefined) walk.unknown(place)
    else addMember(value[key] ?? null, rule, place, walk)
  }
  for (const key of options.required) {
    if (!Object.hasOwn(fresh, key))
      refuse('missing_field', new Place(fresh, key, options.place), 'a required field')
  }
  return fresh
}

function addMember(value: Json, rule: Rule, place: Place, walk: Walk): void {
  if (value === null && !rule.keepsNull) return
  const rebuilt = rule(value, place, walk)
  if (rebuilt !== undefined) place.write(rebuilt)
}

/** An object with the members of a table. */
export const object =
  (fields: Fields, required: readonly string[] = []): Rule =>
  (value, place, walk) =>
    isObject(value) ? rebuild(value, fields, walk, { required, place }) : invalid(place, 'not an object')

/** An object whose table is chosen by one of its string members. */
export const tagged =
  (tag: string, variants: Fields): Rule =>
  (value, place, walk) => {
    if (!isObject(value)) return invalid(place, 'not an object')
    const name = Object.hasOwn(value, tag) ? value[tag] : undefined
    const variant = typeof name === 'string' && Object.hasOwn(variants, name) ? variants[name] : undefined
    if (name === undefined) refuse('missing_field', new Place(value, tag, place), 'a required field')
    return variant === undefined
      ? invalid(new Place(value, tag, place), 'not a known variant')
      : variant(value, place, walk)
  }

/** A list of values of one kind. */
export const array =
  (item: Rule, options: { lengthMin?: number; lengthMax: number }): Rule =>
  (value, place, walk) => {
    if (!Array.isArray(value)) return invalid(place, 'not an array')
    if (value.length > options.lengthMax) invalid(place, `more than ${options.lengthMax} elements`)
    if (value.length < (options.lengthMin ?? 0)) invalid(place, `fewer than ${options.lengthMin} elements`)
    const fresh: Json[] = []
    for (const [index, element] of value.entries()) {
      fresh.push(item(element, new Place(fresh, index, place), walk) ?? null)
    }
    return fresh
  }

type JsonType = 'string' | 'number' | 'boolean' | 'array' | 'object'

/** A value whose rule depends on its JSON type. */
export const byType =
  (rules: { readonly [type in JsonType]?: Rule }): Rule =>
  (value, place, walk) => {
    const type = Array.isArray(value) ? 'array' : value === null ? 'null' : typeof value
    const rule = rules[type as JsonType]
    return rule === undefined
      ? invalid(place, 'of a JSON type that is not taken here')
      : rule(value, place, walk)
  }

/** Keeps a `null` where it has a meaning of its own. */
export const nullable = (rule: Rule): Rule =>
  Object.assign(((value, place, walk) => (value === null ? null : rule(value, place, walk))) satisfies Rule, {
    keepsNull: true as const,
  })

interface TextOptions {
  readonly lengthMin?: number
  readonly lengthMax?: number
  readonly pattern?: RegExp
}

function checkText(value: Json, place: Place, options: TextOptions): string {
  if (typeof value !== 'string') return invalid(place, 'not a string')
  if (value.length < (options.lengthMin ?? 0)) invalid(place, 'too short')
  if (value.length > (options.lengthMax ?? Number.POSITIVE_INFINITY)) invalid(place, 'too long')
  if (options.pattern !== undefined && !options.pattern.test(value))
    invalid(place, 'not of the form of its kind')
  return value
}

/** Text that is screened. Without `lengthMax` the bounds of the JSON reader hold. */
export const text =
  (options: TextOptions = {}): Rule =>
  (value, place, walk) =>
    walk.text(place, checkText(value, place, options))

/** A string of a closed form that is matched by policy instead of being screened. */
export const identifier =
  (pattern: RegExp): Rule =>
  (value, place) =>
    checkText(value, place, { pattern })

/** JSON in a string that a model wrote, so it may be broken; screened by its decoded values. */
export const jsonText =
  (options: { depthMax: number }): Rule =>
  (value, place, walk) => {
    const written = checkText(value, place, {})
    if (nestingOf(written) > options.depthMax) invalid(place, 'JSON nested too deeply')
    return walk.text(place, written, 'json')
  }

/** The deepest nesting of brackets outside of strings, whether or not the text is valid JSON. */
function nestingOf(text: string): number {
  let depth = 0
  let deepest = 0
  for (let at = 0; at < text.length; at += 1) {
    const sign = text[at]
    if (sign === '"') at = endOfString(text, at)
    else if (sign === '[' || sign === '{') depth += 1
    else if (sign === ']' || sign === '}') depth -= 1
    deepest = Math.max(deepest, depth)
  }
  return deepest
}

function endOfString(text: string, start: number): number {
  let at = start + 1
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1
  return at
}

export const boolean: Rule = (value, place) =>
  typeof value === 'boolean' ? value : invalid(place, 'not a boolean')

/** More than any sampler tells apart, and too few for the digits of a card or an account. */
const decimals = 1e6

export const rounded = (value: number): number => Math.round(value * decimals) / decimals

/** A number in a range, rounded: no rule screens numbers, and seventeen digits are room for a value. */
export const number =
  (min: number, max: number): Rule =>
  (value, place) =>
    typeof value === 'number' && value >= min && value <= max
      ? rounded(value)
      : invalid(place, `not a number in ${min}..${max}`)

export const integer =
  (min: number, max: number): Rule =>
  (value, place) =>
    typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max
      ? value
      : invalid(place, `not an integer in ${min}..${max}`)

/** One of a closed list of strings. */
export const oneOf =
  (...values: readonly string[]): Rule =>
  (value, place) =>
    typeof value === 'string' && values.includes(value)
      ? value
      : invalid(place, 'not one of the known values')

/** Left out of the call and reported by name: what would tell the model server who the caller is, or do nothing. */
export const dropped: Rule = (_value, place, walk) => {
  walk.drop(place)
  return undefined
}

/** Never forwarded. A `harmless` value says what is so anyway, so it is dropped like an unused default. */
export const refused =
  (code: RefusalCode, harmless: readonly Json[] = []): Rule =>
  (value, place, walk) =>
    harmless.includes(value)
      ? dropped(value, place, walk)
      : refuse(code, place, 'a field that is never forwarded')
