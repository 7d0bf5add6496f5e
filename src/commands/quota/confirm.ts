import { plain } from '../plain-text.ts'
import { CommandFailed, exitCodes, type Surroundings } from '../surroundings.ts'

export interface ConfirmOptions {
  readonly yes?: boolean
}

/** Goes on when somebody says yes; throws CommandFailed otherwise. Where nobody can be asked, --yes must say it. */
export async function confirm(
  question: string,
  { yes }: ConfirmOptions,
  { terminal }: Surroundings,
): Promise<void> {
  if (yes) return
  if (terminal?.answers !== true)
    throw new CommandFailed('Nobody can be asked here, so nothing was changed. Add --yes.', exitCodes.usage)
  const answer = await terminal.ask(`${plain(question)} [y/N] `)
  if (!/^\s*y(es)?\s*$/i.test(answer)) throw new CommandFailed('Nothing was changed.')
}
