import type { Recognizer, Validator } from '../../recognizer.ts'
import { alphanumeric } from '../shapes.ts'
import { looksIssued } from './placeholder.ts'
import {
  base62,
  base64,
  base64url,
  closedKey,
  hex,
  type Piece,
  run,
  vendorKey,
  vendorKeys,
  web64,
} from './prefixed.ts'

/** Tokens that say where they are valid (`glpat-...​.01.abc`) go on behind dots. */
const gitlab = (prefixes: readonly string[], units: number) => ({
  prefixes,
  body: [web64(units)],
  joiners: '.',
})

const gitlabToken = vendorKeys('gitlab-token', [
  gitlab(['glpat-', 'gldt-', 'glrt-', 'glrtr-', 'glcbt-', 'glft-', 'glsoat-', 'glffct-', 'glwt-'], 20),
  gitlab(['glimt-'], 25),
  gitlab(['glptt-'], 40),
  gitlab(['glagent-'], 50),
  gitlab(['gloas-'], 64),
  gitlab(['GR1348941'], 20),
])

const sessionName = '_gitlab_session='
const gitlabSession: Recognizer = {
  id: 'gitlab-session-cookie',
  entity: 'API_KEY',
  category: 'secret',
  tier: 1,
  family: 'prefix',
  rules: [
    {
      pattern: `${sessionName}[A-Za-z0-9]{32}`,
      left: { not: alphanumeric },
      lengthMax: sessionName.length + 32,
      sure: { kind: 'run', members: alphanumeric },
      validate: (text, _start, end) => looksIssued(text, end - 32, end),
    },
  ],
  examples: {
    match: [
      '_gitlab_session=5f1c9a7be2d84036b1c79e0f3a64d82c',
      '_gitlab_session=98u4hvqyqbxyex8arvs5kybemndijtoo',
      '_gitlab_session=00112233445566778899aabbccddeeff',
    ],
    miss: [
      '_gitlab_session=',
      '_gitlab_session=5f1c9a7be2d84036b1c79e0f3a64d82',
      '_gitlab_session=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx',
      'x_gitlab_sessions=5f1c9a7be2d84036b1c79e0f3a64d82c',
    ],
  },
}

const decodesToNumberAndSecret: Validator = (text, start, end) =>
  /^\d{4,16}:/.test(Buffer.from(text.slice(start, end), 'base64').toString('latin1'))

/** Jira and Confluence Data Center: base64 of a number, a colon and random bytes, hence these first characters. */
const atlassianDataCenterToken: Recognizer = {
  id: 'atlassian-data-center-token',
  entity: 'API_KEY',
  category: 'secret',
  tier: 1,
  family: 'prefix',
  rules: [
    {
      pattern: `[MNO][ADQTgjwz][AEIMQUYcgk][012345wxyz][${base64}_\\-]{40}`,
      left: { not: alphanumeric },
      right: { not: `${alphanumeric}+/_=\\-` },
      lengthMax: 44,
      validate: decodesToNumberAndSecret,
    },
  ],
  examples: {
    match: [
      'OTI2NjA3NjU1NTI2Or2DOnASdOHoIhEGyqIuYrdkYaQZ',
      'NDc3MDA5MTQyODE1OlQrWm9xbV9nM0ZkS2J2UXh3eTdI',
      'MTIzNDU2Nzg5MDEyOpeUoRiNkMtXwQbC5vEaDzPgq0Wc',
    ],
    miss: [
      'OTI2NjA3NjU1NTI2Or2DOnASdOHoIhEGyqIuYrdkYaQ',
      'OTI2NjA3NjU1NTI2Or2DOnASdOHoIhEGyqIuYrdkYaQZZ',
      'MTAxMDEwMTAxMDEwMTAxMDEwMTAxMDEwMTAxMDEwMTAx',
      'xOTI2NjA3NjU1NTI2Or2DOnASdOHoIhEGyqIuYrdkYaQZ',
    ],
  },
}

const atlassian: readonly Recognizer[] = [
  // `ATATT3` is followed by a payload, `=` and a CRC32 in hexadecimal.
  vendorKeys('atlassian-api-token', [
    { prefixes: ['ATATT3', 'ATCTT3', 'ATSTT3'], body: [web64(40, 180)], tail: `${base64url}=%` },
    { prefixes: ['ATTA'], body: [hex(60, 72)] },
  ]),
  vendorKeys('bitbucket-token', [
    { prefixes: ['ATBB'], body: [base62(32)] },
    { prefixes: ['BBDC-'], body: [run(`${base64}_\\-`, 40, 44)] },
  ]),
  atlassianDataCenterToken,
]

const alone = `${alphanumeric}_+/.\\-`

/**
 * API keys and encrypted passwords of Artifactory before reference tokens. Nothing else begins like this and goes on with
 * letters in both cases and a digit; `AKCxxxxxxxxxx` is how its documents write one, and it is masked as well.
 */
const jfrogApiKey: Recognizer = {
  id: 'jfrog-api-key',
  entity: 'API_KEY',
  category: 'secret',
  tier: 1,
  family: 'prefix',
  rules: [
    {
      pattern: 'A(KC|P[0-9A-F])[A-Za-z0-9]{10,80}',
      left: { not: alone },
      right: { not: alone },
      lengthMax: 83,
      validate: (text, start, end) => {
        const value = text.slice(start + 3, end)
        return /^x+$/.test(value) || (/\d/.test(value) && /[a-z]/.test(value) && /[A-Z]/.test(value))
      },
    },
  ],
  examples: {
    match: ['AKCp5bueT5nVxQeTnfG7', 'AP6Zq3kTmmW9xLrB', 'AKCxxxxxxxxxx'],
    miss: ['APARTMENTS and AKCHAMPIONSHIP', 'AP1234567890123', 'zAKCp5bueT5nVxQeTnfG7', 'AKCp5bueT5'],
  },
}

const twoParts: readonly Piece[] = [base62(22), '_', hex(40)]

/** Git hosting, continuous integration and code search. `github-token.ts` has GitHub's. */
export const gitHosting: readonly Recognizer[] = [
  gitlabToken,
  gitlabSession,
  ...atlassian,
  vendorKeys('sourcegraph-token', [
    { prefixes: ['sgp_'], body: [hex(40)] },
    { prefixes: ['sgp_'], body: [hex(16), '_', hex(40)] },
    { prefixes: ['sgp_local_', 'sgd_', 'slk_', 'sgph_'], body: [hex(40)], tail: 'A-Fa-f0-9_' },
  ]),
  vendorKey('circleci-token', ['CCIPAT_', 'CCIPRJ_'], ...twoParts),
  vendorKey('buildkite-token', ['bkua_', 'bkaj_', 'bkct_'], base62(40)),
  vendorKey('harness-api-key', ['pat.', 'sat.'], web64(22), '.', base62(24), '.', base62(20)),
  closedKey('octopus-deploy-api-key', ['API-'], run('A-Z0-9', 26)),
  jfrogApiKey,
  vendorKeys('jfrog-token', [
    { prefixes: ['AKCp'], body: [base62(40, 69)] },
    { prefixes: ['cmVmd'], body: [base62(59)], end: 'closed' },
  ]),
]
