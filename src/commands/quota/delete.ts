import { jsonText } from '../plain-text.ts'
import { CommandFailed, type ExitCode, exitCodes, type Surroundings } from '../surroundings.ts'
import type { Quota } from './answers.ts'
import { type ConfirmOptions, confirm } from './confirm.ts'
import { type ConnectionOptions, withClient } from './connection.ts'
import { findQuota, noSuchLimit, quotaPath } from './find-quota.ts'
import type { JsonOption } from './list.ts'
import { textOf } from './rule.ts'
import { amountText } from './units.ts'

export type DeleteOptions = JsonOption & ConfirmOptions & ConnectionOptions

/** `sallyport quota delete NAME`: takes an operator's quota away; what is configured under that name applies again. */
export async function quotaDelete(
  name: string,
  { json, yes = false, ...connection }: DeleteOptions,
  surroundings: Surroundings,
): Promise<ExitCode> {
  return await withClient(connection, surroundings, async (client) => {
    const quota = (await findQuota(client, name))?.quota
    if (quota === undefined) throw noSuchLimit(name)
    if (quota.source !== 'operator')
      throw new CommandFailed(
        `${name} is set in the configuration, not by an operator: change policies.yaml, or lay a quota over it with sallyport quota set ${name}`,
      )
    const after = afterwards(quota)
    await confirm(`Delete the operator's quota ${name}? ${after}`, { yes }, surroundings)
    await client.ask('DELETE', quotaPath(name), { expected: quota.version })
    const result = { name, deleted: true, configured: quota.configured ?? null }
    surroundings.out(json ? jsonText(result) : `${name}: deleted. ${after}\n`)
    return exitCodes.ok
  })
}

function afterwards({ configured }: Quota): string {
  if (configured === undefined) return 'The configuration has no limit of this name: nothing takes its place.'
  const [amount, counts, per] = ['amount', 'counts', 'per'].map((field) => textOf(configured, field))
  return `What is configured applies: ${amountText(amount as string, counts as string, per as string)}.`
}
