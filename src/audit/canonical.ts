import type { AuditValue } from './record.ts'

/** Records are flat; deeper than this is a mistake (and stops a cycle). */
const depthMax = 16

const refuse = (why: string): never => {
  throw new TypeError(`no canonical JSON form: ${why}`)
}

/**
 * A string as RFC 8785 §3.2.2.2 writes it: ECMAScript's own quoting; lone surrogates have no UTF-8 and are
 * refused.
 */
export function canonicalString(text: string): string {
  return text.isWellFormed() ? JSON.stringify(text) : refuse('a string with a lone surrogate')
}

function canonicalNumber(value: number): string {
  if (!Number.isFinite(value)) refuse('a number that is not finite')
  // RFC 8785 would write -0 as 0: two values with one form. A log that is compared byte by byte wants
  // neither.
  if (Object.is(value, -0)) refuse('minus zero')
  return String(value)
}

type Fields = { readonly [field: string]: AuditValue | undefined }

/** A field of an object as it stands in the canonical form: `"key":value`. */
export interface Member {
  readonly key: string
  readonly text: string
}

function membersAt(fields: Fields, depth: number): Member[] {
  const members: Member[] = []
  // RFC 8785 §3.2.3 sorts by UTF-16 code unit, which is what sort() does without a comparison.
  for (const key of Object.keys(fields).sort()) {
    const value = fields[key]
    if (value !== undefined)
      members.push({ key, text: `${canonicalString(key)}:${canonicalAt(value, depth)}` })
  }
  return members
}

/** The fields of an object in canonical order and form; those that are `undefined` are left out. */
export const canonicalMembers = (fields: Fields): Member[] => membersAt(fields, 1)

/** The object that has these members, which must be in canonical order. */
export const joinMembers = (members: readonly Member[]): string =>
  `{${members.map(({ text }) => text).join(',')}}`

function canonicalAt(value: AuditValue, depth: number): string {
  if (depth > depthMax) refuse('nested too deeply')
  if (value === null || value === true || value === false) return String(value)
  if (typeof value === 'string') return canonicalString(value)
  if (typeof value === 'number') return canonicalNumber(value)
  if (typeof value !== 'object') return refuse(`a ${typeof value}`)
  if (Array.isArray(value)) return `[${value.map((item) => canonicalAt(item, depth + 1)).join(',')}]`
  return joinMembers(membersAt(value as Fields, depth + 1))
}

/**
 * The one text form of a JSON value (RFC 8785, JCS): keys sorted, numbers as ECMAScript writes them, no white
 * space. Members that are `undefined` are left out. Throws a TypeError for what has no such form.
 */
export function canonical(value: AuditValue): string {
  return canonicalAt(value, 0)
}
