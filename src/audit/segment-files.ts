import { createReadStream } from 'node:fs'
import { constants, type FileHandle, mkdir, open, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'

import { firstSeqOf, type SegmentFile, type SegmentInfo, type SegmentStore } from './segment.ts'

const { O_APPEND, O_CREAT, O_DSYNC, O_EXCL, O_NOFOLLOW, O_RDWR, O_WRONLY } = constants

/** Each write is on the disk when it returns (open(2)): one system call instead of a write and an fdatasync. */
const durableAppend = O_WRONLY | O_APPEND | O_NOFOLLOW | O_DSYNC

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, constants.O_RDONLY)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

const segmentFile = (handle: FileHandle): SegmentFile => ({
  write: async (bytes) => (await handle.write(bytes)).bytesWritten,
  // Opened with O_DSYNC: nothing is left to be synced.
  sync: () => Promise.resolve(),
  close: () => handle.close(),
})

async function list(directory: string): Promise<readonly SegmentInfo[]> {
  const found: SegmentInfo[] = []
  for (const name of (await readdir(directory)).sort()) {
    const firstSeq = firstSeqOf(name)
    if (firstSeq !== undefined)
      found.push({ name, firstSeq, bytes: (await stat(join(directory, name))).size })
  }
  return found
}

async function create(directory: string, name: string): Promise<SegmentFile> {
  const handle = await open(join(directory, name), durableAppend | O_CREAT | O_EXCL, 0o600)
  try {
    // The name of a new file is durable only when its directory is (fsync(2), NOTES).
    await syncDirectory(directory)
  } catch (error) {
    await handle.close()
    throw error
  }
  return segmentFile(handle)
}

/** More than one batch of the log: the most that can be in a segment without having been synced. */
const unsyncedBytesMax = 2 << 20

/**
 * What a killed writer left becomes part of the log, so it has to be on the disk. A sync alone does not see
 * to that: when the writer's own sync had failed, the kernel counts the lost pages as clean. Written again,
 * they are dirty.
 */
async function writeEndAgain(path: string): Promise<void> {
  const handle = await open(path, O_RDWR | O_NOFOLLOW)
  try {
    const { size } = await handle.stat()
    const end = Buffer.alloc(Math.min(size, unsyncedBytesMax))
    const start = size - end.length
    const { bytesRead } = await handle.read(end, 0, end.length, start)
    const { bytesWritten } = await handle.write(end, 0, end.length, start)
    if (bytesRead < end.length || bytesWritten < end.length)
      throw new Error('an audit segment changed while it was opened')
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function reopen(path: string): Promise<SegmentFile> {
  await writeEndAgain(path)
  return segmentFile(await open(path, durableAppend))
}

async function truncate(path: string, bytes: number): Promise<void> {
  const handle = await open(path, O_WRONLY | O_NOFOLLOW)
  try {
    await handle.truncate(bytes)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Makes the folder of a log if it is not there, readable by its owner only. */
export async function makeLogDirectory(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
}

/** Segments as files of one directory, mode 0600. */
export function segmentFiles(directory: string): SegmentStore {
  return {
    list: () => list(directory),
    read: (name, start = 0) => createReadStream(join(directory, name), { start }),
    create: (name) => create(directory, name),
    reopen: (name) => reopen(join(directory, name)),
    truncate: (name, bytes) => truncate(join(directory, name), bytes),
    remove: async (name) => {
      await rm(join(directory, name), { force: true })
      await syncDirectory(directory)
    },
  }
}
