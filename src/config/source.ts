import { constants } from 'node:fs'
import { access, open, stat } from 'node:fs/promises'
import { resolve } from 'node:path'

/** What stands at a path. `mode` holds the permission bits. */
export type FileRead =
  | { readonly kind: 'file'; readonly bytes: Buffer; readonly mode: number }
  | { readonly kind: 'folder'; readonly writable: boolean }
  | { readonly kind: 'missing' | 'unreadable' | 'too large' | 'no file' }

/** Where a configuration comes from. Paths are relative to its folder, or absolute. Reading never throws. */
export interface FileSource {
  /** The folder, for messages. */
  readonly directory: string
  /** The absolute path that `read` opens. */
  resolve(path: string): string
  read(path: string, options: { readonly bytesMax: number }): Promise<FileRead>
}

/** A folder of the file system. */
export const folderSource = (directory: string): FileSource => ({
  directory,
  resolve: (path) => resolve(directory, path),
  read: async (path, { bytesMax }) => {
    const absolute = resolve(directory, path)
    try {
      const found = await stat(absolute)
      return found.isDirectory() ? await readFolder(absolute) : await readFile(absolute, bytesMax)
    } catch (failure) {
      return { kind: isMissing(failure) ? 'missing' : 'unreadable' }
    }
  },
})

async function readFolder(absolute: string): Promise<FileRead> {
  const writable = await access(absolute, constants.W_OK).then(
    () => true,
    () => false,
  )
  return { kind: 'folder', writable }
}

async function readFile(absolute: string, bytesMax: number): Promise<FileRead> {
  // O_NONBLOCK: a named pipe in place of a file would otherwise hold up the boot for ever.
  const handle = await open(absolute, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const found = await handle.stat()
    if (!found.isFile()) return { kind: 'no file' }
    // One byte more than allowed is asked for: the size of a file that is being written is not to be believed.
    const buffer = Buffer.alloc(Math.min(found.size, bytesMax) + 1)
    const length = await fill(handle, buffer)
    if (length > bytesMax) return { kind: 'too large' }
    return { kind: 'file', bytes: buffer.subarray(0, length), mode: found.mode & 0o777 }
  } finally {
    await handle.close()
  }
}

async function fill(handle: Awaited<ReturnType<typeof open>>, buffer: Buffer): Promise<number> {
  let length = 0
  while (length < buffer.length) {
    const { bytesRead } = await handle.read(buffer, length, buffer.length - length)
    if (bytesRead === 0) break
    length += bytesRead
  }
  return length
}

const isMissing = (failure: unknown): boolean =>
  failure instanceof Error && 'code' in failure && (failure.code === 'ENOENT' || failure.code === 'ENOTDIR')
