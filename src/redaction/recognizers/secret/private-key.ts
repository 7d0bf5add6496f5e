import { surprisal } from '../../rarity.ts'
import type { Guard, Recognizer, Rule, Validator } from '../../recognizer.ts'
import { LeftReader } from './left-reader.ts'

const label = '([A-Z0-9]{1,12} )?([A-Z0-9]{1,12} )?PRIVATE KEY( BLOCK)?'
const base64 = 'A-Za-z0-9+/'

/**
 * A key goes on to its END line, or to the end of the channel. A BEGIN line that is only talked about ends
 * where no line of key follows: keys are wrapped at 64 or 76, and their headers (RFC 1421, RFC 4880) are
 * short.
 */
const begin = (pattern: string): Rule => ({
  pattern,
  lengthMax: 64,
  sure: { kind: 'block', members: 'A-Za-z0-9+/=', runMin: 20, gapMax: 240 },
})
const end = (pattern: string): Rule => ({ pattern, lengthMax: 64, closes: true })

const decoded = (text: string, start: number, end: number): Buffer =>
  Buffer.from(text.slice(start, end), 'base64')

/** The base64 of a PEM file, as Kubernetes and CI variables hold it; certificates begin the same way. */
const encodedPem: Rule = {
  pattern: `LS0tLS1CRUdJTi[${base64}]{30}`,
  left: { not: base64 },
  lengthMax: 44,
  sure: { kind: 'run', members: `${base64}=`, joiners: '\\n\\\\' },
  validate: (text, start, end) => decoded(text, start, end).includes('PRIVATE KEY'),
}

/** Where the content of the SEQUENCE at the beginning of DER begins, or -1. */
function contentOf(der: Buffer): number {
  const length = der[1] as number
  if (der[0] !== 0x30) return -1
  if (length < 0x80) return 2
  return length === 0x81 || length === 0x82 ? length - 0x7e : -1
}

const integer = 0x02
const sequence = 0x30
const octets = 0x04

/**
 * DER of a private key without its PEM lines: PKCS#1 (RFC 8017, A.1.2), SEC 1 (RFC 5915) and PKCS#8 (RFC
 * 5958) all begin with a version, where a public key has its modulus or algorithm and a certificate a
 * sequence.
 */
const isPrivateDer: Validator = (text, start, end) => {
  const der = decoded(text, start, end)
  const from = contentOf(der)
  if (from < 0 || der[from] !== integer || der[from + 1] !== 1) return false
  const version = der[from + 2] as number
  const next = der[from + 3]
  if (version === 0) return (next === integer && (der[from + 4] as number) >= 0x40) || next === sequence
  return version === 1 && ((next === octets && (der[from + 4] as number) >= 0x18) || next === sequence)
}

const bareDer: Rule = {
  pattern: `M[CEFGHI][${base64}]{30}`,
  left: { not: `${base64}_` },
  lengthMax: 32,
  sure: { kind: 'run', members: `${base64}=`, joiners: '\\n\\\\' },
  validate: isPrivateDer,
}

const jwkMember = /["'\\]\s{0,4}:\s{0,4}\\?["']$/
const jwkName = /["']((?:d|p|q|dp|dq|qi|k))\\?["']\s{0,4}:\s{0,4}\\?["']$/
const keyType = /\\?["']kty\\?["']/

/** Behind `"d":"`: the private members of a JSON Web Key (RFC 7518, section 6). */
const behindPrivateMember: Guard = (text, start) => {
  const behind = new LeftReader(text, start).behind(16)
  return jwkMember.test(behind) && jwkName.test(behind)
}

/** `k` is a name like any other unless the key says its type before it. */
const isPrivateMember: Validator = (text, start, end) => {
  if (surprisal(text, start, end) < 4.6) return false
  const reader = new LeftReader(text, start)
  return jwkName.exec(reader.behind(16))?.[1] !== 'k' || keyType.test(reader.behind(128))
}

const jwkParameter = (length: number): Rule => ({
  pattern: `[A-Za-z0-9_\\-]{${length}}`,
  left: { only: '"\'' },
  lengthMax: length,
  sure: { kind: 'run', members: 'A-Za-z0-9_\\-=' },
  guard: behindPrivateMember,
  validate: isPrivateMember,
})

const block = (name: string, body: string): string =>
  `-----BEGIN ${name}-----\n${body}\n-----END ${name}-----`
const body = Array.from({ length: 6 }, (_, line) =>
  'MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8c'.slice(line),
)
const encoded = (text: string): string => Buffer.from(text).toString('base64')

export const privateKey: Recognizer = {
  id: 'private-key',
  entity: 'PRIVATE_KEY',
  category: 'secret',
  tier: 1,
  family: 'text',
  rules: [
    begin(`-----BEGIN ${label}-----`),
    begin(`---- BEGIN ${label} ----`),
    end(`-----END ${label}-----`),
    end(`---- END ${label} ----`),
    // PuTTY: the part of the file that its own header calls private, up to the checksum below it.
    begin('Private-Lines: [0-9]{1,3}'),
    end('Private-(MAC|Hash): [0-9a-f]{40,64}'),
    encodedPem,
    bareDer,
    jwkParameter(22),
  ],
  examples: {
    match: [
      block('PRIVATE KEY', body.join('\n')),
      block('RSA PRIVATE KEY', body.join('\r\n')),
      block('OPENSSH PRIVATE KEY', body.join('\\n')),
      block('ENCRYPTED PRIVATE KEY', body.join('",\n"')),
      block('EC PRIVATE KEY', `Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\n${body.join('\n')}`),
      block('PGP PRIVATE KEY BLOCK', `Version: GnuPG v2\n\n${body.join('\n')}\n=abcd`),
      '-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----',
      `Private-Lines: 2\n${body.slice(0, 2).join('\n')}\nPrivate-MAC: ${'0123456789'.repeat(4)}`,
      encoded(block('EC PRIVATE KEY', body[0] as string)),
      body[0] as string,
      { before: '{"kty":"EC","d":"', value: 'jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI' },
      { before: '{"kty":"oct","k":"', value: 'AyM1SysPpbyDfgZld3umj1qzKObwVMko' },
    ],
    miss: [
      block('PUBLIC KEY', body.join('\n').replace('MIIEvQIBADAN', 'MIIBIjANBgkq')),
      block('CERTIFICATE', 'MIIDdzCCAl+gAwIBAgIEAgAAuTANBgkqhkiG9w0BAQUFADBaMQswCQYDVQQGEwJJ'),
      encoded(block('CERTIFICATE', 'MIIDdzCCAl+gAwIBAgIEAgAAuTANBgkqhkiG9w0BAQUFADBaMQswCQYDVQQGEwJJ')),
      'BEGIN PRIVATE KEY',
      '-----END PRIVATE KEY-----',
      '-----BEGIN private key-----',
      '{"k":"AyM1SysPpbyDfgZld3umj1qzKObwVMko"}',
    ],
  },
}
