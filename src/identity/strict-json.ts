/** Thrown for a text that is not JSON, or is JSON that two parsers could read differently. Quotes nothing of it. */
export class NotStrictJson extends Error {
  constructor() {
    super('not strict JSON')
    this.name = 'NotStrictJson'
  }
}

export interface StrictJsonBounds {
  readonly bytesMax: number
  readonly depthMax: number
}

export type JsonObject = Readonly<Record<string, unknown>>

/** Whether a parsed value is a JSON object (not null, not an array). */
export const isJsonObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The object's own member; members of the prototype (`constructor`) do not exist for us. */
export const member = (object: JsonObject, name: string): unknown =>
  Object.hasOwn(object, name) ? object[name] : undefined

// `ignoreBOM` keeps a byte order mark in the text, where JSON.parse then refuses it (RFC 8259 section 8.1).
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Parses JSON whose meaning does not depend on the parser: valid UTF-8, bounded size and depth, no member twice in
 * one object (RFC 7519 section 4 lets a parser keep the last one, and parsers differ), and no `__proto__`.
 */
export function parseStrictJson(bytes: Uint8Array, { bytesMax, depthMax }: StrictJsonBounds): unknown {
  if (bytes.byteLength > bytesMax) throw new NotStrictJson()
  let value: unknown
  let text: string
  try {
    text = utf8.decode(bytes)
    value = JSON.parse(text)
  } catch {
    throw new NotStrictJson()
  }
  refuseDoubtfulMembers(text, depthMax)
  return value
}

/** Walks a text that is known to be valid JSON, so a string that a colon follows can only be a member name. */
function refuseDoubtfulMembers(text: string, depthMax: number): void {
  const names: Set<string>[] = []
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at]
    if (character === '{' || character === '[') {
      if (names.push(new Set()) > depthMax) throw new NotStrictJson()
    } else if (character === '}' || character === ']') {
      names.pop()
    } else if (character === '"') {
      const end = endOfString(text, at)
      if (isMemberName(text, end)) remember(names.at(-1), text.slice(at, end))
      at = end - 1
    }
  }
}

function endOfString(text: string, start: number): number {
  let at = start + 1
  while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1
  return at + 1
}

function isMemberName(text: string, end: number): boolean {
  let at = end
  while (text[at] === ' ' || text[at] === '\t' || text[at] === '\n' || text[at] === '\r') at += 1
  return text[at] === ':'
}

function remember(names: Set<string> | undefined, quoted: string): void {
  // Compared after unescaping: "s\u0075b" and "sub" are the same member.
  const name: unknown = JSON.parse(quoted)
  if (typeof name !== 'string' || name === '__proto__' || names?.has(name) !== false)
    throw new NotStrictJson()
  names.add(name)
}
