import { hash } from 'node:crypto'

export const bitcoinAlphabet = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
/** Ripple orders the same characters in its own way (XRPL base58 encodings). */
export const rippleAlphabet = 'rpshnaf39wBUDNEGHJKLM4PQRST7VWXYZ2bcdeCg65jkm8oFqi1tuvAxyz'

const valueTable = (alphabet: string): Int8Array => {
  const table = new Int8Array(128).fill(-1)
  for (let value = 0; value < alphabet.length; value++) table[alphabet.charCodeAt(value)] = value
  return table
}

const tables: ReadonlyMap<string, Int8Array> = new Map(
  [bitcoinAlphabet, rippleAlphabet].map((alphabet) => [alphabet, valueTable(alphabet)]),
)

/** Longest text that is decoded: the cost grows with its square. */
export const base58LengthMax = 128

/** Four characters at a time fit a number: 58^4 is below 2^24, and a limb of 24 bits times it below 2^53. */
const chunkLength = 4
const limb = 2 ** 24

/** The number in limbs, the lowest first; undefined where a character is none of the alphabet. */
function limbsOf(text: string, table: Int8Array): number[] | undefined {
  const limbs: number[] = []
  for (let from = 0; from < text.length; from += chunkLength) {
    let factor = 1
    let carry = 0
    for (let index = from; index < Math.min(from + chunkLength, text.length); index++) {
      const value = table[text.charCodeAt(index)] ?? -1
      if (value < 0) return undefined
      carry = carry * 58 + value
      factor *= 58
    }
    for (let at = 0; at < limbs.length; at++) {
      const product = (limbs[at] as number) * factor + carry
      carry = Math.floor(product / limb)
      limbs[at] = product - carry * limb
    }
    if (carry > 0) limbs.push(carry)
  }
  return limbs
}

/**
 * The bytes of a base58 number, a leading zero byte for each leading zero character; undefined where a character is
 * none of the alphabet or the text is too long.
 */
export function decodeBase58(text: string, alphabet = bitcoinAlphabet): Uint8Array | undefined {
  const table = tables.get(alphabet)
  if (table === undefined || text.length > base58LengthMax) return undefined
  const limbs = limbsOf(text, table)
  if (limbs === undefined) return undefined
  let zeros = 0
  while (zeros < text.length && text[zeros] === alphabet[0]) zeros++
  const top = limbs.at(-1) ?? 0
  const topBytes = top > 0xffff ? 3 : top > 0xff ? 2 : top > 0 ? 1 : 0
  const length = zeros + Math.max(0, limbs.length - 1) * 3 + topBytes
  const bytes = new Uint8Array(length)
  for (let at = 0; at < length - zeros; at++)
    bytes[length - 1 - at] = (limbs[Math.floor(at / 3)] as number) >>> ((at % 3) * 8)
  return bytes
}

const sha256 = (bytes: Uint8Array): Buffer => hash('sha256', bytes, 'buffer')

/** The payload, version bytes included, if the last four bytes are the start of its double SHA-256. */
export function decodeBase58Check(text: string, alphabet = bitcoinAlphabet): Uint8Array | undefined {
  const bytes = decodeBase58(text, alphabet)
  if (bytes === undefined || bytes.length < 5) return undefined
  const payload = bytes.subarray(0, -4)
  const check = sha256(sha256(payload))
  for (let index = 0; index < 4; index++) if (check[index] !== bytes[payload.length + index]) return undefined
  return payload
}
