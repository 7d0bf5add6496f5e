import { lockDirectory } from './lock.ts'
import { type AuditNotice, type LogOptions, startLog } from './log.ts'
import type { AuditLog, HealingAuditLog } from './record.ts'
import { makeLogDirectory, segmentFiles } from './segment-files.ts'

export interface AuditLogOptions extends LogOptions {
  readonly directory: string
}

const takenOver = (log: AuditLog): AuditNotice => ({ kind: 'lock_taken_over', seq: log.head.seq })

/** A log that gives its directory free when it is closed. */
const holding = (log: HealingAuditLog, release: () => Promise<void>): HealingAuditLog => ({
  append: (event) => log.append(event),
  heal: () => log.heal(),
  get healthy() {
    return log.healthy
  },
  get queued() {
    return log.queued
  },
  get head() {
    return log.head
  },
  close: () => log.close().finally(release),
})

/**
 * Opens (or begins) the audit log in a directory, as its only writer. Throws DirectoryLockError when there is
 * another writer and AuditChainError when what is there is not a chain.
 */
export async function openAuditLog({ directory, ...options }: AuditLogOptions): Promise<HealingAuditLog> {
  await makeLogDirectory(directory)
  const lock = await lockDirectory(directory)
  try {
    const log = await startLog(segmentFiles(directory), options)
    if (lock.takenOver) options.onNotice?.(takenOver(log))
    return holding(log, lock.release)
  } catch (error) {
    await lock.release()
    throw error
  }
}
