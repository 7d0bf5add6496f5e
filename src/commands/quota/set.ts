import type { OpsClient } from '../ops-client.ts'
import { jsonText, plain } from '../plain-text.ts'
import { CommandFailed, type ExitCode, exitCodes, type Surroundings } from '../surroundings.ts'
import type { Quota } from './answers.ts'
import { type ConnectionOptions, withClient } from './connection.ts'
import { findQuota, quotaPath, versionOf } from './find-quota.ts'
import type { JsonOption } from './list.ts'
import { type Change, changesOf, changeText, type Rule } from './rule.ts'
import { type RuleOptions, withOptions } from './rule-options.ts'

export interface SetOptions extends RuleOptions, JsonOption, ConnectionOptions {
  /** Version that the change was thought out for. */
  readonly ifMatch?: string
  readonly dryRun?: boolean
}

/**
 * `sallyport quota set NAME`: makes an operator's quota, or changes some of its fields. The version that was read is
 * the only one that is replaced.
 */
export async function quotaSet(
  name: string,
  options: SetOptions,
  surroundings: Surroundings,
): Promise<ExitCode> {
  return await withClient(options, surroundings, async (client) => {
    const found = (await findQuota(client, name))?.quota
    checkVersion(name, { found, expected: options.ifMatch })
    const rule = withOptions(found?.rule, options)
    const changes = changesOf(found?.rule, rule)
    const isDone = changes.length > 0 && !options.dryRun
    const version = isDone ? await putQuota(client, { name, rule, found }) : (found?.version ?? '0')
    const result = { name, changed: isDone, dry_run: options.dryRun === true, version, rule, changes }
    surroundings.out(options.json ? jsonText(result) : setText(result, found))
    return exitCodes.ok
  })
}

function checkVersion(
  name: string,
  { found, expected }: { readonly found: Quota | undefined; readonly expected: string | undefined },
): void {
  const version = found?.version ?? '0'
  if (expected === undefined || expected === version) return
  throw new CommandFailed(
    `${name} is at version ${plain(version)}, not ${plain(expected)}: it was changed meanwhile. Look at it first: sallyport quota get ${name}`,
  )
}

/** Creates or replaces the operator's quota; the version that it has now. */
export async function putQuota(
  client: OpsClient,
  { name, rule, found }: { readonly name: string; readonly rule: Rule; readonly found: Quota | undefined },
): Promise<string> {
  const answer = await client.ask('PUT', quotaPath(name), { body: rule, expected: found?.version ?? 'none' })
  return versionOf(answer.etag) ?? ''
}

interface Result {
  readonly name: string
  readonly changed: boolean
  readonly dry_run: boolean
  readonly version: string
  readonly changes: readonly Change[]
}

function setText({ name, changed, changes, version, dry_run }: Result, found: Quota | undefined): string {
  const lines = changes.map((change) => `  ${plain(changeText(change))}\n`).join('')
  const known = found !== undefined
  if (changes.length === 0) return `${name}: nothing to change, version ${plain(version)}.\n`
  if (dry_run) return `${name}: would be ${known ? 'changed' : 'created'}. Nothing was sent.\n${lines}`
  return `${name}: ${changed && known ? 'changed' : 'created'}, version ${plain(version)}.\n${lines}`
}
