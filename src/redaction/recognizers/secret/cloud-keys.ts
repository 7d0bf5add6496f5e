import type { Recognizer } from '../../recognizer.ts'
import { alphanumeric } from '../shapes.ts'
import { followsName, isNamed } from './named-value.ts'
import { looksIssued } from './placeholder.ts'
import { base62, base64, closedKey, hex, run, vendorKey, vendorKeys, web64 } from './prefixed.ts'

const isNamedSig = isNamed('sig')

/** Azure Storage, Service Bus and Event Hubs: an HMAC-SHA256 in base64, mostly percent-encoded, at the end of a URL. */
const azureSasSignature: Recognizer = {
  id: 'azure-sas-signature',
  entity: 'API_KEY',
  category: 'secret',
  tier: 1,
  family: 'prefix',
  rules: [
    {
      pattern: '[A-Za-z0-9%/+]{43,80}(=|%3D|%3d)',
      left: { only: '=' },
      lengthMax: 83,
      guard: followsName,
      validate: (text, start, end) => isNamedSig(text, start, end) && looksIssued(text, start, end),
    },
  ],
  examples: {
    match: [
      { before: '?sv=2024-11-04&sig=', value: 'p3Tz9jW%2FQ0v8bXk1mR5uY7cN2dF4gH6sA%2BeLiOwVhKq%3D' },
      { before: '?sig=', value: 'p3Tz9jWQ0v8bXk1mR5uY7cN2dF4gH6sAeLiOwVhKq12=' },
      { before: 'se=2031&sig=', value: 'Q0v8bXk1mR5uY7cN2dF4gH6sAeLiOwVhKq12%2fp3Tz9jW%3d' },
    ],
    miss: [
      '?sig=short',
      '?sig=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx=',
      '?id=p3Tz9jWQ0v8bXk1mR5uY7cN2dF4gH6sAeLiOwVhKq12=',
      'sig p3Tz9jWQ0v8bXk1mR5uY7cN2dF4gH6sAeLiOwVhKq12=',
    ],
  },
}

/** Client secrets of Entra ID: three random characters, a digit, `Q~`, 31 to 34 more. */
const azureClientSecret: Recognizer = {
  id: 'azure-client-secret',
  entity: 'API_KEY',
  category: 'secret',
  tier: 1,
  family: 'prefix',
  rules: [
    {
      pattern: '\\dQ~[A-Za-z0-9_~.\\-]{30,33}[A-Za-z0-9_~\\-]',
      head: { first: 'A-Za-z0-9_~.\\-', rest: 'A-Za-z0-9_~.\\-', lengthMax: 3 },
      right: { not: 'A-Za-z0-9_~\\-' },
      lengthMax: 40,
      validate: (text, start, end) => text[start + 5] === '~' && looksIssued(text, start + 6, end),
    },
  ],
  examples: {
    match: [
      '8Lk8Q~kP2vT5mWxY9bNcRfGhJ4sDaZeUoI7q.1Bt',
      'p.~7Q~aB3dE5fG7hI9jK1lM3nO_Q5rS7tU9vW1xY',
      'Zt58Q~kP2vT5mWxY9bNcRfGhJ4sDaZeUoI7q1B~Z',
    ],
    miss: [
      '8Lk8Q~kP2vT5mWxY9bNcRfGhJ4sDaZeUoI7',
      '8LkaQ~kP2vT5mWxY9bNcRfGhJ4sDaZeUoI7q.1Bt',
      '8Lk8Q~xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx',
      'k8Q~kP2vT5mWxY9bNcRfGhJ4sDaZeUoI7q.1Bt',
    ],
  },
}

/** The marks that Microsoft sets near the end of keys, behind so many random characters: 32, 42, 52 and 76 bytes of key. */
const azureMarks = [
  'JQQJ9[9DH][A-Za-z0-9]{26}',
  'AzFu[A-Za-z0-9_\\-]{5}[AQgw]==?',
  'AzSe[A-D][A-Za-z0-9]{5}',
  'ACDb[A-Za-z0-9+/]{5}[AQgw]==?',
  '\\+(ASt|ABa|AMC|AEh|ASb|ARm)[A-Za-z0-9+/]{5}[AQgw]==?',
  '\\+ACR[A-D][A-Za-z0-9]{6}',
  'AZDO[A-Za-z0-9]{4}',
]
const azureMarked: Recognizer = {
  id: 'azure-marked-key',
  entity: 'API_KEY',
  category: 'secret',
  tier: 1,
  family: 'prefix',
  rules: [
    {
      pattern: `(${azureMarks.join('|')})`,
      head: { first: 'A-Za-z0-9+/_\\-', rest: 'A-Za-z0-9+/_\\-', lengthMax: 76 },
      right: { not: 'A-Za-z0-9+/=' },
      lengthMax: 108,
      validate: (text, start, end) => end - start >= 42 && looksIssued(text, start, end),
    },
  ],
  examples: {
    match: [
      'q7Wc2LrT9mVx4KpZ1nBd6HgF3sJyA8eUoRiNkMtXwQbC5vEaDzPgJQQJ99BAACfg1hK2mN3pQ4rS5tU6vW7x',
      'q7Wc2LrT9mVx4KpZ1nBd6HgF3sJyA8eUoRiNkMtXwQbCAzFuPq2rSg==',
      'q7Wc2LrT9mVx4KpZ1nBd6HgF3sJyA8eUoRiNkMtXwQbC5vEaDzPgq7Wc2LrT9mVx4KpZ1nBd6HgF+AStPq2rSw==',
    ],
    miss: [
      'AzFuPq2rSg==',
      'WcLrAzFuPq2rSg==',
      'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxAzFuxxxxxg==',
      'q7Wc2LrT9mVx4KpZ1nBd6HgF3sJyA8eUoRiNkMtXwQbCAzFuPq2rSg',
    ],
  },
}

const amazon: readonly Recognizer[] = [
  vendorKeys('amazon-bedrock-api-key', [
    { prefixes: ['ABSK'], body: [run(base64, 60, 128)], tail: `${base64}=` },
    { prefixes: ['bedrock-api-key-'], body: [run(base64, 28, 60)], tail: `${base64}=%` },
  ]),
  closedKey('amazon-appsync-api-key', ['da2-'], run('a-z0-9', 26)),
  vendorKey('amazon-mws-token', ['amzn.mws.'], run('A-Za-z0-9\\-', 32, 36)),
  vendorKeys('amazon-login-secret', [
    { prefixes: ['amzn1.oa2-cs.v1.'], body: [hex(64)] },
    { prefixes: ['Atza|', 'Atzr|'], body: [web64(40, 120)] },
  ]),
  // The first bytes of every token of the Security Token Service, from three of its ages.
  vendorKeys('amazon-session-token', [
    {
      prefixes: ['IQoJb3JpZ2lu', 'FwoGZXIvYXdz', 'FQoGZXIvYXdz'],
      body: [run(base64, 40, 300)],
      tail: `${base64}=`,
    },
  ]),
]

const google: readonly Recognizer[] = [
  vendorKey('google-api-key', ['AIza'], web64(35)),
  vendorKey('google-oauth-client-secret', ['GOCSPX-'], web64(28)),
  vendorKeys('google-oauth-token', [
    { prefixes: ['ya29.'], body: [web64(20, 180)], joiners: '.' },
    { prefixes: ['1//0'], body: [web64(40, 99)] },
  ]),
]

const platforms: readonly Recognizer[] = [
  vendorKeys('alibaba-access-key', [
    { prefixes: ['LTAI'], body: [{ members: alphanumeric, units: 12, unitsMax: 24 }], end: 'closed' },
  ]),
  closedKey('tencent-secret-id', ['AKID'], base62(32)),
  closedKey('scaleway-access-key', ['SCW'], run('A-Z0-9', 17)),
  vendorKey('digitalocean-token', ['dop_v1_', 'doo_v1_', 'dor_v1_'], hex(64)),
  vendorKeys('cloudflare-api-token', [
    { prefixes: ['cfat_', 'cfut_', 'cfk_'], body: [base62(40, 48)] },
    { prefixes: ['v1.0-'], body: [hex(24), '-', hex(24, 146)] },
  ]),
  vendorKeys('heroku-api-key', [{ prefixes: ['HRKU-'], body: [web64(36, 60)] }]),
  vendorKeys('fly-io-token', [
    { prefixes: ['fo1_'], body: [web64(43)] },
    {
      prefixes: ['fm1a_', 'fm1r_', 'fm2_'],
      body: [run(base64, 60, 240)],
      tail: `${base64}=_`,
      joiners: ',',
    },
  ]),
  vendorKey('scalingo-api-token', ['tk-us-'], web64(48)),
  vendorKey('vercel-token', ['vcp_', 'vci_', 'vca_', 'vcr_', 'vck_'], base62(24, 56)),
  vendorKey('netlify-token', ['nfp_', 'nfc_', 'nfo_', 'nfb_', 'nfu_'], web64(36)),
  vendorKey('render-api-key', ['rnd_'], base62(28)),
  vendorKey('koyeb-neon-api-key', ['napi_'], base62(40, 64)),
  vendorKeys('yandex-cloud-key', [
    { prefixes: ['AQVN'], body: [web64(35)] },
    { prefixes: ['YC'], body: [web64(38)], end: 'closed' },
    { prefixes: ['t1.'], body: [{ members: 'A-Za-z0-9_\\-=', units: 3, unitsMax: 240 }, '.', web64(86)] },
  ]),
  closedKey('akamai-edgegrid-token', ['akab-'], run('a-z0-9', 16), '-', run('a-z0-9', 16)),
  vendorKeys('openshift-token', [{ prefixes: ['sha256~'], body: [web64(43)] }]),
  vendorKey('rancher-token', ['token-'], run('a-z0-9', 5), ':', run('a-z0-9', 54)),
]

export const cloudKeys: readonly Recognizer[] = [
  ...amazon,
  ...google,
  azureClientSecret,
  azureSasSignature,
  azureMarked,
  ...platforms,
]
