import { jsonText, plain } from '../plain-text.ts'
import { type ExitCode, exitCodes, type Surroundings } from '../surroundings.ts'
import { overrideOf } from './answers.ts'
import { type ConnectionOptions, withClient } from './connection.ts'
import { quotaPath } from './find-quota.ts'
import type { JsonOption } from './list.ts'
import type { Matched } from './override-options.ts'
import { duration, instant } from './units.ts'

export interface OverrideOptions extends JsonOption, ConnectionOptions {
  readonly match?: Matched
  readonly amount: number
  readonly burst?: number | 'default'
  /** Seconds. */
  readonly for: number
  readonly reason: string
  readonly dryRun?: boolean
}

/** `sallyport quota override LIMIT`: another amount for some buckets, for a time. */
export async function quotaOverride(
  limit: string,
  { match = [], amount, burst, for: seconds, reason, json, dryRun, ...connection }: OverrideOptions,
  surroundings: Surroundings,
): Promise<ExitCode> {
  quotaPath(limit)
  const asked = {
    limit,
    match: Object.fromEntries(match),
    amount,
    ...(typeof burst === 'number' ? { burst } : {}),
    expiresInSeconds: seconds,
    reason,
  }
  const whom = plain(match.map(([dimension, value]) => `${dimension}=${value}`).join(', ')) || 'everybody'
  const what = `${limit} of ${whom}: ${amount}`
  if (dryRun) {
    const text = `${what} for ${duration(seconds * 1000)}. Nothing was sent.\n`
    surroundings.out(json ? jsonText({ dry_run: true, override: asked }) : text)
    return exitCodes.ok
  }
  const { body } = await withClient(connection, surroundings, (client) =>
    client.ask('POST', '/admin/v1/overrides', { body: asked }),
  )
  const { id, expiresAt } = overrideOf(body)
  const until = expiresAt === '' ? `for ${duration(seconds * 1000)}` : `until ${plain(instant(expiresAt))}`
  const text = `${what} ${until}. Id: ${plain(id)}\nEnd it before: sallyport quota overrides --end ${plain(id)}\n`
  surroundings.out(json ? jsonText(body) : text)
  return exitCodes.ok
}
