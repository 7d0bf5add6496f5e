import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { signToken } from '../token.ts'
import { opsProfileFile, opsTokenFile, signingKeyFile } from './names.ts'

const TOKEN_LIFETIME_SECONDS = 3_600

/** Writes an operator's token and the profile with which `sallyport quota` finds this gateway. */
export function writeOperator(directory: string, { opsPort }: { readonly opsPort: number }): void {
  const { jwt } = signToken(readFileSync(join(directory, signingKeyFile)), {
    subject: 'operator',
    tenant: 'demo',
    role: ['ops'],
    lifetime: TOKEN_LIFETIME_SECONDS,
  })
  const profile = {
    url: `https://localhost:${opsPort}`,
    ca: 'ca.crt',
    cert: 'client.crt',
    key: 'client.key',
    tokenFile: opsTokenFile,
  }
  writeFileSync(join(directory, opsTokenFile), jwt, { mode: 0o600 })
  writeFileSync(join(directory, opsProfileFile), `${JSON.stringify(profile, null, 2)}\n`, { mode: 0o600 })
}
