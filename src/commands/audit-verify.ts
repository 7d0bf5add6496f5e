import { type Chains, chainsIn } from '../audit/chain-folders.ts'
import { reportText } from '../audit/report.ts'
import { type Report, type VerifyOptions, verifyLog } from '../audit/verify.ts'
import { CommandFailed, type ExitCode, exitCodes, type Surroundings } from './surroundings.ts'

export interface AuditVerifyOptions {
  readonly json?: boolean
  readonly head?: string
}

/** `sallyport audit verify`: the chain from its first record to its last; each one where workers have their own. */
export async function auditVerify(
  folder: string,
  { json, head }: AuditVerifyOptions,
  { out }: Surroundings,
): Promise<ExitCode> {
  const options = head === undefined ? {} : { head: parseHead(head) }
  const chains = await chainsIn(folder).catch((error) => unreadable(folder, error))
  const [only, ...others] = await reportsOf(chains, options)
  if (only !== undefined && others.length === 0 && chains.missing.length === 0) {
    out(json ? `${JSON.stringify(only, null, 2)}\n` : reportText(only))
    return only.intact ? exitCodes.ok : exitCodes.verification
  }
  const reports = only === undefined ? [] : [only, ...others]
  const intact = chains.missing.length === 0 && reports.every((report) => report.intact)
  const whole = { source: folder, intact, missing: chains.missing, chains: reports }
  out(json ? `${JSON.stringify(whole, null, 2)}\n` : wholeText(whole))
  return intact ? exitCodes.ok : exitCodes.verification
}

function reportsOf({ folders, missing }: Chains, options: VerifyOptions): Promise<Report[]> {
  if (options.head !== undefined && folders.length + missing.length > 1) {
    const message = `--head belongs to one chain. Name its folder: ${[...folders, ...missing].join(', ')}`
    throw new CommandFailed(message, exitCodes.usage)
  }
  return Promise.all(
    folders.map((folder) => verifyLog(folder, options).catch((error) => unreadable(folder, error))),
  )
}

interface Whole {
  readonly source: string
  readonly intact: boolean
  readonly missing: readonly string[]
  readonly chains: readonly Report[]
}

const wholeText = ({ source, intact, missing, chains }: Whole): string =>
  [
    ...chains.map(reportText),
    ...missing.map((folder) => `audit log ${folder}: MISSING, with all that was in it\n`),
    `${source}: ${intact ? 'every chain is intact' : 'NOT INTACT'} (${chains.length} chains)\n`,
  ].join('')

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
