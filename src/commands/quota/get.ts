import { jsonText, plain } from '../plain-text.ts'
import { type ExitCode, exitCodes, type Surroundings } from '../surroundings.ts'
import type { Quota } from './answers.ts'
import { type ConnectionOptions, withClient } from './connection.ts'
import { findQuota, noSuchLimit } from './find-quota.ts'
import type { JsonOption } from './list.ts'
import { changesOf, ruleFields } from './rule.ts'
import { instant } from './units.ts'

/** `sallyport quota get NAME`: one limit in full, and how it differs from what is configured. */
export async function quotaGet(
  name: string,
  { json, ...connection }: JsonOption & ConnectionOptions,
  surroundings: Surroundings,
): Promise<ExitCode> {
  const found = await withClient(connection, surroundings, (client) => findQuota(client, name))
  if (found === undefined) throw noSuchLimit(name)
  surroundings.out(json ? jsonText(found.body) : quotaText(found.quota))
  return exitCodes.ok
}

const setBy: Readonly<Record<string, string>> = {
  config: 'the configuration (policies.yaml, limits)',
  role: 'the configuration (policies.yaml, limits of a role)',
  operator: 'an operator',
}

function quotaText({ name, rule, source, version, configured, changedBy, changedAt }: Quota): string {
  const changed = changedAt === '' ? '' : `, by ${changedBy || 'somebody'} at ${instant(changedAt)}`
  const lines = [
    ...[...ruleFields(rule)].map(([field, value]) => [field, value] as const),
    ['set by', `${setBy[source] ?? source}${changed}`] as const,
    ['version', version] as const,
  ].map(([field, value]) => `  ${plain(field).padEnd(16)} ${plain(value)}\n`)
  return `${plain(name)}\n${lines.join('')}${configuredText({ source, configured, rule })}`
}

function configuredText({ source, configured, rule }: Pick<Quota, 'source' | 'configured' | 'rule'>): string {
  if (source !== 'operator') return ''
  if (configured === undefined) return '\nThe configuration has no limit of this name.\n'
  const lines = changesOf(rule, configured).map(
    ({ field, after }) => `  ${plain(field).padEnd(16)} ${plain(after === '' ? '(not set)' : after)}\n`,
  )
  return lines.length === 0
    ? '\nThe configuration says the same.\n'
    : `\nThe configuration differs; it applies again after \`sallyport quota delete\`:\n${lines.join('')}`
}
