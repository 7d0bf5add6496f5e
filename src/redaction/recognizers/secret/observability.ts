import { hasCrc32Hex } from '../../checksums/crc32.ts'
import type { Recognizer, Validator } from '../../recognizer.ts'
import { alphanumeric } from '../shapes.ts'
import { looksIssued } from './placeholder.ts'
import {
  base62,
  base64,
  base64url,
  closedKey,
  hex,
  run,
  uuid,
  vendorKey,
  vendorKeys,
  web64,
} from './prefixed.ts'

/** A checksum that does not fit is no pardon; one that fits makes a token of what looks like none. */
const issuedByGrafana: Validator = (text, start, end) =>
  hasCrc32Hex(text, start, end) || looksIssued(text, end - 41, end)

/** A license key of New Relic says nothing before its end. */
const newRelicLicenseKey: Recognizer = {
  id: 'new-relic-license-key',
  entity: 'API_KEY',
  category: 'secret',
  tier: 1,
  family: 'prefix',
  rules: [
    {
      pattern: '(NRAL|FFFFNRAL)',
      head: { first: 'a-z0-9', rest: 'a-z0-9', lengthMax: 36 },
      right: { not: alphanumeric },
      lengthMax: 44,
      validate: (text, start, end) =>
        /^[a-z0-9]{5}[a-f0-9]{27,31}(?:FFFF)?NRAL$/.test(text.slice(start, end)) &&
        looksIssued(text, start, end),
    },
  ],
  examples: {
    match: [
      'eu01x7c1e0b9a4d5f68213b0c9e7d5a4f108NRAL',
      'c3d9e7c1e0b9a4d5f68213b0c9e7d5a4FFFFNRAL',
      '7c1e0b9a4d5f68213b0c9e7d5a4f10827c1eNRAL',
    ],
    miss: [
      'NRAL',
      '7c1e0b9a4d5f68213b0c9e7d5a4f1082',
      'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxNRAL',
      '0b9a4d5f68213b0c9e7d5a4f1082NRAL',
    ],
  },
}

/** Dashboards, errors, traces and feature flags. */
export const observability: readonly Recognizer[] = [
  vendorKeys('sentry-token', [
    { prefixes: ['sntrys_eyJ'], body: [run(`${base64}_\\-`, 40, 200)], tail: `${base64}=_\\-` },
    { prefixes: ['sntryu_', 'sntrya_', 'sntryi_'], body: [hex(64)] },
  ]),
  vendorKeys('new-relic-key', [
    { prefixes: ['NRAK-'], body: [base62(27)] },
    { prefixes: ['NRJS-', 'NRBR-'], body: [run('a-z0-9', 19)] },
    { prefixes: ['NRII-'], body: [web64(25)] },
    { prefixes: ['NRIQ-', 'NRSP-', 'NRRA-'], body: [base62(20, 32)] },
  ]),
  newRelicLicenseKey,
  vendorKeys('grafana-token', [
    { prefixes: ['glc_'], body: [run(base64, 32, 120)], tail: `${base64}=` },
    { prefixes: ['glsa_'], body: [base62(32), '_', hex(8)], validate: issuedByGrafana },
    // {"k":"
    { prefixes: ['eyJrIjoi'], body: [run(base64, 40, 90)], tail: `${base64}=` },
  ]),
  vendorKey(
    'dynatrace-api-token',
    ['dt0c01.', 'dt0s01.', 'dt0s02.', 'dt0s03.', 'dt0s08.', 'dt0s16.'],
    base62(24),
    '.',
    base62(64),
  ),
  vendorKey('honeycomb-key', ['hcaik_', 'hcbik_', 'hcxik_', 'hcamk_', 'hcxmk_'], base62(40, 58)),
  closedKey('launchdarkly-key', ['api-', 'sdk-'], ...uuid),
  vendorKey('posthog-key', ['pha_', 'phr_', 'phs_', 'phx_'], base62(40, 43)),
  vendorKey('sonarqube-token', ['sqp_', 'squ_', 'sqa_'], hex(40)),
  vendorKey('snyk-token', ['snyk_uat.', 'snyk_sat.'], hex(8), '.', run(base64url, 20, 60)),
  closedKey('axiom-token', ['xaat-', 'xapt-'], ...uuid),
  closedKey('checkly-api-key', ['cu_'], hex(32)),
  vendorKey('logfire-token', ['pylf_v1_us_', 'pylf_v1_eu_', 'pylf_v2_us_', 'pylf_v2_eu_'], base62(40, 43)),
  vendorKey('rootly-api-key', ['rootly_'], hex(64)),
  vendorKey('infracost-api-key', ['ico-'], base62(32)),
]
