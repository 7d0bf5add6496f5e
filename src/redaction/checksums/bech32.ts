const alphabet = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l'
const generator = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3]
/** What the checksum of BIP-173 leaves, and that of BIP-350 (bech32m). */
const bech32Remainder = 1
const bech32mRemainder = 0x2bc830a3

function step(checksum: number, value: number): number {
  const top = checksum >>> 25
  let next = ((checksum & 0x1ffffff) << 5) ^ value
  for (let bit = 0; bit < 5; bit++) if ((top >>> bit) & 1) next ^= generator[bit] as number
  return next
}

const isMixedCase = (text: string): boolean => text !== text.toLowerCase() && text !== text.toUpperCase()

/** Which of the two checksums a text of prefix, `1` and data carries. */
export function bech32Kind(text: string): 'bech32' | 'bech32m' | undefined {
  const one = text.lastIndexOf('1')
  if (one < 1 || text.length - one < 7 || isMixedCase(text)) return undefined
  const lower = text.toLowerCase()
  let checksum = 1
  for (let index = 0; index < one; index++) checksum = step(checksum, lower.charCodeAt(index) >>> 5)
  checksum = step(checksum, 0)
  for (let index = 0; index < one; index++) checksum = step(checksum, lower.charCodeAt(index) & 31)
  for (let index = one + 1; index < lower.length; index++) {
    const value = alphabet.indexOf(lower[index] as string)
    if (value < 0) return undefined
    checksum = step(checksum, value)
  }
  if (checksum === bech32Remainder) return 'bech32'
  return checksum === bech32mRemainder ? 'bech32m' : undefined
}
