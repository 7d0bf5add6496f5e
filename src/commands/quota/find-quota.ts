import type { OpsClient } from '../ops-client.ts'
import { CommandFailed, exitCodes } from '../surroundings.ts'
import { type Quota, quotaOf } from './answers.ts'
import { OpsFailure } from './failure.ts'

const limitName = /^[a-z0-9](?:[a-z0-9._-]{0,126}[a-z0-9])?$/

/** The path of a limit in the API; throws CommandFailed for what is no name. */
export function quotaPath(name: string): string {
  if (limitName.test(name)) return `/admin/v1/quotas/${encodeURIComponent(name)}`
  throw new CommandFailed(
    'The name of a limit is lower-case letters, digits, "-", "_" and ".", letter or digit at both ends.',
    exitCodes.usage,
  )
}

export interface FoundQuota {
  readonly quota: Quota
  /** The answer as it came, for --json. */
  readonly body: unknown
}

/** The limit of that name; undefined when there is none. */
export async function findQuota(client: OpsClient, name: string): Promise<FoundQuota | undefined> {
  try {
    const { body, etag } = await client.ask('GET', quotaPath(name))
    const quota = quotaOf(body)
    return { quota: { ...quota, version: versionOf(etag) ?? quota.version }, body }
  } catch (error) {
    if (error instanceof OpsFailure && error.status === 404) return undefined
    throw error
  }
}

/** `"3"` -> `3` */
export const versionOf = (etag: string | undefined): string | undefined =>
  /^(?:W\/)?"([^"]+)"$/.exec(etag ?? '')?.[1]

export const noSuchLimit = (name: string): CommandFailed =>
  new CommandFailed(`There is no limit ${name}. Which there are: sallyport quota list`)
