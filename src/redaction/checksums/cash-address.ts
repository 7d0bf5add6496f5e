const alphabet = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l'
/** The five generators of 40 bits, each in a half of 20 bits high and low: bit operations have 32. */
const generator: readonly (readonly [high: number, low: number])[] = [
  [0x98f2b, 0xc8e61],
  [0x79b76, 0xd99e2],
  [0xf33e5, 0xfb3c4],
  [0xae2ea, 0xbe2a8],
  [0x1e4f4, 0x3e470],
]

/** Whether the data after `prefix:` carries the checksum of CashAddr (40 bits). */
export function isCashAddress(prefix: string, data: string): boolean {
  let high = 0
  let low = 1
  const add = (value: number): void => {
    const top = high >>> 15
    high = ((high & 0x7fff) << 5) | (low >>> 15)
    low = ((low & 0x7fff) << 5) ^ value
    for (const [bit, [left, right]] of generator.entries()) {
      if (((top >>> bit) & 1) === 0) continue
      high ^= left
      low ^= right
    }
  }
  for (let index = 0; index < prefix.length; index++) add(prefix.charCodeAt(index) & 31)
  add(0)
  for (const char of data) {
    const value = alphabet.indexOf(char)
    if (value < 0) return false
    add(value)
  }
  return high === 0 && low === 1
}
