import type { Recognizer } from '../../recognizer.ts'
import { alphanumeric } from '../shapes.ts'
import { looksIssued } from './placeholder.ts'
import { base62, base64url, closedKey, hex, run, uuid, vendorKey, vendorKeys, web64 } from './prefixed.ts'

/** RapidAPI: ten characters, then marks at fixed places. */
const rapidApiKey: Recognizer = {
  id: 'rapidapi-key',
  entity: 'API_KEY',
  category: 'secret',
  tier: 1,
  family: 'prefix',
  rules: [
    {
      pattern: 'msh[a-f0-9]{15}p1[a-f0-9]{6}jsn[a-f0-9]{12}',
      head: { first: alphanumeric, rest: alphanumeric, lengthMax: 10 },
      right: { not: alphanumeric },
      lengthMax: 51,
      validate: (_text, start, end) => end - start === 51,
    },
  ],
  examples: {
    match: [
      'q7wc2lrt9mmsh4d5f68213b0c9e7p1d5a4f1jsn7c1e0b9a4d5f',
      '0123456789msh4d5f68213b0c9e7p1d5a4f1jsn7c1e0b9a4d5f',
      'sjya8euorimsh13b0c9e74d5f682p15a4f10jsn9a4d5f7c1e0b',
    ],
    miss: [
      'msh4d5f68213b0c9e7p1d5a4f1jsn7c1e0b9a4d5f',
      'q7wc2lrt9mmsh4d5f68213b0c9e7p2d5a4f1jsn7c1e0b9a4d5f',
      'q7wc2lrt9mmsh4d5f68213b0c9e7p1d5a4f1jsn7c1e0b9a4d5',
      'q7wc2lrt9mmsh4d5f68213b0c9e7p1d5a4f1jsn7c1e0b9a4d5f0',
    ],
  },
}

/** MaxMind: six characters, `_`, 29 characters, `_mmk`. */
const maxmindLicenseKey: Recognizer = {
  id: 'maxmind-license-key',
  entity: 'API_KEY',
  category: 'secret',
  tier: 1,
  family: 'prefix',
  rules: [
    {
      pattern: '_mmk',
      head: { first: alphanumeric, rest: 'A-Za-z0-9_', lengthMax: 36 },
      right: { not: alphanumeric },
      lengthMax: 40,
      validate: (text, start, end) =>
        /^[A-Za-z0-9]{6}_[A-Za-z0-9]{29}_mmk$/.test(text.slice(start, end)) && looksIssued(text, start, end),
    },
  ],
  examples: {
    match: [
      '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',
      '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',
      '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',
    ],
    miss: [
      '_mmk',
      'q7Wc2LrT9mVx4KpZ1nBd6HgF3sJyA8eUoRi_mmk',
      'xxxxxx_xxxxxxxxxxxxxxxxxxxxxxxxxxxxx_mmk',
      'q7Wc2L_rT9mVx4KpZ1nBd6HgF3sJyA8eUoRi_mmx',
    ],
  },
}

/** An app's number, `|` and its secret. */
const facebookAppToken: Recognizer = {
  id: 'facebook-app-token',
  entity: 'API_KEY',
  category: 'secret',
  tier: 1,
  family: 'prefix',
  rules: [
    {
      pattern: `[0-9]{12,18}(\\||%7C|%7c|%)[${base64url}]{24,40}`,
      left: { not: alphanumeric },
      right: { not: base64url },
      lengthMax: 61,
      validate: (text, _start, end) => looksIssued(text, end - 24, end),
    },
  ],
  examples: {
    match: [
      `911602140448729|AY-lRJZq9BoDLobvAiP25L7RcM${'g'}`,
      `1308742762612587|rhoK1cbv0DOU_RTX_87O4MkX7A${'I'}`,
      `1308742762612587%7CrhoK1cbv0DOU_RTX_87O4MkX7A${'I'}`,
    ],
    miss: [
      '911602140448729|AY-lRJZq9BoDLobvAiP25',
      '911602140448729|xxxxxxxxxxxxxxxxxxxxxxxxxxx',
      '9116|AY-lRJZq9BoDLobvAiP25L7RcMg',
      'x911602140448729|AY-lRJZq9BoDLobvAiP25L7RcMg',
    ],
  },
}

const social: readonly Recognizer[] = [
  facebookAppToken,
  vendorKeys('meta-access-token', [
    { prefixes: ['EAA'], body: [base62(80, 180)] },
    { prefixes: ['IGQVJ', 'IGQWR', 'IGAA'], body: [run(base64url, 80, 160)] },
  ]),
  vendorKeys('x-bearer-token', [{ prefixes: ['AAAAAAAAAAAAAAAAAAAAA'], body: [run('A-Za-z0-9%', 40, 90)] }]),
  vendorKeys('linkedin-client-secret', [
    { prefixes: ['WPL_AP0.', 'WPL_AP1.'], body: [base62(16), '.', base62(6)], tail: 'A-Za-z0-9=' },
  ]),
]

const work: readonly Recognizer[] = [
  vendorKey('airtable-access-token', ['pat'], base62(14), '.', hex(64)),
  vendorKeys('asana-token', [
    { prefixes: ['0/', '1/'], body: [run('0-9', 16), ':', hex(32)], end: 'closed' },
    {
      prefixes: ['2/'],
      body: [
        { members: '0-9', units: 13, unitsMax: 17 },
        '/',
        { members: '0-9', units: 13, unitsMax: 17 },
        ':',
        hex(32),
      ],
    },
  ]),
  vendorKeys('notion-token', [
    { prefixes: ['ntn_'], body: [run('0-9', 9), base62(34, 37)] },
    { prefixes: ['secret_'], body: [base62(43)], end: 'closed' },
  ]),
  vendorKey('linear-token', ['lin_api_', 'lin_oauth_', 'lin_wh_'], base62(40)),
  vendorKeys('postman-api-key', [
    { prefixes: ['PMAK-'], body: [hex(24), '-', hex(34)] },
    { prefixes: ['PMAT-'], body: [run('A-Z0-9', 26)] },
  ]),
  vendorKeys('figma-token', [{ prefixes: ['figd_', 'figu_', 'figo_', 'figr_', 'figh_'], body: [web64(40)] }]),
  vendorKey('typeform-token', ['tfp_'], run(`${base64url}.=`, 40, 59)),
  vendorKey('contentful-token', ['CFPAT-'], web64(43)),
  vendorKey('readme-api-key', ['rdme_'], run('a-z0-9', 70)),
  vendorKey('frame-io-token', ['fio-u-'], run(`${base64url}=`, 64)),
  vendorKey('intra42-client-secret', ['s-s4t2ud-', 's-s4t2af-'], hex(64)),
  closedKey('adobe-client-secret', ['p8e-', 'p8-'], run('A-Za-z0-9\\-_', 32)),
  vendorKeys('dropbox-token', [{ prefixes: ['sl.', 'sl.u.', 'sl.B'], body: [web64(77, 136)] }]),
  vendorKey('mapbox-secret-token', ['sk.eyJ'], run(base64url, 40, 70)),
  vendorKey('hubspot-access-token', ['pat-na1-', 'pat-na2-', 'pat-eu1-', 'pat-ap1-'], ...uuid),
  closedKey('clickup-token', ['pk_'], { members: '0-9', units: 5, unitsMax: 12 }, '_', run('A-Z0-9', 32)),
  vendorKeys('salesforce-token', [
    {
      prefixes: ['00D'],
      body: [{ members: alphanumeric, units: 9, unitsMax: 15 }, '!', run('A-Za-z0-9_.', 40, 96)],
    },
    { prefixes: ['3MVG'], body: [run('A-Za-z0-9_.', 40, 81)] },
  ]),
  vendorKey('wakatime-api-key', ['waka_', 'waka_tok_', 'sec_'], ...uuid),
  vendorKey('stytch-secret', ['secret-test-', 'secret-live-'], web64(35)),
  vendorKey('unkey-root-key', ['unkey_'], base62(22)),
  vendorKeys('ebay-oauth-token', [
    { prefixes: ['v^1.1#i^1#'], body: [run('A-Za-z0-9#^+/', 40, 160)], tail: 'A-Za-z0-9#^+/=' },
  ]),
  vendorKeys('wechat-app-id', [{ prefixes: ['wx'], body: [run('0-9a-f', 16)], end: 'closed' }], { tier: 2 }),
  vendorKey('nightfall-api-key', ['NF-'], base62(32)),
  vendorKeys('persona-api-key', [{ prefixes: ['persona_production_', 'persona_sandbox_'], body: [...uuid] }]),
  vendorKey('retool-access-token', ['retool_01'], run('a-z0-9', 24)),
  vendorKey('n8n-api-key', ['n8n_api_'], hex(40, 80)),
  vendorKey('workato-token', ['wrkato_', 'wrkaus-', 'wrkaeu-'], run('A-Za-z0-9', 32, 40)),
]

/** Offices, design, content, sales and social networks. */
export const saasTokens: readonly Recognizer[] = [...social, ...work, rapidApiKey, maxmindLicenseKey]
