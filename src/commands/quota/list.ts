import { jsonText } from '../plain-text.ts'
import { type ExitCode, exitCodes, type Surroundings } from '../surroundings.ts'
import { table } from '../table.ts'
import { type Quota, quotasOf } from './answers.ts'
import { type ConnectionOptions, withClient } from './connection.ts'
import { effectiveBurst, textOf, whereText } from './rule.ts'

export interface JsonOption {
  readonly json?: boolean
}

const columns = [
  { title: 'NAME' },
  { title: 'AMOUNT', align: 'right' },
  { title: 'COUNTS' },
  { title: 'PER' },
  { title: 'BURST', align: 'right' },
  { title: 'BY' },
  { title: 'WHERE' },
  { title: 'MODE' },
  { title: 'SET BY' },
  { title: 'VERSION', align: 'right' },
] as const

/** `sallyport quota list`: every limit, wherever it comes from. */
export async function quotaList(
  { json, ...connection }: JsonOption & ConnectionOptions,
  surroundings: Surroundings,
): Promise<ExitCode> {
  const { out } = surroundings
  const { body } = await withClient(connection, surroundings, (client) =>
    client.ask('GET', '/admin/v1/quotas'),
  )
  const quotas = quotasOf(body).toSorted((a, b) => a.name.localeCompare(b.name, 'en'))
  if (json) out(jsonText(body))
  else out(quotas.length === 0 ? 'There are no limits.\n' : table(columns, quotas.map(rowOf)))
  return exitCodes.ok
}

export const whomOf = ({ rule }: Pick<Quota, 'rule'>): string => {
  const by = rule['by']
  return Array.isArray(by) && by.length > 0 ? by.join(',') : '(all together)'
}

const rowOf = (quota: Quota): string[] => {
  const { name, rule, source, version } = quota
  const isRate = /^(second|minute|hour)$/.test(textOf(rule, 'per'))
  return [
    name,
    textOf(rule, 'amount'),
    textOf(rule, 'counts'),
    textOf(rule, 'per') || '-',
    isRate ? String(effectiveBurst(rule)) : '-',
    whomOf(quota),
    whereText(rule) || '-',
    textOf(rule, 'mode') || 'enforce',
    source,
    version,
  ]
}
