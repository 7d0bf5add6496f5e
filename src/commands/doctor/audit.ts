import { constants } from 'node:fs'
import { access, statfs } from 'node:fs/promises'
import { chainsIn } from '../../audit/chain-folders.ts'
import { standingOf } from '../../audit/recover.ts'
import { segmentFiles } from '../../audit/segment-files.ts'
import type { Config } from '../../config/load.ts'
import { type Check, failed, ok, warning } from './check.ts'

const NAME = 'audit log'
const FREE_BYTES_MIN = 1024 ** 3

/** Whether the log can be written and its last segment is a chain: a start needs both. Reads, and changes nothing. */
export async function checkAudit({ gateway }: Config): Promise<Check[]> {
  const { workers, audit } = gateway
  const { directory } = audit
  try {
    await access(directory, constants.R_OK | constants.W_OK | constants.X_OK)
    // Workers have a chain each; before their first start there is none.
    const { folders } = workers === 1 ? { folders: [directory] } : await chainsIn(directory)
    return [...(await Promise.all(folders.map(checkChain))), ...(await checkSpace(directory))]
  } catch (error) {
    const { name, message, code } = error as NodeJS.ErrnoException
    if (name === 'AuditChainError') {
      return [failed(NAME, message, `Keep it as evidence; see: sallyport audit verify ${directory}`)]
    }
    return [
      failed(NAME, `${directory}: ${code ?? message}`, 'Make the folder, writable for this user alone.'),
    ]
  }
}

async function checkChain(folder: string): Promise<Check> {
  const { head, last } = await standingOf(segmentFiles(folder))
  const end = last === undefined ? 'empty' : `intact at its end (record ${head.seq}, ${last.name})`
  return ok(NAME, `${folder} is ${end}`)
}

async function checkSpace(directory: string): Promise<Check[]> {
  const { bavail, bsize } = await statfs(directory)
  const free = bavail * bsize
  const gib = (free / 1024 ** 3).toFixed(1)
  if (free >= FREE_BYTES_MIN) return []
  return [warning(NAME, `${gib} GiB are free`, 'A full disk refuses every call: move old segments away.')]
}
