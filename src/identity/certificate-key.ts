import { childrenOf, type Der, DerError, expectTag, readDer, tags } from './der.ts'
import { bitsOf, integerOf, oidOf } from './der-values.ts'
import { isWeakRsa } from './weak-rsa.ts'

/** The public key of a certificate, as far as its strength must be judged. */
export type CertificateKey =
  | { readonly kind: 'rsa'; readonly bits: number; readonly weak: boolean }
  | { readonly kind: 'ec'; readonly curve: string }
  | { readonly kind: 'ed25519' | 'ed448' }
  | { readonly kind: 'other'; readonly oid: string }

const oids = {
  rsa: '1.2.840.113549.1.1.1',
  rsaPss: '1.2.840.113549.1.1.10',
  ec: '1.2.840.10045.2.1',
  ed25519: '1.3.101.112',
  ed448: '1.3.101.113',
} as const

const curves: ReadonlyMap<string, string> = new Map([
  ['1.2.840.10045.3.1.7', 'P-256'],
  ['1.3.132.0.34', 'P-384'],
  ['1.3.132.0.35', 'P-521'],
])

/** Reads a SubjectPublicKeyInfo. A kind that is not known is `other`, never an error. */
export function readKey(info: Der): CertificateKey {
  const [algorithm, key] = childrenOf(info, 2)
  const [oidElement, parameters] = childrenOf(expectTag(algorithm, tags.sequence), 2)
  const oid = oidOf(expectTag(oidElement, tags.oid))
  const bits = bitsOf(expectTag(key, tags.bitString))
  if (bits.unused !== 0) throw new DerError('key with loose bits')
  if (oid === oids.rsa || oid === oids.rsaPss) return readRsa(bits.octets)
  if (oid === oids.ec) return { kind: 'ec', curve: curveOf(parameters) }
  if (oid === oids.ed25519) return { kind: 'ed25519' }
  if (oid === oids.ed448) return { kind: 'ed448' }
  return { kind: 'other', oid }
}

function readRsa(octets: Buffer): CertificateKey {
  const [modulusElement, exponentElement] = childrenOf(readDer(octets, tags.sequence), 2)
  const modulus = unsigned(expectTag(modulusElement, tags.integer))
  const exponent = unsigned(expectTag(exponentElement, tags.integer))
  const bits = modulus.length * 8 - Math.clz32(modulus[0] ?? 0) + 24
  return { kind: 'rsa', bits, weak: bits % 8 !== 0 || isWeakRsa(modulus, exponent) }
}

function unsigned(element: Der): Buffer {
  const value = integerOf(element)
  if ((value[0] ?? 0) >= 0x80) throw new DerError('negative key')
  return value[0] === 0 ? value.subarray(1) : value
}

/** Only named curves have a name here; explicit parameters are how CVE-2020-0601 was done. */
function curveOf(parameters: Der | undefined): string {
  if (parameters?.tag !== tags.oid) return 'explicit'
  return curves.get(oidOf(parameters)) ?? 'other'
}

/** Why a key must not be trusted, or `undefined`. */
export function keyFault(key: CertificateKey): 'cert_key_weak' | 'cert_key_unsupported' | undefined {
  if (key.kind === 'other') return 'cert_key_unsupported'
  if (key.kind === 'rsa' && key.weak) return 'cert_key_weak'
  if (key.kind === 'ec' && !key.curve.startsWith('P-')) return 'cert_key_unsupported'
  return undefined
}
