import { createHash } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import {
  base58LengthMax,
  bitcoinAlphabet,
  decodeBase58,
  decodeBase58Check,
  rippleAlphabet,
} from '../../../src/redaction/checksums/base58.ts'

/** By the definition: a number in base 58, with a digit of zero for each leading zero byte. */
function encode(bytes: Uint8Array, alphabet = bitcoinAlphabet): string {
  let value = BigInt(`0x0${Buffer.from(bytes).toString('hex')}`)
  let text = ''
  for (; value > 0n; value /= 58n) text = `${alphabet[Number(value % 58n)]}${text}`
  const zeros = bytes.findIndex((byte) => byte !== 0)
  return (alphabet[0] ?? '').repeat(zeros < 0 ? bytes.length : zeros) + text
}

const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest()

t.test('the vectors of the base58 draft', async (t) => {
  for (const [text, hex] of [
    ['2NEpo7TZRRrLZSi2U', Buffer.from('Hello World!').toString('hex')],
    ['USm3fpXnKG5EUBx2ndxBDMPVciP5hGey2Jh4NDv6gmeo1LkMeiKrLJUUBk6Z', undefined],
    ['11233QC4', '0000287fb4cd'],
    ['', ''],
    ['1', '00'],
  ] as const)
    if (hex !== undefined) t.equal(Buffer.from(decodeBase58(text) ?? []).toString('hex'), hex)
    else t.match(Buffer.from(decodeBase58(text) ?? []).toString(), 'The quick brown fox')
})

t.test('what was encoded is decoded, in both alphabets', async (t) => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 80 }),
      fc.constantFrom(bitcoinAlphabet, rippleAlphabet),
      (bytes, alphabet) => {
        t.strictSame(decodeBase58(encode(bytes, alphabet), alphabet), bytes)
      },
    ),
  )
})

t.test('other characters and long texts are refused', async (t) => {
  for (const text of ['0', 'O', 'I', 'l', '1\u00e9', '2\ud83d\ude00', '1'.repeat(base58LengthMax + 1)])
    t.equal(decodeBase58(text), undefined)
})

t.test('a payload is taken only with its checksum', async (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 40 }), fc.nat(255), (payload, change) => {
      const check = sha256(sha256(payload)).subarray(0, 4)
      const whole = Uint8Array.from([...payload, ...check])
      t.strictSame(decodeBase58Check(encode(whole)), payload)
      if (change === 0) return
      const at = change % whole.length
      whole[at] = (whole[at] ?? 0) ^ change
      t.equal(decodeBase58Check(encode(whole)), undefined)
    }),
  )
})
