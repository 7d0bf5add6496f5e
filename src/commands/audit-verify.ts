import { reportText } from '../audit/report.ts'
import { verifyLog } from '../audit/verify.ts'
import { CommandFailed, type ExitCode, exitCodes, type Surroundings } from './surroundings.ts'

export interface AuditVerifyOptions {
  readonly json?: boolean
  readonly head?: string
}

/** `sallyport audit verify`: the chain from its first record to its last. */
export async function auditVerify(
  folder: string,
  { json, head }: AuditVerifyOptions,
  { out }: Surroundings,
): Promise<ExitCode> {
  const options = head === undefined ? {} : { head: parseHead(head) }
  const report = await verifyLog(folder, options).catch((error) => unreadable(folder, error))
  out(json ? `${JSON.stringify(report, null, 2)}\n` : reportText(report))
  return report.intact ? exitCodes.ok : exitCodes.verification
}

function parseHead(text: string): { seq: number; hash: string } {
  const match = /^(\d{1,15}):([0-9a-f]{64})$/.exec(text)
  if (!match)
    throw new CommandFailed(
      '--head is <seq>:<hash>, as `audit verify` and the log print it.',
      exitCodes.usage,
    )
  return { seq: Number(match[1]), hash: match[2] as string }
}

function unreadable(folder: string, error: unknown): never {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === 'ENOENT') throw new CommandFailed(`There is no folder ${folder}.`)
  throw new CommandFailed(`The log in ${folder} cannot be read: ${code ?? message}`)
}
