import type { Recognizer, Rule } from '../recognizer.ts'

const label = '([A-Z0-9]{1,12} )?([A-Z0-9]{1,12} )?PRIVATE KEY( BLOCK)?'

/**
 * A key goes on to its END line, or to the end of the channel. A BEGIN line that is only talked about ends where
 * no line of key follows: keys are wrapped at 64 or 76, and their headers (RFC 1421, RFC 4880) are short.
 */
const begin = (pattern: string): Rule => ({
  pattern,
  lengthMax: 64,
  sure: { kind: 'block', members: 'A-Za-z0-9+/=', runMin: 20, gapMax: 400 },
})
const end = (pattern: string): Rule => ({ pattern, lengthMax: 64, closes: true })

const block = (name: string, body: string): string =>
  `-----BEGIN ${name}-----\n${body}\n-----END ${name}-----`
const body = Array.from({ length: 6 }, (_, line) =>
  'MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8c'.slice(line),
)

export const privateKey: Recognizer = {
  entity: 'PRIVATE_KEY',
  rules: [
    begin(`-----BEGIN ${label}-----`),
    begin(`---- BEGIN ${label} ----`),
    end(`-----END ${label}-----`),
    end(`---- END ${label} ----`),
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
    ],
    miss: [
      block('PUBLIC KEY', body.join('\n')),
      block('CERTIFICATE', body.join('\n')),
      'BEGIN PRIVATE KEY',
      '-----END PRIVATE KEY-----',
      '-----BEGIN private key-----',
    ],
  },
}
