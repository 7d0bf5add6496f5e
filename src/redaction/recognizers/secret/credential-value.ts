import { surprisal } from '../../rarity.ts'

/** How far a value looks like a credential. */
export const placeholder = 0
/** A word, an identifier, a number. */
export const plain = 1
/** What a person would think up: `hunter2`, `cackle!`. */
export const weak = 2
/** Random, as far as so few characters can be. */
export const fair = 3
/** Random beyond doubt. */
export const strong = 4

const anyOf = (flags: string, patterns: readonly RegExp[]): RegExp =>
  new RegExp(patterns.map(({ source }) => source).join('|'), flags)

const template = anyOf('', [
  /\$\{[\w.:\- ()'"+,?]*(?:\}|$)/,
  /\$\([^)]*(?:\)|$)/,
  /\{\{[\w.\- ]*\}\}/,
  /<%|%\(\w+\)s|#\{[\w.]*\}/,
  /^(?:\$[A-Za-z_]\w*|%\w+%|%[sdv@]|@\w+@|\[[A-Z_]+\]|\{[\w.]*\})$/,
])
const promise = anyOf('i', [
  /example|change[-_]?(?:me|it|this)|placeholder|your|dummy|redact|mask(?:ed|me)|replace|insert/,
  /todo|fixme|sample|fake|not[-_]?(?:a[-_]?)?(?:real|secret|password)|undefined/,
  /x{4,}|\*{3,}|\.{3}|#{4,}|_{4,}/,
])
const reference = anyOf('i', [
  /^\/[\^(]|^\/.*\\[sSdDwWb[(\\]/,
  /^[[({<]\s*["'`]/,
  /process\.env|os\.environ|getenv|^env[.[(:]|^secrets?[.[:]|^vars?[.[]/,
  /^vault:|^arn:|^op:\/\/|^https?:|^file:|^enc\[|^enc\(/,
  /^\$\w+(?:\[|->|\.)/,
])
const path = anyOf('i', [
  /^(?:~|\.{0,2})?(?:[/\\][\w .@-]*){2,}$/,
  /^[\w.-]+\.(?:pem|key|crt|cer|json|ya?ml|txt|env|p12|pfx|jks|py|ts|js|com|net|org|io)$/,
])
const algorithmName =
  'u?int|float|i|u|f|utf|sha|md|aes|rsa|des|es|hs|rs|ps|base|oauth|x|v|ed|http|pbkdf|argon|s|ipv|mp|p'
const algorithmDetail = '\\d{1,4}|gcm|cbc|ctr|hmac|rsa|bit|bits|hex|url|le|be|t|encoded|hashed|based|sum'
const algorithm = new RegExp(
  `^(?:${algorithmName})[-_]?\\d{1,4}(?:[-_/](?:${algorithmDetail}))*(?:id|t|le|be)?$`,
  'i',
)
const uuid = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i
const dateOrNumber =
  /^(?:0x[\da-f]{1,16}|[-+]?\d[\d.,:/\-_]*(?:e[-+]?\d+|%|px|em|rem|ms|s|m|h|d|kb|mb|gb|k|bits?|bytes?)?)$/i

interface Traits {
  readonly upper: boolean
  readonly lower: boolean
  readonly digits: boolean
  /** Neither a letter, nor a digit, nor `_`, `-`, `.`. */
  readonly symbols: boolean
  /** How many symbols join no words, paths or numbers. */
  readonly odd: number
  /** Changes between letters and digits. */
  readonly switches: number
  readonly distinct: number
  readonly hex: boolean
}

/** How often letters and digits take turns. */
function switchesIn(value: string): number {
  let switches = 0
  let before = 0
  for (let index = 0; index < value.length; index++) {
    const unit = value.charCodeAt(index)
    const letter = (unit | 32) >= 97 && (unit | 32) <= 122
    const now = unit >= 48 && unit <= 57 ? 1 : letter ? 2 : 0
    if (now + before === 3) switches++
    before = now
  }
  return switches
}

const traitsOf = (value: string): Traits => ({
  upper: /[A-Z]/.test(value),
  lower: /[a-z]/.test(value),
  digits: /\d/.test(value),
  symbols: /[^A-Za-z0-9._-]/.test(value),
  odd: value.match(/[^A-Za-z0-9._\-/:,+=&\\ ]/g)?.length ?? 0,
  switches: switchesIn(value),
  distinct: new Set(value).size,
  hex: /^[\da-f]+$/i.test(value),
})

/** A template, or what stands in examples: `${PASSWORD}`, `<password>`, `xxxx`, `your-password`. */
export const isStandIn = (value: string): boolean =>
  template.test(value) || promise.test(value) || new Set(value).size <= 2

function isPlaceholder(value: string, distinct: number): boolean {
  return (
    distinct <= 2 ||
    (distinct <= 4 && value.length >= 16) ||
    template.test(value) ||
    promise.test(value) ||
    reference.test(value) ||
    path.test(value) ||
    algorithm.test(value)
  )
}

interface Bar {
  readonly length: number
  readonly bits: number
  readonly strength: number
}

/** The shorter a token, the more surprising it has to be. */
const letterBars: readonly Bar[] = [
  { length: 20, bits: 5.1, strength: strong },
  { length: 12, bits: 5.3, strength: fair },
  { length: 8, bits: 5.7, strength: fair },
]
const mixedBars: readonly Bar[] = [
  { length: 16, bits: 4.75, strength: strong },
  { length: 10, bits: 5, strength: fair },
  { length: 8, bits: 5.6, strength: fair },
]

function reached(value: string, bits: number, bars: readonly Bar[]): number {
  const bar = bars.find(({ length, bits: least }) => value.length >= length && bits >= least)
  return bar?.strength ?? plain
}

/** Letters, with `_`, `-` or `.` between them. */
function strengthOfLetters(value: string, { upper, lower }: Traits): number {
  const bits = surprisal(value, 0, value.length)
  const thoughtUp = value.length >= 6 && bits >= 5.5 && upper && lower
  return Math.max(thoughtUp ? weak : plain, reached(value, bits, letterBars))
}

/** What the turns of letters and digits prove: words and identifiers have few. */
function strengthOfTurns({ length }: string, { hex, upper, lower, switches }: Traits): number {
  if (hex && switches >= 2 && length >= 20) return strong
  if (upper && lower && switches >= 4 && length >= 16) return strong
  if (hex && switches >= 3 && length >= 8) return fair
  if (switches >= 3 && (length >= 24 || (length >= 10 && upper && lower))) return fair
  return length >= 5 ? weak : plain
}

const strengthOfMixed = (value: string, traits: Traits): number =>
  Math.max(strengthOfTurns(value, traits), reached(value, surprisal(value, 0, value.length), mixedBars))

function strengthOfSymbols(value: string, traits: Traits): number {
  const { upper, lower, digits } = traits
  const classes = Number(upper) + Number(lower) + Number(digits)
  const mixed = digits ? strengthOfMixed(value, traits) : strengthOfLetters(value, traits)
  const motley = (classes === 3 && value.length >= 8) || (traits.odd >= 4 && value.length >= 12)
  if (motley) return Math.max(fair, mixed)
  return value.length >= 5 && classes > 0 ? Math.max(weak, mixed) : plain
}

function strengthOfNumber(value: string): number {
  if (!/^\d{6,}$/.test(value)) return plain
  return value.length >= 16 ? fair : weak
}

/** How far a value without blanks looks like a credential. */
export function strengthOf(value: string): number {
  if (value.length < 4 || value.length > 512) return placeholder
  const traits = traitsOf(value)
  if (isPlaceholder(value, traits.distinct)) return placeholder
  if (uuid.test(value)) return fair
  if (dateOrNumber.test(value)) return strengthOfNumber(value)
  if (traits.symbols) return strengthOfSymbols(value, traits)
  return traits.digits ? strengthOfMixed(value, traits) : strengthOfLetters(value, traits)
}

export const isUuid = (value: string): boolean => uuid.test(value)

/** A value with blanks: a passphrase is one only where most of it is no words. */
export function strengthOfPhrase(value: string): number {
  if (isPlaceholder(value, 9)) return placeholder
  let credential = 0
  let total = 0
  let best = plain
  for (const part of value.split(/\s+/)) {
    const strength = strengthOf(part)
    total += part.length
    if (strength >= weak) credential += part.length
    best = Math.max(best, strength)
  }
  return credential * 2 > total ? best : plain
}

const called = /^[A-Za-z_$][\w$.:]*(?:\(|\[|->)/
const dotted = /^[A-Za-z_$][\w$]*(?:(?:\.|::|\?\.)[A-Za-z_$][\w$]*)+$/

/** Code that names a value where it stands without quotes: `getPassword()`, `config.password`, `args[0]`. */
export function isReference(value: string): boolean {
  if (called.test(value)) return true
  if (!dotted.test(value)) return false
  return value.split(/\.|::/).every((part) => part.length < 12 || surprisal(part, 0, part.length) < 4.8)
}

/**
 * The beginning of a token with a checksum, or all of it: whoever can check it judges it. Such a token mixes
 * cases; one that does not was written by hand and has no checksum to break.
 */
export const hasChecksum = (value: string): boolean =>
  /^(?:gh[pousr]|npm)_(?=[a-z\d]*[A-Z])[A-Za-z0-9]{0,36}$/.test(value)

const jointsMax = 8
const joints = new Set([...'.,;&?|\\)]}'].map((char) => char.charCodeAt(0)))

/**
 * Whether a text has more places at which a value could end than a value has. Each of them is judged, so
 * this is what keeps `a.a.a.a` cheap.
 */
export function hasManyJoints(text: string, start: number, end: number): boolean {
  let count = 0
  for (let index = start; index < end; index++) if (joints.has(text.charCodeAt(index))) count++
  return count > jointsMax
}
