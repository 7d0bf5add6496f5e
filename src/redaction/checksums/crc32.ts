import { crc32 } from 'node:zlib'

const base62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** The last six characters of GitHub's and npm's tokens: CRC32 of the random ones, in base 62, padded with zeros. */
export function crc32Base62(random: string): string {
  let rest = crc32(random)
  let digits = ''
  for (let place = 0; place < 6; place++) {
    digits = base62.charAt(rest % 62) + digits
    rest = Math.floor(rest / 62)
  }
  return digits
}

/** CRC32 with the lowest byte first. */
export function crc32HexLittleEndian(text: string): string {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(crc32(text))
  return bytes.toString('hex')
}

/** Whether `text.slice(start, end)` ends with six digits that are the checksum of what stands before them. */
export const hasCrc32Base62 = (text: string, start: number, end: number): boolean =>
  crc32Base62(text.slice(start, end - 6)) === text.slice(end - 6, end)

/** Grafana's service account tokens: eight digits behind `_` are the checksum of all before it. */
export const hasCrc32Hex = (text: string, start: number, end: number): boolean =>
  crc32HexLittleEndian(text.slice(start, end - 9)) === text.slice(end - 8, end).toLowerCase()
