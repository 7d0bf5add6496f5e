import { hasCrc32Base62 } from '../../checksums/crc32.ts'
import type { Recognizer } from '../../recognizer.ts'
import { followsName, isNamed } from './named-value.ts'
import { looksIssued } from './placeholder.ts'
import { base62, base64url, closedKey, hex, run, vendorKey, vendorKeys } from './prefixed.ts'

const isAuthToken = isNamed(':_authToken')

/** Tokens of npm, and those that `.npmrc` had before: a UUID behind `_authToken=`. */
const npmToken: Recognizer = {
  id: 'npm-token',
  entity: 'API_KEY',
  category: 'secret',
  tier: 1,
  family: 'prefix',
  rules: [
    {
      pattern: 'npm_[A-Za-z0-9]{36}',
      left: { not: 'A-Za-z0-9' },
      lengthMax: 40,
      sure: { kind: 'run', members: base64url },
      validate: (text, start, end) =>
        hasCrc32Base62(text, start + 4, end) || looksIssued(text, start + 4, end),
    },
    {
      pattern: '[A-Za-z0-9_\\-]{20}',
      left: { only: '=' },
      lengthMax: 20,
      sure: { kind: 'run', members: `${base64url}+/=`, joiners: '.' },
      guard: followsName,
      validate: (text, start, end) => isAuthToken(text, start, end) && looksIssued(text, start, end),
    },
  ],
  examples: {
    match: [
      `npm_${'jvWSpviKPtiTvjvVULIntdagfa03sz'}0LVc2L`,
      `npm_${'PHw9PmmyIyIuLsQVKEMIJ22UmxopcN'}4SzISg`,
      { before: '//registry.example.com/:_authToken=', value: '346a14f2-a672-4668-a892-956a462ab56e' },
    ],
    miss: [
      'npm_PHw9PmmyIyIuLsQVKEMIJ22UmxopcN4SzIS',
      'npm_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx',
      'xnpm_PHw9PmmyIyIuLsQVKEMIJ22UmxopcN4SzISg',
      '//registry.example.com/:_authToken=your-token-goes-here',
    ],
  },
}

/** Registries of packages and images. */
export const packageRegistries: readonly Recognizer[] = [
  npmToken,
  // A macaroon: version 2, then the location `pypi.org`, `test.pypi.org` or a registry of one's own.
  vendorKey('pypi-token', ['pypi-AgE', 'pypi-AgEN'], run(base64url, 40, 160)),
  vendorKey('rubygems-api-key', ['rubygems_'], hex(48)),
  vendorKeys('clojars-deploy-token', [{ prefixes: ['CLOJARS_'], body: [base62(60)] }]),
  closedKey('nuget-api-key', ['oy2'], run('a-z0-9', 43)),
  closedKey('crates-io-token', ['cio'], base62(32)),
  vendorKey('docker-access-token', ['dckr_pat_', 'dckr_oat_'], run(base64url, 20, 27)),
  vendorKeys('docker-swarm-key', [
    { prefixes: ['SWMTKN-1-'], body: [run('a-z0-9', 50), '-', run('a-z0-9', 25)] },
    { prefixes: ['SWMKEY-1-'], body: [run('A-Za-z0-9+/', 43)] },
  ]),
  vendorKey(
    'packagist-token',
    ['packagist_ack_', 'packagist_acs_', 'packagist_ort_', 'packagist_uut_'],
    hex(40, 68),
  ),
]
