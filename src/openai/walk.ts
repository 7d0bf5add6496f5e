import { Refusal, type RefusalCode } from '../refusal.ts'
import type { Json, JsonObject, TextSlot } from './call.ts'
import { escapeControlTokens } from './control-token.ts'

/** Where a value stands: in a rebuilt container, and on a path from the body's root. */
export class Place {
  readonly container: JsonObject | Json[]
  readonly label: string | number
  readonly parent: Place | undefined
  /** Changes only when the key itself was text that had to be replaced. */
  key: string | number

  /** `label` is what paths show: the key, unless the caller chose the key. */
  constructor(
    container: JsonObject | Json[],
    key: string | number,
    parent?: Place,
    label: string | number = key,
  ) {
    this.container = container
    this.key = key
    this.parent = parent
    this.label = label
  }

  get path(): string {
    const own = typeof this.label === 'number' ? `[${this.label}]` : this.label
    const above = this.parent?.path ?? ''
    return above === '' || typeof this.label === 'number' ? above + own : `${above}.${own}`
  }

  read(): Json {
    return (this.container as JsonObject)[this.key] ?? null
  }

  write(value: Json): void {
    ;(this.container as JsonObject)[this.key] = value
  }
}

/** Names of dropped fields that a call reports; more are dropped all the same. */
const droppedNamesMax = 64
/** Images and sounds in one call; each costs the model server a decoder run and over a thousand tokens. */
const mediaMax = 32

/** What a walk over one body collects. */
export class Walk {
  readonly texts: TextSlot[] = []
  readonly dropped: string[] = []
  readonly #unknownFields: 'refuse' | 'drop'
  readonly #controlTokens: 'escape' | 'pass'
  #media = 0

  constructor(options: { unknownFields: 'refuse' | 'drop'; controlTokens: 'escape' | 'pass' }) {
    this.#unknownFields = options.unknownFields
    this.#controlTokens = options.controlTokens
  }

  drop(place: Place): void {
    const path = place.path
    if (this.dropped.length < droppedNamesMax && !this.dropped.includes(path)) this.dropped.push(path)
  }

  unknown(place: Place): void {
    if (this.#unknownFields === 'refuse') refuse('unknown_parameter', place, 'a field outside the table')
    this.drop(place)
  }

  countMedia(place: Place): void {
    this.#media += 1
    if (this.#media > mediaMax) refuse('invalid_value', place, `more than ${mediaMax} media parts`)
  }

  /** Registers text that will stand at the place, and returns it as it may stand there. */
  text(place: Place, text: string, kind: TextSlot['kind'] = 'text'): string {
    this.texts.push(new PlacedText(place, kind))
    return this.#controlTokens === 'escape' ? escapeControlTokens(text) : text
  }
}

class PlacedText implements TextSlot {
  readonly kind: TextSlot['kind']
  readonly #place: Place

  constructor(place: Place, kind: TextSlot['kind']) {
    this.kind = kind
    this.#place = place
  }

  get path(): string {
    return this.#place.path
  }

  get text(): string {
    return this.#place.read() as string
  }

  replace(text: string): void {
    this.#place.write(text)
  }
}

/** Refuses the value at a place. */
export function refuse(code: RefusalCode, place: Place, detail: string): never {
  throw new Refusal(code, detail, { param: place.path })
}

/**
 * A key that the caller chose, as a path may show it. Names without digits help to find a typing error; anything else
 * could be a secret or a way to forge a log line.
 */
export const shownKey = (key: string): string => (/^[A-Za-z_]{1,32}$/.test(key) ? key : '*')
