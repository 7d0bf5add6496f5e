/**
 * Where the values of a JSON text stand in it, without reading them. Nothing here checks the grammar: a span that is
 * used is parsed, or was.
 */
const QUOTE = 34
const BACKSLASH = 92
const OPEN = new Set([91, 123])
const CLOSE = new Set([93, 125])

/** Index of the quote that ends the string whose inside begins at `from`; -1 when it holds a control character or no end. */
export function stringEnd(json: string, from: number): number {
  for (let at = from; at < json.length; at += 1) {
    const code = json.charCodeAt(at)
    if (code === QUOTE) return at
    if (code < 32) return -1
    if (code === BACKSLASH) at += 1
  }
  return -1
}

const scalar = /[^\s,\]}]*/y

/** Index behind the value that begins at `from`; -1 when it has no end. */
export function valueEnd(json: string, from: number): number {
  const code = json.charCodeAt(from)
  if (OPEN.has(code)) return nestedEnd(json, from)
  if (code === QUOTE) return stringEnd(json, from + 1) + 1 || -1
  scalar.lastIndex = from
  scalar.test(json)
  return scalar.lastIndex
}

/** Behind the list or object that begins at `from`. */
function nestedEnd(json: string, from: number): number {
  let depth = 0
  for (let at = from; at < json.length; at += 1) {
    const code = json.charCodeAt(at)
    if (code === QUOTE) {
      at = stringEnd(json, at + 1)
      if (at === -1) return -1
    } else if (OPEN.has(code)) depth += 1
    else if (CLOSE.has(code)) depth -= 1
    if (depth === 0) return at + 1
  }
  return -1
}

/** A value in its text: from its first character to the one behind it. */
export interface Span {
  readonly start: number
  readonly end: number
}

const space = /[\t\n\r ]*/y

function skipSpace(json: string, from: number): number {
  space.lastIndex = from
  space.test(json)
  return space.lastIndex
}

/** The members of the object that is `json`, which must parse. A key that comes twice, or is written with escapes, makes it `undefined`. */
export function membersOf(json: string): ReadonlyMap<string, Span> | undefined {
  const members = new Map<string, Span>()
  for (let at = json.indexOf('{') + 1; ; ) {
    const quote = skipSpace(json, at)
    if (json.charCodeAt(quote) !== QUOTE) return members
    const keyEnd = stringEnd(json, quote + 1)
    const key = json.slice(quote + 1, keyEnd)
    if (key.includes('\\') || members.has(key)) return undefined
    const start = skipSpace(json, json.indexOf(':', keyEnd) + 1)
    const end = valueEnd(json, start)
    members.set(key, { start, end })
    at = skipSpace(json, end) + 1
  }
}

/** The insides of all strings of `json`, keys as well, in order. */
export function* stringsOf(json: string): Generator<Span> {
  for (let at = json.indexOf('"'); at !== -1; ) {
    const end = stringEnd(json, at + 1)
    if (end === -1) return
    yield { start: at + 1, end }
    at = json.indexOf('"', end + 1)
  }
}
