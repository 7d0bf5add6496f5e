import { timingSafeEqual } from 'node:crypto'
import { isJsonObject } from './strict-json.ts'
import { tokenRefusal } from './token-refusal.ts'

/** What an issuer's tokens need: `mtls` refuses a token without `cnf`; a token that has one is always held to it. */
export type BindingRule = 'none' | 'mtls'

const thumbprint = /^[A-Za-z0-9_-]{43}$/

/** Reads `cnf` (RFC 7800): only the certificate thumbprint of RFC 8705 section 3.1; anything else is refused. */
export function readConfirmation(cnf: unknown, rule: BindingRule): string | undefined {
  if (cnf === undefined) {
    if (rule === 'mtls') throw tokenRefusal('not_bound')
    return undefined
  }
  // A member we do not understand is a proof of possession that we would not demand.
  if (!isJsonObject(cnf) || Object.keys(cnf).length !== 1) throw tokenRefusal('unsupported_confirmation')
  const x5t = Object.hasOwn(cnf, 'x5t#S256') ? cnf['x5t#S256'] : undefined
  if (typeof x5t !== 'string' || !thumbprint.test(x5t)) throw tokenRefusal('unsupported_confirmation')
  return x5t
}

/** Refuses a bound token that comes over another certificate's connection. */
export function checkBinding(confirmation: string | undefined, fingerprint: string): void {
  if (confirmation !== undefined && !isSame(confirmation, fingerprint))
    throw tokenRefusal('wrong_certificate')
}

function isSame(left: string, right: string): boolean {
  const a = Buffer.from(left, 'latin1')
  const b = Buffer.from(right, 'latin1')
  return a.length === b.length && timingSafeEqual(a, b)
}
