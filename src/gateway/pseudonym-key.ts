import { createSecretKey, type KeyObject } from 'node:crypto'
import { secretOf } from '../config/secret.ts'
import { FileRefused } from './file-refused.ts'
import { readKeyFile } from './key-file.ts'

/** Shorter secrets could be tried out against one token. */
const LENGTH_MIN = 32

/** Reads the secret behind pseudonyms and hashes. Throws `FileRefused`, without a word of what the file holds. */
export function readPseudonymKey(file: string): KeyObject {
  const secret = secretOf(readKeyFile(file))
  if (typeof secret === 'string') throw new FileRefused(file, new Error(secret))
  const value = secret.reveal()
  if (value.length < LENGTH_MIN)
    throw new FileRefused(file, new Error(`must have at least ${LENGTH_MIN} characters`))
  return createSecretKey(Buffer.from(value))
}
