import type { Recognizer } from '../../recognizer.ts'
import { alphanumeric } from '../shapes.ts'
import { isFilled } from './placeholder.ts'
import { base64, closedKey, run, vendorKeys } from './prefixed.ts'

const asPrivateKey = { entity: 'PRIVATE_KEY' } as const

/**
 * A PEM block in base64 begins like this, or behind an end of line like one of the others; whose key it holds stands
 * within the 38 characters that follow.
 */
const encodedPem: Recognizer = {
  id: 'encoded-private-key',
  entity: 'PRIVATE_KEY',
  category: 'secret',
  tier: 1,
  family: 'prefix',
  rules: [
    {
      pattern: `(LS0tLS1CRUdJTi|Ci0tLS0tQkVHSU4g|DQotLS0tLUJFR0lO)[${base64}]{38}`,
      left: { not: alphanumeric },
      lengthMax: 54,
      sure: { kind: 'run', members: `${base64}=_\\-` },
      validate: (text, start, end) =>
        Buffer.from(text.slice(start, end), 'base64').toString('latin1').includes('PRIVATE KEY'),
    },
  ],
  examples: {
    match: ['RSA PRIVATE', 'ENCRYPTED PRIVATE', 'OPENSSH PRIVATE'].map((name) =>
      Buffer.from(`-----BEGIN ${name} KEY-----\n${'MIIEvQIBADANBgkqhkiG9w0BAQEFAASC'.repeat(4)}\n`).toString(
        'base64',
      ),
    ),
    miss: ['PUBLIC KEY', 'CERTIFICATE', 'RSA PUBLIC KEY', 'PGP MESSAGE'].map((name) =>
      Buffer.from(`-----BEGIN ${name}-----\n${'MIIEvQIBADANBgkqhkiG9w0BAQEFAASC'.repeat(4)}\n`).toString(
        'base64',
      ),
    ),
  },
}

/** Keys that are no PEM block: age, NATS, extended keys of wallets. */
export const keyMaterial: readonly Recognizer[] = [
  encodedPem,
  vendorKeys(
    'age-secret-key',
    [
      {
        prefixes: ['AGE-SECRET-KEY-1'],
        body: [run('QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L', 58)],
        // Nothing else is written like this, whatever its checksum says.
        validate: () => true,
      },
      {
        prefixes: ['age-secret-key-1'],
        body: [run('qpzry9x8gf2tvdw0s3jn54khce6mua7l', 58)],
        validate: (text, _start, end) => !isFilled(text, end - 58, end),
      },
    ],
    asPrivateKey,
  ),
  {
    ...closedKey('nats-nkey-seed', ['SA', 'SC', 'SN', 'SO', 'SU', 'SX'], run('A-Z2-7', 56)),
    ...asPrivateKey,
  },
  vendorKeys(
    'extended-private-key',
    [{ prefixes: ['xprv', 'yprv', 'zprv', 'tprv'], body: [run('1-9A-HJ-NP-Za-km-z', 60, 107)] }],
    asPrivateKey,
  ),
]
