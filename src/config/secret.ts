import { inspect } from 'node:util'
import type { FileSource } from './source.ts'

/** Longest secret that is read from a file. */
export const SECRET_BYTES_MAX = 16_384
const SHOWN = '[secret]'

/** A value that shows itself only to whoever calls `reveal()`: not in JSON, text, logs, `inspect` or structured clones. */
export class Secret {
  readonly #value: string

  constructor(value: string) {
    this.#value = value
  }

  reveal(): string {
    return this.#value
  }

  toString(): string {
    return SHOWN
  }

  toJSON(): string {
    return SHOWN
  }

  [Symbol.toPrimitive](): string {
    return SHOWN
  }

  [inspect.custom](): string {
    return SHOWN
  }
}

/** Visible ASCII only: a secret goes into a header, where a line break would begin a header of its own. */
const visible = /^[\x21-\x7e]+$/

/** A secret from the bytes of a file, without the white space around it; or, as text, what is wrong with it. */
export function secretOf(bytes: Uint8Array): Secret | string {
  if (bytes.byteLength > SECRET_BYTES_MAX) return `is larger than ${SECRET_BYTES_MAX} bytes`
  const value = Buffer.from(bytes).toString('latin1').trim()
  if (value === '') return 'is empty'
  return visible.test(value) ? new Secret(value) : 'must be one line of visible ASCII characters'
}

/** Reads a secret from a file. Throws an error that names the path and never the content. */
export async function readSecret(source: FileSource, path: string): Promise<Secret> {
  const found = await source.read(path, { bytesMax: SECRET_BYTES_MAX })
  const secret = found.kind === 'file' ? secretOf(found.bytes) : `is ${found.kind}`
  if (typeof secret === 'string') throw new Error(`${source.resolve(path)} ${secret}`)
  return secret
}
