import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { segmentFiles } from './segment-files.ts'

const NAME = /^worker-([1-9]\d{0,3})$/

/** Each worker of a gateway writes a chain of its own, in a folder below the one of the configuration. */
export const chainFolder = (directory: string, worker: number): string => join(directory, `worker-${worker}`)

/** The chains that are in a folder. */
export interface Chains {
  /** Folders that each hold one chain. */
  readonly folders: readonly string[]
  /** Folders that were there, or the numbers would not begin with 1 and go on by one: a whole chain is gone. */
  readonly missing: readonly string[]
}

/**
 * The chain in the folder itself, those of workers below it, or both: a gateway that was given workers leaves its old
 * chain where it is. Throws when the folder cannot be read.
 */
export async function chainsIn(directory: string): Promise<Chains> {
  const names = await readdir(directory)
  const numbers = names.flatMap((name) => (NAME.test(name) ? [Number(NAME.exec(name)?.[1])] : []))
  if (numbers.length === 0) return { folders: [directory], missing: [] }
  const segments = await segmentFiles(directory).list()
  const own = segments.length === 0 ? [] : [directory]
  const wanted = Array.from({ length: Math.max(...numbers) }, (_, place) => place + 1)
  const folderOf = (worker: number): string => chainFolder(directory, worker)
  return {
    folders: [...own, ...wanted.filter((worker) => numbers.includes(worker)).map(folderOf)],
    missing: wanted.filter((worker) => !numbers.includes(worker)).map(folderOf),
  }
}
