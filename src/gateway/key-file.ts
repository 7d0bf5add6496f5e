import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs'
import { FileRefused } from './file-refused.ts'

const READABLE_OR_WRITABLE_BY_OTHERS = 0o006

/**
 * Reads a file that holds a secret. Throws `FileRefused` when every user of the machine can read or write it: the
 * check of the configuration refuses it too, but a file may change after that.
 */
export function readKeyFile(file: string): Buffer {
  const descriptor = openSync(file, 'r')
  try {
    if ((fstatSync(descriptor).mode & READABLE_OR_WRITABLE_BY_OTHERS) !== 0) {
      throw new FileRefused(file, new Error('every user of the machine can read or write it'))
    }
    return readFileSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
