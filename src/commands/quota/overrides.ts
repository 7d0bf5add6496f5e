import { jsonText, plain } from '../plain-text.ts'
import { CommandFailed, type ExitCode, exitCodes, type Surroundings } from '../surroundings.ts'
import { table } from '../table.ts'
import { type Override, overridesOf } from './answers.ts'
import { type ConnectionOptions, withClient } from './connection.ts'
import type { JsonOption } from './list.ts'
import { instant } from './units.ts'

export interface OverridesOptions extends JsonOption, ConnectionOptions {
  /** Id of an override that is to end now. */
  readonly end?: string
}

const columns = [
  { title: 'ID' },
  { title: 'LIMIT' },
  { title: 'MATCH' },
  { title: 'AMOUNT', align: 'right' },
  { title: 'BURST', align: 'right' },
  { title: 'EXPIRES' },
  { title: 'BY' },
  { title: 'REASON' },
] as const

/** `sallyport quota overrides`: which there are; with `--end`, one ends before its time. */
export async function quotaOverrides(
  { end, json, ...connection }: OverridesOptions,
  surroundings: Surroundings,
): Promise<ExitCode> {
  const { out } = surroundings
  return await withClient(connection, surroundings, async (client) => {
    if (end !== undefined) {
      await client.ask('DELETE', `/admin/v1/overrides/${checkedId(end)}`)
      out(json ? jsonText({ id: end, ended: true }) : `${plain(end)}: ended. The limit applies as before.\n`)
      return exitCodes.ok
    }
    const { body } = await client.ask('GET', '/admin/v1/overrides')
    const overrides = overridesOf(body)
    const text = overrides.length === 0 ? 'There are no overrides.\n' : table(columns, overrides.map(rowOf))
    out(json ? jsonText(body) : text)
    return exitCodes.ok
  })
}

function checkedId(id: string): string {
  if (/^[A-Za-z0-9_-]{1,128}$/.test(id)) return id
  throw new CommandFailed('An id is as `sallyport quota overrides` prints it.', exitCodes.usage)
}

const rowOf = ({ id, limit, match, amount, burst, expiresAt, reason, createdBy }: Override): string[] => [
  id,
  limit,
  Object.entries(match)
    .map(([dimension, value]) => `${dimension}=${value}`)
    .join(','),
  amount,
  burst || '-',
  instant(expiresAt),
  createdBy || '-',
  reason,
]
