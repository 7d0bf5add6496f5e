import { decodeBase58, decodeBase58Check, rippleAlphabet } from '../../checksums/base58.ts'
import { bech32Kind } from '../../checksums/bech32.ts'
import { isCashAddress } from '../../checksums/cash-address.ts'
import { crc16 } from '../../checksums/crc16.ts'
import { keccak256 } from '../../checksums/keccak.ts'
import type { Edge, Recognizer, Rule, Validator } from '../../recognizer.ts'

const base58 = '1-9A-HJ-NP-Za-km-z'
const edge: Edge = { not: 'A-Za-z0-9' }

/** A check of a digest costs much more than a look at the characters: random ones have digits and both cases. */
function looksRandom(text: string): boolean {
  return /\d/.test(text) && /[a-z]/.test(text) && /[A-Z]/.test(text)
}

/** Version bytes and length of a payload, as hexadecimal of the version and a number of bytes. */
const payloads: ReadonlyMap<string, string> = new Map([
  ['00:21', 'Bitcoin P2PKH'],
  ['05:21', 'Bitcoin P2SH'],
  ['c4:21', 'Bitcoin test P2SH'],
  ['30:21', 'Litecoin'],
  ['32:21', 'Litecoin P2SH'],
  ['1e:21', 'Dogecoin'],
  ['16:21', 'Dogecoin P2SH'],
  ['4c:21', 'Dash'],
  ['10:21', 'Dash P2SH'],
  ['41:21', 'Tron'],
  ['17:21', 'Bitcoin-like, 0x17'],
  ['80:33', 'private key (WIF)'],
  ['80:34', 'private key (WIF), compressed'],
  ['b0:34', 'Litecoin private key'],
  ['9e:34', 'Dogecoin private key'],
])
/** Payloads with versions of two and of four bytes: Zcash t1 and t3; keys of BIP-32, BIP-49 and BIP-84. */
const longVersions = new Set(['1cb8:22', '1cbd:22'])
const extendedKeys = new Set(
  '0488b21e 0488ade4 049d7cb2 049d7878 04b24746 04b2430c 043587cf 04358394'.split(' '),
)

const isBase58Check: Validator = (text, start, end) => {
  const value = text.slice(start, end)
  if (!looksRandom(value)) return false
  const payload = decodeBase58Check(value)
  if (payload === undefined) return false
  const version = Buffer.from(payload.subarray(0, 4)).toString('hex')
  return (
    payloads.has(`${version.slice(0, 2)}:${payload.length}`) ||
    longVersions.has(`${version.slice(0, 4)}:${payload.length}`) ||
    (payload.length === 78 && extendedKeys.has(version))
  )
}

const isRipple: Validator = (text, start, end) => {
  const value = text.slice(start, end)
  const payload = looksRandom(value) ? decodeBase58Check(value, rippleAlphabet) : undefined
  return payload !== undefined && payload.length === 21 && payload[0] === 0
}

const isBech32: Validator = (text, start, end) => bech32Kind(text.slice(start, end)) !== undefined

const isBitcoinCash: Validator = (text, start, end) => {
  const value = text.slice(start, end).toLowerCase()
  return isCashAddress('bitcoincash', value.slice(value.indexOf(':') + 1))
}

const isOneCharacter = (text: string): boolean => text === text.charAt(0).repeat(text.length)

/** EIP-55: the case of a letter is a bit of the digest. A text of one case carries no checksum and is taken as it is. */
const isEthereum: Validator = (text, start, end) => {
  const value = text.slice(start + 2, end)
  const lower = value.toLowerCase()
  if (isOneCharacter(lower) || /^0{24}/.test(lower)) return false
  if (value === lower || value === value.toUpperCase()) return true
  const digest = keccak256(Buffer.from(lower, 'latin1'))
  if (digest === undefined) return true
  for (let index = 0; index < 40; index++) {
    const nibble = ((digest[index >> 1] as number) >> (index % 2 === 0 ? 4 : 0)) & 15
    const char = value[index] as string
    if (char >= 'A' && nibble >= 8 !== char < 'a') return false
  }
  return true
}

/** Monero cuts the bytes into blocks of eight, each of eleven characters (the last of five bytes: seven). */
const isMonero: Validator = (text, start, end) => {
  const value = text.slice(start, end)
  if (!looksRandom(value)) return false
  const bytes: number[] = []
  for (let from = 0; from < value.length; from += 11) {
    const block = decodeBase58(value.slice(from, from + 11))
    const size = from + 11 <= value.length ? 8 : 5
    if (block === undefined) return false
    const significant = block.subarray(block.findIndex((byte) => byte > 0))
    if (significant.length > size) return false
    bytes.push(...new Array<number>(size - significant.length).fill(0), ...significant)
  }
  const digest = keccak256(Uint8Array.from(bytes.slice(0, -4)))
  return digest === undefined || bytes.slice(-4).every((byte, index) => byte === digest[index])
}

const base32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

function decodeBase32(text: string): Uint8Array {
  const bytes: number[] = []
  let bits = 0
  let held = 0
  for (const char of text) {
    held = ((held << 5) | base32.indexOf(char)) & 0xfff
    bits += 5
    if (bits < 8) continue
    bits -= 8
    bytes.push((held >> bits) & 255)
  }
  return Uint8Array.from(bytes)
}

/** Stellar StrKey: version, 32 bytes, CRC-16/XMODEM with the low byte first. */
const isStellar: Validator = (text, start, end) => {
  const bytes = decodeBase32(text.slice(start, end))
  return crc16(bytes.subarray(0, 33)) === (bytes[33] as number) + (bytes[34] as number) * 256
}

/** Solana has no checksum: 32 bytes, and a word that says what they are. */
const isSolana: Validator = (text, start, end) =>
  looksRandom(text.slice(start, end)) && decodeBase58(text.slice(start, end))?.length === 32

const rule = (pattern: string, validate: Validator): Rule => ({
  pattern,
  left: edge,
  right: edge,
  lengthMax: 128,
  validate,
})

/** Long repetitions are not counted by states, so the first nine are written out: words and short numbers end there. */
const counted = (members: string, min: number, max: number): string =>
  `${`[${members}]{3}`.repeat(3)}[${members}]{${min - 9},${max - 9}}`

const small = 'a-km-z'
const largeOrDigit = '1-9A-HJ-NP-Z'
/**
 * `first` and between `min` and `max` characters of base58, of which one of the first `tellingMax` is no small letter:
 * most addresses are so, and hardly a word is, so that words do not keep a thread to their end.
 */
const unlikeWord = (first: string, min: number, max: number, tellingMax = 5): string =>
  Array.from(
    { length: tellingMax },
    (_, count) =>
      `${first}${`[${small}]`.repeat(count)}[${largeOrDigit}]${counted(base58, min - count - 1, max - count - 1)}`,
  ).join('|')

const solana = (pattern: string): Rule => ({
  ...rule(pattern, isSolana),
  score: 0.3,
  context: ['solana', 'sol', 'phantom', 'wallet', 'spl', 'lamports', 'pubkey'],
})

const bech32Data = 'ac-hj-np-z02-9'
const bech32Prefixes = 'bc|tb|ltc|addr|cosmos|npub|nsec'

export const cryptoAddress: Recognizer = {
  id: 'crypto-address',
  entity: 'CRYPTO',
  category: 'payment',
  tier: 1,
  family: 'prefix',
  rules: [
    rule(`[123]${counted(base58, 24, 34)}`, isBase58Check),
    rule(unlikeWord('[LMXDA97]', 24, 34), isBase58Check),
    rule(`(T[9A-HJ-NP-Z]|t[13])[${base58}]{32,33}`, isBase58Check),
    rule(`[56][${base58}]{50,51}`, isBase58Check),
    rule(unlikeWord('[KLTQ]', 50, 51), isBase58Check),
    rule(`[xyztuv](pub|prv)[${base58}]{107}`, isBase58Check),
    rule(unlikeWord('r', 24, 34), isRipple),
    { ...rule(`(${bech32Prefixes})1[${bech32Data}]{38,110}`, isBech32), ignoreCase: true },
    { ...rule(`(bitcoincash:)?[qp]${counted(bech32Data, 41, 41)}`, isBitcoinCash), ignoreCase: true },
    rule('0[xX][0-9a-fA-F]{40}', isEthereum),
    rule(`[48][0-9AB][${base58}]{93}`, isMonero),
    rule(`4[${base58}]{105}`, isMonero),
    rule('[GSM][A-Z2-7]{55}', isStellar),
    solana(unlikeWord('', 43, 44, 2)),
  ],
  examples: {
    match: [
      '1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa',
      '3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy',
      'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4',
      'BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4',
      'bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0',
      '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed',
      '0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed',
      'rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh',
      'bitcoincash:qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6a',
      'qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6a',
    ],
    miss: [
      '1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb',
      'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5',
      '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD',
      '0x0000000000000000000000000000000000000000',
      '0x5aaeb6053f3e94c9b9a09f33669435e7ef1beae',
      'rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTi',
      'qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6b',
      '4bee6856d713587960018cfc946ee9012345678901',
    ],
  },
}

/** The addresses of Solana that begin as words do: a thread for every word of a text is more than most will pay. */
export const solanaAddress: Recognizer = {
  id: 'solana-address',
  entity: 'CRYPTO',
  category: 'payment',
  tier: 3,
  family: 'shape',
  rules: [solana(`[${small}]{2}[${base58}]{41,42}`)],
  examples: {
    match: [
      { before: 'Solana wallet ', value: 'vines1vzrYbzLMRdu58ou5XTby4qAqVRLmqo36NKPTg' },
      { before: 'sol: ', value: 'qzgmB3c4RkR6AP3FDW4S4VV8yoBAgPQu3HgyJ9jwfmS' },
      { before: 'phantom ', value: 'jtojtomepa8beP8AuQc6eXt5FriJwfFMwQx2v2f9mCL' },
    ],
    miss: [
      'vines1vzrYbzLMRdu58ou5XTby4qAqVRLmqo36NKPTg',
      'Solana wallet vines1vzrYbzLMRdu58ou5XTby4qAqVRLmqo36NKPT',
      'a wallet of leather',
      'sol 7EcDhSYGxXyscszYEp35KHN8vvw3svAuLKTzXwCFLtV',
    ],
  },
}
