import { systemClock } from '../../clock.ts'
import type { Config } from '../../config/load.ts'
import { readTlsMaterial } from '../../gateway/tls-files.ts'
import { type Check, failed, ok, warning } from './check.ts'

const DAY_MS = 86_400_000
const SOON_DAYS = 14
const NAME = 'traffic TLS'

/** The files of the traffic listener, loaded as the gateway loads them, and when the first of them runs out. */
export function checkCertificates({ gateway }: Config): Check[] {
  const now = systemClock.now()
  try {
    const { notAfterFirst, crlNextUpdateFirst, warnings } = readTlsMaterial(gateway.traffic, now)
    return [
      expiry(`${NAME} certificates`, notAfterFirst, now),
      ...(crlNextUpdateFirst === undefined ? [] : [expiry(`${NAME} CRL`, crlNextUpdateFirst, now)]),
      ...warnings.map(({ source, message }) =>
        warning(NAME, `${source}: ${message}`, 'Have it issued anew without that.'),
      ),
    ]
  } catch (error) {
    return [failed(NAME, (error as Error).message, 'Mend the files under traffic.tls in gateway.yaml.')]
  }
}

function expiry(name: string, end: number, now: number): Check {
  const days = Math.floor((end - now) / DAY_MS)
  const text = `valid until ${new Date(end).toISOString()} (${days} days)`
  if (days >= SOON_DAYS) return ok(name, text)
  if (end > now) return warning(name, text, 'Renew it; the gateway takes new files without a restart.')
  return failed(name, `ran out on ${new Date(end).toISOString()}`, 'Renew it: callers are refused.')
}
