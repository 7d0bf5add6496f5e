import type { Recognizer } from '../../recognizer.ts'
import { base62, closedKey, hex, run, vendorKey, vendorKeys, web64 } from './prefixed.ts'

/** Databases and data platforms. */
export const databaseKeys: readonly Recognizer[] = [
  vendorKeys('supabase-key', [
    { prefixes: ['sbp_', 'sbp_v0_', 'sbp_oauth_'], body: [hex(40)] },
    { prefixes: ['sb_secret_'], body: [web64(24, 31)] },
  ]),
  vendorKey(
    'planetscale-credential',
    ['pscale_tkn_', 'pscale_oauth_', 'pscale_pw_', 'pscale_api_'],
    run('A-Za-z0-9_.=\\-', 32, 43),
  ),
  vendorKeys('databricks-token', [{ prefixes: ['dapi'], body: [hex(32)], tail: 'A-Fa-f0-9\\-' }]),
  vendorKey('aiven-password', ['AVNS_'], web64(19)),
  closedKey('clickhouse-cloud-secret', ['4b1d'], base62(38)),
  vendorKey('mongodb-atlas-secret', ['mdb_sa_sk_'], web64(40)),
  closedKey('confluent-api-secret', ['cflt'], run('A-Za-z0-9+/', 60)),
  vendorKey('xata-api-key', ['xau_'], base62(32)),
]
