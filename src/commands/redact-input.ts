import { createReadStream } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { CommandFailed } from './surroundings.ts'

/** A text to test, a corpus or findings: more than that is no test any more. */
const INPUT_BYTES_MAX = 256 * 1024 * 1024

/** Reads a file, or standard input for `-`, as UTF-8; one that gzip made is unpacked. */
export async function readInput(file: string): Promise<string> {
  const bytes = await readBytes(file)
  const gzipped = bytes[0] === 0x1f && bytes[1] === 0x8b
  return (gzipped ? unpacked(file, bytes) : bytes).toString('utf8')
}

function unpacked(file: string, bytes: Buffer): Buffer {
  try {
    return gunzipSync(bytes, { maxOutputLength: INPUT_BYTES_MAX })
  } catch (error) {
    throw new CommandFailed(`${file} cannot be unpacked: ${(error as Error).message}`)
  }
}

async function readBytes(file: string): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  try {
    for await (const chunk of file === '-' ? process.stdin : createReadStream(file)) {
      const bytes = chunk as Buffer
      length += bytes.length
      if (length > INPUT_BYTES_MAX)
        throw new CommandFailed(`${file} is longer than ${INPUT_BYTES_MAX} bytes.`)
      chunks.push(bytes)
    }
  } catch (error) {
    throw error instanceof CommandFailed ? error : unreadable(file, error as NodeJS.ErrnoException)
  }
  return Buffer.concat(chunks)
}

function unreadable(file: string, { code, message }: NodeJS.ErrnoException): CommandFailed {
  if (code === 'ENOENT') return new CommandFailed(`There is no file ${file}.`)
  return new CommandFailed(`${file} cannot be read: ${code ?? message}`)
}
