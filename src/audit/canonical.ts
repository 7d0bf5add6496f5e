import type { AuditValue } from './record.ts'

/** Records are flat; deeper than this is a mistake (and stops a cycle). */
const depthMax = 16

const refuse = (why: string): never => {
  throw new TypeError(`no canonical JSON form: ${why}`)
}

/** A string as RFC 8785 §3.2.2.2 writes it: ECMAScript's own quoting; lone surrogates have no UTF-8 and are refused. */
export function canonicalString(text: string): string {
  return text.isWellFormed() ? JSON.stringify(text) : refuse('a string with a lone surrogate')
}

function canonicalNumber(value: number): string {
  if (!Number.isFinite(value)) refuse('a number that is not finite')
  // RFC 8785 would write -0 as 0: two values with one form. A log that is compared byte by byte wants neither.
  if (Object.is(value, -0)) refuse('minus zero')
  return String(value)
}

function canonicalObject(value: { readonly [field: string]: AuditValue | undefined }, depth: number): string {
  const members: string[] = []
  // RFC 8785 §3.2.3 sorts by UTF-16 code unit, which is what sort() does without a comparison.
  for (const key of Object.keys(value).sort()) {
    const field = value[key]
    if (field !== undefined) members.push(`${canonicalString(key)}:${canonicalAt(field, depth + 1)}`)
  }
  return `{${members.join(',')}}`
}

function canonicalAt(value: AuditValue, depth: number): string {
  if (depth > depthMax) refuse('nested too deeply')
  if (value === null || value === true || value === false) return String(value)
  if (typeof value === 'string') return canonicalString(value)
  if (typeof value === 'number') return canonicalNumber(value)
  if (typeof value !== 'object') return refuse(`a ${typeof value}`)
  if (Array.isArray(value)) return `[${value.map((item) => canonicalAt(item, depth + 1)).join(',')}]`
  return canonicalObject(value as { readonly [field: string]: AuditValue | undefined }, depth)
}

/**
 * The one text form of a JSON value (RFC 8785, JCS): keys sorted, numbers as ECMAScript writes them, no white space.
 * Members that are `undefined` are left out. Throws a TypeError for what has no such form.
 */
export function canonical(value: AuditValue): string {
  return canonicalAt(value, 0)
}
