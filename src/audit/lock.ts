/**
 * One writer for one log directory, by an exclusive lock file. Invariants:
 *
 * 1. The file appears whole (written aside, then linked), so a reader never sees half an owner.
 * 2. It is taken over only from an owner on the same host that is provably gone: its pid is free, or belongs
 *    to a process that started at another time, or the host has booted since. An owner on another host cannot
 *    be judged from here.
 * 3. Release removes the file only while it is ours.
 */
import { randomUUID } from 'node:crypto'
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'

/** What the directory holds; the lock file is named after it. */
export type Holding = 'audit' | 'quota'

const fileNameOf = (holding: Holding): string => `${holding}.lock`

interface Owner {
  readonly host: string
  readonly pid: number
  /** Start time of the process and id of the boot, from /proc; empty where there is none. */
  readonly started: string
  readonly boot: string
  readonly token: string
}

/** The directory has a writer already, or one that cannot be ruled out. */
export class DirectoryLockError extends Error {
  constructor(directory: string, holding: Holding, why: string) {
    super(`the ${holding} directory ${directory} is locked: ${why}`)
    this.name = 'DirectoryLockError'
  }
}

export interface DirectoryLock {
  /** An earlier owner died without release. */
  readonly takenOver: boolean
  release(): Promise<void>
}

const readOrEmpty = (path: string): Promise<string> => readFile(path, 'utf8').catch(() => '')

/**
 * Field 22 of /proc/PID/stat (proc(5)); the name in field 2 may hold spaces and brackets, so count from its
 * end.
 */
async function startTimeOf(pid: number): Promise<string> {
  const stat = await readOrEmpty(`/proc/${pid}/stat`)
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
}

async function self(): Promise<Owner> {
  const boot = (await readOrEmpty('/proc/sys/kernel/random/boot_id')).trim()
  return {
    host: hostname(),
    pid: process.pid,
    started: await startTimeOf(process.pid),
    boot,
    token: randomUUID(),
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}

function readOwner(text: string): Owner | undefined {
  try {
    const owner = JSON.parse(text) as Partial<Owner> | null
    const sound =
      Number.isSafeInteger(owner?.pid) && Number(owner?.pid) > 0 && typeof owner?.host === 'string'
    return sound ? (owner as Owner) : undefined
  } catch {
    return undefined
  }
}

/** Why the owner still counts, or undefined when it is provably gone. */
async function objection(owner: Owner | undefined, us: Owner, fileName: string): Promise<string | undefined> {
  if (owner === undefined) return `${fileName} cannot be read. Delete it when no gateway writes here.`
  if (owner.host !== us.host) {
    return `process ${owner.pid} on host ${owner.host} holds it. Delete ${fileName} when it writes no more.`
  }
  if (owner.boot !== us.boot || !isAlive(owner.pid)) return undefined
  if (owner.started !== (await startTimeOf(owner.pid))) return undefined
  return `process ${owner.pid} on this host writes here. Stop it, or use a directory of this gateway's own.`
}

/** Whether the file could be made; false when there is one. */
async function place(path: string, owner: Owner): Promise<boolean> {
  const aside = `${path}.${owner.token}`
  await writeFile(aside, JSON.stringify(owner), { flag: 'wx', mode: 0o600 })
  try {
    await link(aside, path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    await rm(aside, { force: true })
  }
}

/** Moves a dead owner's file away; false when it was no longer the file that was judged. */
async function evict(path: string, judged: string, token: string): Promise<boolean> {
  const aside = `${path}.${token}.stale`
  await rename(path, aside).catch(() => undefined)
  const moved = await readOrEmpty(aside)
  if (moved !== '' && moved !== judged) await link(aside, path).catch(() => undefined)
  await rm(aside, { force: true })
  return moved === judged
}

/** Takes the directory for this process. Throws DirectoryLockError when another writer has it. */
export async function lockDirectory(directory: string, holding: Holding = 'audit'): Promise<DirectoryLock> {
  const fileName = fileNameOf(holding)
  const path = join(directory, fileName)
  const us = await self()
  const release = async (): Promise<void> => {
    if (readOwner(await readOrEmpty(path))?.token === us.token) await rm(path, { force: true })
  }
  if (await place(path, us)) return { takenOver: false, release }
  const found = await readOrEmpty(path)
  const why = await objection(readOwner(found), us, fileName)
  if (why !== undefined) throw new DirectoryLockError(directory, holding, why)
  if ((await evict(path, found, us.token)) && (await place(path, us))) return { takenOver: true, release }
  throw new DirectoryLockError(directory, holding, 'another process took it at the same time.')
}
