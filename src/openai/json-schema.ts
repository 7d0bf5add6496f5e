import type { Json, JsonObject, TextSlot } from './call.ts'
import { isObject, type Rule } from './field.ts'
import { isTamePattern } from './schema-pattern.ts'
import { checkReferences } from './schema-reference.ts'
import { Place, refuse, type Walk } from './walk.ts'

/**
 * `grammar`: the model server compiles the schema to a grammar, so it must be harmless to compile, and a constraint
 * that is not is refused. `tool`: the schema is shown to the model, which a hint less does not hurt, so such a
 * constraint is dropped (and reported): servers compile tools too when a call is forced.
 */
export type SchemaPurpose = 'grammar' | 'tool'

/** Numbers with nine digits and more are read as text. */
const longNumber = 100_000_000
const depthMax = 32
const valuesMax = 5_000
const textLengthMax = 128 * 1024
/** Grammar compilers unroll counted repetitions. */
const repetitionsMax = 10_000

const repetitions = new Set([
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
  'minProperties',
  'maxProperties',
])
/** Regular expressions as keys, and references that only resolve at run time: no engine needs them. */
const refusedKeywords = new Set(['patternProperties', '$dynamicRef', '$recursiveRef'])
const typeNames = new Set(['object', 'array', 'string', 'number', 'integer', 'boolean', 'null'])

/** Keywords of JSON Schema: the only keys that are not text, and the only ones that a path shows. */
const keywords = new Set(
  `$anchor $comment $defs $id $ref $schema additionalItems additionalProperties allOf anyOf const contains
  contentEncoding contentMediaType default definitions dependentRequired dependentSchemas deprecated description else
  enum examples exclusiveMaximum exclusiveMinimum format if items maxContains maxItems maxLength maxProperties maximum
  minContains minItems minLength minProperties minimum multipleOf not nullable oneOf pattern prefixItems properties
  propertyNames readOnly required strict then title type unevaluatedItems unevaluatedProperties uniqueItems
  writeOnly`.split(/\s+/),
)

/**
 * Property names in any language and as spreadsheets have them, but no quotes, brackets or control characters: they end
 * up in grammars and in prompts, where those would mean something.
 */
const keyPattern = /^[\p{L}\p{M}\p{N}_$@.:/ ()%&+,#?!'=*-]{1,64}$/u

/**
 * A JSON Schema: bounded in depth, values and text, with references that stay inside it and end. Every string in it
 * is text, and so is every key that is not a keyword. A tool schema that is `{}` says nothing and is left out.
 */
export const jsonSchema =
  (purpose: SchemaPurpose): Rule =>
  (value, place, walk) => {
    if (!isObject(value)) return refuse('invalid_value', place, 'a schema is not an object')
    if (Object.keys(value).length === 0) {
      return purpose === 'tool' ? undefined : refuse('invalid_value', place, 'an empty schema')
    }
    const fresh = new SchemaCopy(purpose, walk).object(value, place, 1)
    checkReferences(fresh, purpose, place)
    return fresh
  }

class SchemaCopy {
  readonly #purpose: SchemaPurpose
  readonly #walk: Walk
  #values = 0
  #textLength = 0

  constructor(purpose: SchemaPurpose, walk: Walk) {
    this.#purpose = purpose
    this.#walk = walk
  }

  #value(value: Json, place: Place, depth: number): Json {
    this.#values += 1
    if (this.#values > valuesMax) refuse('invalid_value', place, `a schema of more than ${valuesMax} values`)
    if (depth > depthMax) refuse('invalid_value', place, `a schema deeper than ${depthMax}`)
    if (typeof value === 'string') return this.#string(value, place)
    if (Array.isArray(value)) return this.#array(value, place, depth)
    if (typeof value === 'number') return this.#number(value, place)
    return isObject(value) ? this.object(value, place, depth) : value
  }

  #string(value: string, place: Place): string {
    this.#spend(value, place)
    return typeNames.has(value) ? value : this.#walk.text(place, value)
  }

  /** A long number can be a card or an account in `default`, `enum` or `const`. */
  #number(value: number, place: Place): number {
    if (Math.abs(value) >= longNumber) this.#walk.texts.push(new NumberText(place))
    return value
  }

  #spend(text: string, place: Place): void {
    this.#textLength += text.length
    if (this.#textLength > textLengthMax)
      refuse('invalid_value', place, `a schema of more than ${textLengthMax} characters`)
  }

  #array(value: Json[], place: Place, depth: number): Json[] {
    const fresh: Json[] = []
    for (const [index, element] of value.entries()) {
      fresh.push(this.#value(element, new Place(fresh, index, place), depth + 1))
    }
    return fresh
  }

  object(value: JsonObject, place: Place, depth: number): JsonObject {
    const fresh: JsonObject = {}
    for (const [key, member] of Object.entries(value))
      this.#member(key, member, new Place(fresh, key, place, keywords.has(key) ? key : '*'), depth)
    return fresh
  }

  #member(key: string, member: Json, place: Place, depth: number): void {
    this.#spend(key, place)
    if (!keyPattern.test(key))
      refuse('invalid_value', place, 'a schema key with characters that are not taken')
    this.#checkKeyword(key, member, place)
    if (this.#isHazard(key, member)) {
      if (this.#purpose === 'grammar')
        refuse('invalid_value', place, 'a constraint that is too costly to compile')
      this.#walk.drop(place)
      return
    }
    place.write(this.#value(member, place, depth + 1))
    if (!keywords.has(key)) this.#walk.texts.push(new KeyText(place))
  }

  #checkKeyword(key: string, member: Json, place: Place): void {
    if (refusedKeywords.has(key))
      refuse('unsupported_parameter', place, 'a schema keyword that is never forwarded')
    if (key === '$ref' && typeof member === 'string' && !member.startsWith('#')) {
      refuse('remote_content_refused', place, 'a reference out of the schema')
    }
  }

  #isHazard(key: string, member: Json): boolean {
    if (key === 'pattern' && typeof member === 'string') return !isTamePattern(member)
    return repetitions.has(key) && typeof member === 'number' && member > repetitionsMax
  }
}

/** A key as text: replacing it renames the member, and text inside the member follows. */
class NumberText implements TextSlot {
  readonly kind = 'text'
  readonly #place: Place

  constructor(place: Place) {
    this.#place = place
  }

  get path(): string {
    return this.#place.path
  }

  get text(): string {
    return String(this.#place.read())
  }

  /** What stands there from now on is a string: a schema with a placeholder for a number matches no number any more. */
  replace(text: string): void {
    this.#place.write(text)
  }
}

class KeyText implements TextSlot {
  readonly kind = 'text'
  readonly #place: Place

  constructor(place: Place) {
    this.#place = place
  }

  get path(): string {
    return this.#place.path
  }

  get text(): string {
    return String(this.#place.key)
  }

  replace(text: string): void {
    const place = this.#place
    if (text === place.key) return
    if (text === '__proto__' || Object.hasOwn(place.container, text)) {
      refuse('content_blocked', place, 'two keys of a schema are the same once they are masked')
    }
    const value = place.read()
    delete (place.container as JsonObject)[place.key]
    place.key = text
    place.write(value)
  }
}
