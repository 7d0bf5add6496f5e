import { readFileSync } from 'node:fs'
import type { Config } from '../../config/load.ts'
import type { IssuerConfig } from '../../config/schema/gateway.ts'
import { createKeyFetcher } from '../../upstream/key-fetcher.ts'
import { type Check, failed, ok } from './check.ts'

const TIMEOUT_MS = 3_000
const KEYS_BYTES_MAX = 1024 * 1024

/** Whether the keys of each issuer can be had. Keys in files are a matter of the configuration. */
export async function checkIssuers({ gateway }: Config): Promise<Check[]> {
  return (await Promise.all(gateway.identity.issuers.map(checkIssuer))).flat()
}

async function checkIssuer({ name, keys }: IssuerConfig): Promise<Check[]> {
  if (!('url' in keys)) return []
  const fetcher = createKeyFetcher(keys.ca === undefined ? {} : { ca: readFileSync(keys.ca) })
  try {
    const found = await fetcher.fetchKeys(keys.url, {
      signal: AbortSignal.timeout(TIMEOUT_MS),
      timeoutMs: TIMEOUT_MS,
      bytesMax: KEYS_BYTES_MAX,
    })
    if (typeof found !== 'string') return [ok(`issuer ${name}`, `${keys.url} answers`)]
    const advice = 'Check identity.issuers[].keys in gateway.yaml and the network; tokens cannot be verified.'
    return [failed(`issuer ${name}`, `${keys.url}: ${found}`, advice)]
  } finally {
    await fetcher.close()
  }
}
