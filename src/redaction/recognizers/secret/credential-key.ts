import { leftContextUnits } from '../../recognizer.ts'
import { mayFollowName } from './credential-hint.ts'
import { type KeyKind, kindOfName, mayHoldName, password, vague } from './credential-lexicon.ts'
import { isBlank, isLetter, isNamePart, isQuote, isSeparator, LeftReader } from './left-reader.ts'

/** How a value follows its name. `spoken`: in prose, or behind nothing but a blank. */
export type Bond = 'assigned' | 'spoken'

export interface CredentialKey {
  readonly kind: KeyKind
  readonly bond: Bond
  readonly quoted: boolean
  /** In lower case. */
  readonly name: string
}

const nameMax = 64
const blanksMax = 32

/** What may stand between a name and its separator: `"key"]`, `key[]`, `**Key**`. */
const closers = new Set([...'"\'`[])*_\\'].map((char) => char.charCodeAt(0)))
const isCloser = (unit: number): boolean => closers.has(unit)
/** What may stand before `=` and `:`: `+=`, `?=`, `!=`, `~>`; `.=` joins in PHP. */
const isOperator = (unit: number): boolean =>
  isSeparator(unit) || '+?!|.~<'.includes(String.fromCharCode(unit))

const typeNames = new RegExp(
  "^[&*]?(?:'static\\.)?(?:str|string|char|wchar_t|text|varchar|bytes?|any|cstring|nsstring|const|" +
    'securestring|final|object|var|auto)$',
  'i',
)

/** Two words of prose make a name: `API key`, `secret access key`. */
function nameBefore(reader: LeftReader): string {
  const last = reader.word(isNamePart, nameMax)
  if (last === '' || last.startsWith('-') || last.length > 14) return last
  const from = reader.at
  if (reader.skip((unit) => unit === 32, 1) === 0) return last
  const before = reader.word(isLetter, 16)
  if (before === '') reader.at = from
  return before === '' ? last : `${before} ${last}`
}

/**
 * The name before a separator, past a type between the two: `val password: String =`, `var token string =`.
 */
function assignedName(reader: LeftReader): string {
  reader.skip((unit) => unit === 32, blanksMax)
  reader.skip(isCloser, 4)
  const from = reader.at
  const name = reader.word(isNamePart, nameMax)
  if (!typeNames.test(name)) {
    reader.at = from
    return nameBefore(reader)
  }
  reader.skip((unit) => unit === 32 || unit === 58 || unit === 38 || unit === 42 || unit === 91, 6)
  return nameBefore(reader)
}

const tagName = /<([\w.:-]{1,64})(?:\s[^<>]*)?$/
const tagKey = /\s(?:name|key|id)\s*=\s*["']([\w.:-]{1,64})["'][^<>]*$/

/** `<password>`, `<string name="api_key">`. */
function markupName(reader: LeftReader): string {
  const behind = reader.behind(leftContextUnits)
  const key = tagKey.exec(behind)?.[1]
  const tag = tagName.exec(behind)?.[1] ?? ''
  return key !== undefined && kindOfName(key) !== undefined ? key : tag
}

const spokenLink =
  /^(?:is|was|be|to|becomes|equals|now|as|with|ist|lautet|es|est|sera|jest|to|är|er|e|è|é|by|bearer)$/i
const spokenName = /[\p{L}][\p{L}\p{N}_-]*/gu
const identified = /identified(?:\s+with\s+[\w"'-]+)?\s+by$/i
const spokenUnits = 48

const stops = '.!?\n;:"'

function lastClause(sentence: string): string {
  let from = sentence.length
  while (from > 0 && !stops.includes(sentence[from - 1] as string)) from--
  return sentence.slice(from)
}

/** The kind of a credential that a sentence speaks of before `is`: the nearest name counts. */
function spokenKind(sentence: string): KeyKind | undefined {
  const clause = lastClause(sentence)
  const words = mayHoldName(clause, 0, clause.length) ? (clause.match(spokenName) ?? []) : []
  for (let index = words.length - 1; index >= 0; index--) {
    const name = `${words[index - 1] ?? ''} ${words[index]}`
    const kind = mayHoldName(name, 0, name.length) ? kindOfName(name) : undefined
    if (kind !== undefined && kind !== vague) return kind
  }
  return undefined
}

/** Behind a blank: `--password x`, `#define PASSWORD "x"`, `IDENTIFIED BY x`, `the password is x`. */
function keyBehindBlank(reader: LeftReader, quoted: boolean): CredentialKey | undefined {
  const from = reader.at
  const name = reader.word(isNamePart, nameMax)
  // `--password=x --user y`: what stands there is a value itself.
  if (name.length < 1 || reader.unit === 61) return undefined
  if (spokenLink.test(name)) {
    reader.at = from
    if (identified.test(reader.behind(spokenUnits))) return { kind: password, bond: 'assigned', quoted, name }
    const kind = spokenKind(reader.behind(spokenUnits).slice(0, -name.length))
    return kind === undefined ? undefined : { kind, bond: 'spoken', quoted, name }
  }
  // `pass` is a verb in prose.
  const kind = name.toLowerCase() === 'pass' ? undefined : kindOfName(name)
  if (kind === undefined) return undefined
  const flag = name.startsWith('-') || quoted
  return { kind, bond: flag ? 'assigned' : 'spoken', quoted, name: name.toLowerCase() }
}

const lastOfName = (unit: number): boolean => isNamePart(unit) || isCloser(unit)

const valueName = /^(?:value|val|default|defaultvalue)$/i
const siblingName = /(?:name|key|id)\\?["']?\s{0,4}[=:]\s{0,4}\\?["']?([\w.-]{2,64})[\s"',;\\-]{1,32}$/i

/** `name: API_KEY`, then `value: x`; `<add key="ApiKey" value="x">`. */
function siblingKind(reader: LeftReader): KeyKind | undefined {
  const name = siblingName.exec(reader.behind(leftContextUnits))?.[1]
  const kind = name === undefined ? undefined : kindOfName(name)
  return kind === vague ? undefined : kind
}

function assigned(name: string, quoted: boolean, reader: LeftReader): CredentialKey | undefined {
  const kind = valueName.test(name) ? siblingKind(reader) : kindOfName(name)
  return kind === undefined ? undefined : { kind, bond: 'assigned', quoted, name: name.toLowerCase() }
}

/** `&quot;` in markup. */
function skipEntity(reader: LeftReader): boolean {
  const length = /&(?:quot|apos|#39|#34);$/.exec(reader.behind(6))?.[0].length ?? 0
  reader.at -= length
  return length > 0
}

/** Steps over an opening quote, one that is escaped, triple or has a prefix (`f"`, `@"`) included. */
function skipQuote(reader: LeftReader): boolean {
  const quotes = reader.skip(isQuote, 3)
  if (quotes === 0) return reader.unit === 59 && skipEntity(reader)
  reader.skip((unit) => unit === 92, 3)
  const from = reader.at
  if (reader.skip((unit) => 'rbfuL@$'.includes(String.fromCharCode(unit)), 2) > 0) {
    const { unit } = reader
    if (!isBlank(unit) && !isSeparator(unit) && unit !== 40 && unit !== 44) reader.at = from
  }
  return true
}

/** The name in front of `=`, `:`, `=>`, `>`, `(`, `,`, `|`, or `''`. */
function separatedName(reader: LeftReader, quoted: boolean, blanks: number): string | undefined {
  const { unit } = reader
  if (unit === 62) {
    reader.at--
    if (!isSeparator(reader.unit) && reader.unit !== 45) return markupName(reader)
    reader.at--
    return assignedName(reader)
  }
  if (isSeparator(unit)) {
    reader.skip(isOperator, 4)
    return assignedName(reader)
  }
  // A table: a blank on both sides, or it is an alternative.
  if (unit === 124 && blanks > 0) {
    reader.at--
    return reader.unit === 32 ? assignedName(reader) : ''
  }
  return unit === 40 || unit === 44 ? argumentName(reader, quoted) : undefined
}

/** `setPassword("x")`, `setProperty("API_KEY", "x")`: of an argument only a quoted one is a value. */
function argumentName(reader: LeftReader, quoted: boolean): string {
  const { unit } = reader
  reader.at--
  if (!quoted || (unit === 44 && !isQuote(reader.unit))) return ''
  const name = assignedName(reader)
  if (unit === 40) return name.replace(/^\W+/, '').length > 4 ? name : ''
  return reader.skip(isQuote, 1) === 1 && reader.unit === 40 ? name : ''
}

function readKey(text: string, start: number): CredentialKey | undefined {
  const reader = new LeftReader(text, start)
  const quoted = skipQuote(reader)
  const blanks = reader.skip(isBlank, blanksMax)
  // Markdown: `**Password:** x`.
  if (blanks > 0) reader.skip((unit) => unit === 42 || unit === 95, 2)
  const name = separatedName(reader, quoted, blanks)
  if (name !== undefined) return name === '' ? undefined : assigned(name, quoted, reader)
  if (blanks === 0 || blanks > 2 || !lastOfName(reader.unit)) return undefined
  return keyBehindBlank(reader, quoted)
}

let lastText = ''
let lastStart = -1
let lastKey: CredentialKey | undefined

/**
 * The name that the value at `start` belongs to, read from the text before it. Several rules ask for the
 * same place, so the last answer is kept.
 */
export function credentialKey(text: string, start: number): CredentialKey | undefined {
  if (start === lastStart && text === lastText) return lastKey
  lastKey = mayFollowName(text, start) ? readKey(text, start) : undefined
  lastText = text
  lastStart = start
  return lastKey
}
