import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { lockDirectory } from '../../audit/lock.ts'
import { tryPort } from '../port.ts'
import { CommandFailed } from '../surroundings.ts'
import type { DevPorts } from './configuration.ts'
import { auditFolder } from './names.ts'

// It also keeps throw-away keys out of a repository that the folder may lie in.
const MARK_FILE = '.gitignore'
const MARK = '# Made by `sallyport dev`, which makes everything here anew but audit/.\n*\n'

/**
 * Makes sure, before anything is written, that `dev` may have the folder: it is new, empty or its own, no other
 * gateway runs in it, and the ports are free. Throws CommandFailed with what to do otherwise.
 */
export async function claimFolder(directory: string, { port, probesPort, opsPort }: DevPorts): Promise<void> {
  if (!isNewOrOurs(directory)) {
    throw new CommandFailed(
      `${directory} holds files that \`sallyport dev\` did not make, and would overwrite. Choose another folder (--directory).`,
    )
  }
  await claimPort(port, '--port')
  await claimPort(probesPort, '--probes-port')
  await claimPort(opsPort, '--ops-port')
  mkdirSync(join(directory, auditFolder), { recursive: true, mode: 0o700 })
  writeFileSync(join(directory, MARK_FILE), MARK)
  await refuseSecondGateway(directory)
}

function isNewOrOurs(directory: string): boolean {
  try {
    const names = readdirSync(directory)
    return names.length === 0 || (names.includes(MARK_FILE) && readMark(directory) === MARK)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return true
    throw new CommandFailed(`${directory} is not a folder that can be read.`)
  }
}

const readMark = (directory: string): string => readFileSync(join(directory, MARK_FILE), 'utf8')

/** Its files would be replaced under a gateway that runs. */
async function refuseSecondGateway(directory: string): Promise<void> {
  try {
    await (await lockDirectory(join(directory, auditFolder))).release()
  } catch (error) {
    if ((error as Error).name !== 'DirectoryLockError') throw error
    throw new CommandFailed(
      `A gateway runs in ${directory} already. Stop it, or choose another folder (--directory).`,
    )
  }
}

async function claimPort(port: number, option: string): Promise<void> {
  const state = await tryPort('127.0.0.1', port)
  if (state === 'free') return
  const why =
    state === 'EADDRINUSE' ? 'is in use' : state === 'EACCES' ? 'needs more rights' : `fails: ${state}`
  throw new CommandFailed(
    `Port ${port} ${why}. Stop what listens there, or choose another one: npm start -- ${option} ${port + 100}`,
  )
}
