import { jsonText, plain } from '../plain-text.ts'
import { CommandFailed, type ExitCode, exitCodes, type Surroundings } from '../surroundings.ts'
import { emptiedOf } from './answers.ts'
import { parseKey } from './bucket-key.ts'
import { type ConfirmOptions, confirm } from './confirm.ts'
import { type ConnectionOptions, withClient } from './connection.ts'
import type { JsonOption } from './list.ts'
import { whomText } from './units.ts'

const KEY_LENGTH_MAX = 4_096

export interface ResetOptions extends JsonOption, ConfirmOptions, ConnectionOptions {
  readonly reason?: string
}

/** `sallyport quota reset KEY`: empties one bucket, as if nothing had been used. */
export async function quotaReset(
  key: string,
  { json, reason, yes = false, ...connection }: ResetOptions,
  surroundings: Surroundings,
): Promise<ExitCode> {
  const { name, counts } = parseKey(key)
  if (counts === '' || key.length > KEY_LENGTH_MAX)
    throw new CommandFailed(
      'A key is as `sallyport quota usage` prints it, in quotes: tenant-tokens|total_tokens/minute|tenant=acme',
      exitCodes.usage,
    )
  const question = `Empty the bucket of limit ${name} for ${whomText(key)}? What was used counts no more.`
  await confirm(question, { yes }, surroundings)
  const { body } = await withClient(connection, surroundings, (client) =>
    client.ask('POST', '/admin/v1/usage/reset', { body: { key, reason } }),
  )
  const { used, remaining } = emptiedOf(body)
  const text = `${plain(key)}: emptied; used ${used}, remaining ${remaining}.\n`
  surroundings.out(json ? jsonText(body) : text)
  return exitCodes.ok
}
