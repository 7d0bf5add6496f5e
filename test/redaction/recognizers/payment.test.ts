import fc from 'fast-check'
import t from 'tap'
import { ibanCountries, isIban } from '../../../src/redaction/iban.ts'
import { passesLuhn } from '../../../src/redaction/luhn.ts'
import { creditCard } from '../../../src/redaction/recognizers/payment/credit-card.ts'
import { cryptoAddress } from '../../../src/redaction/recognizers/payment/crypto-address.ts'
import { iban } from '../../../src/redaction/recognizers/payment/iban.ts'
import { isSpread, mended } from '../../../src/redaction/recognizers/payment/spelling.ts'
import { createOracle } from '../oracle.ts'

const maskCards = createOracle([creditCard])
const maskIbans = createOracle([iban])
const maskAddresses = createOracle([cryptoAddress])

const digitText = (length: number): fc.Arbitrary<string> =>
  fc.array(fc.nat(9), { minLength: length, maxLength: length }).map((digits) => digits.join(''))

const withLuhn = (body: string): string => {
  const check = '0123456789'.split('').find((digit) => passesLuhn(body + digit, 0, body.length + 1))
  return body + (check ?? '')
}

/** A prefix of each large network, and the length of its numbers. */
const network = fc.constantFrom(
  ['4', 16],
  ['51', 16],
  ['2221', 16],
  ['2720', 16],
  ['6011', 16],
  ['3528', 16],
  ['622126', 16],
  ['34', 15],
  ['36', 14],
  ['4', 19],
) as fc.Arbitrary<[string, number]>

const card = network.chain(([prefix, length]) =>
  digitText(length - prefix.length - 1).map((body) => withLuhn(prefix + body)),
)

const sizes: Readonly<Record<number, readonly number[]>> = {
  14: [4, 6, 4],
  15: [4, 6, 5],
  16: [4, 4, 4, 4],
  19: [4, 4, 4, 4, 3],
}

function grouped(number: string, joint: string): string {
  const ends = (sizes[number.length] ?? []).map((_, at, all) =>
    all.slice(0, at + 1).reduce((sum, size) => sum + size, 0),
  )
  const groups = ends.map((end, at) => number.slice(ends[at - 1] ?? 0, end))
  return groups.join(joint)
}

const spelling = fc.constantFrom<(number: string) => string>(
  (number) => number,
  (number) => grouped(number, ' '),
  (number) => grouped(number, '-'),
  (number) => grouped(number, '.'),
  (number) => [...number].join(' '),
  (number) => [...number].join('.'),
  (number) => [...grouped(number, '-')].join(' '),
  (number) => `${number.slice(0, 5)}**${number.slice(5, 9)}**${number.slice(9)}`,
  (number) => grouped(number, '\\-'),
  (number) => `${number.slice(0, 7)}\n${number.slice(7)}`,
)

t.test('a card of any network is masked whole in every spelling', async (t) => {
  fc.assert(
    fc.property(card, spelling, (number, spell) => {
      t.equal(maskCards(`the number is ${spell(number)}, thanks`).text, 'the number is [CREDIT_CARD], thanks')
    }),
    { numRuns: 60 },
  )
})

t.test('a card with a wrong digit passes in every spelling', async (t) => {
  // The first groups of a longer number may be a card by chance, with other digits after it.
  const short = card.filter((number) => number.length <= 16)
  fc.assert(
    fc.property(short, spelling, fc.nat(), fc.integer({ min: 1, max: 9 }), (number, spell, place, step) => {
      const at = place % number.length
      const wrong = number.slice(0, at) + ((Number(number[at]) + step) % 10) + number.slice(at + 1)
      const text = `the number is ${spell(wrong)}, thanks`
      t.equal(maskCards(text).text, text)
    }),
    { numRuns: 60 },
  )
})

t.test('columns, products and versions are no spread or broken numbers', async (t) => {
  for (const text of [
    '4012\n8888\n8888\n1881',
    'a: 40128888 \n 88\n881881',
    '4*0*1*2*8*8*8*8*8*8*8*8*1*8*8*1',
    '4 0 1 2 8.8 8 8 8 8 8 8 1 8 8 1',
    '4 0 1 2 8 8 8 8 8 8 8 8 1 8 8 1 7',
    '3 4 0 1 2 8 8 8 8 8 8 8 8 1 8 8 1',
  ])
    t.equal(maskCards(text).text, text)
  t.equal(isSpread('1 2 3', 0, 5), true)
  t.equal(isSpread('1 2 - 3', 0, 7), true)
  t.equal(isSpread('1 2-3', 0, 5), false)
  t.equal(isSpread('1 2 ', 0, 4), false)
  t.strictSame(mended('12', 0, 2), [])
  t.strictSame(mended('1**2**3', 0, 7), ['123'])
  t.strictSame(mended('1\n2', 0, 3), [])
  t.strictSame(mended('no 1\n2', 3, 6), ['12', '1 2'])
})

/** An account number of a country, drawn by the length that a valid one of it has. */
function ibanOf(country: string, seed: string): string | undefined {
  for (const form of ['digits', 'letters', 'mixed'] as const) {
    for (let length = 11; length <= 30; length++) {
      const found = completed(country, bbanOf(form, seed, length))
      if (found !== undefined) return found
    }
  }
  return undefined
}

function bbanOf(form: 'digits' | 'letters' | 'mixed', seed: string, length: number): string {
  const body = seed.repeat(4).slice(0, length)
  if (form === 'digits') return body
  return (form === 'letters' ? 'ABCD' : 'A') + body.slice(form === 'letters' ? 4 : 1)
}

function completed(country: string, bban: string): string | undefined {
  for (let check = 2; check <= 98; check++) {
    const value = country + String(check).padStart(2, '0') + bban
    if (isIban(value, 0, value.length)) return value
  }
  return undefined
}

t.test(
  'an IBAN of any country is masked in every spelling, and none of them with a wrong digit',
  async (t) => {
    const simple = ibanCountries.filter((country) => ibanOf(country, '1234567890') !== undefined)
    t.ok(simple.length >= 70, `${simple.length} countries`)
    fc.assert(
      fc.property(fc.constantFrom(...simple), digitText(10), (country, seed) => {
        const value = ibanOf(country, seed) ?? ''
        const groups = value.replace(/(.{4})(?=.)/g, '$1 ')
        for (const spelled of [
          value,
          value.toLowerCase(),
          groups,
          groups.replaceAll(' ', '-'),
          [...value].join(' '),
        ])
          t.equal(maskIbans(`to ${spelled}.`).text, 'to [IBAN_CODE].')
        t.equal(maskIbans(`to ${value.slice(0, 8)}\n${value.slice(8)}.`).text, 'to [IBAN_CODE].')
        const wrong = value.slice(0, -1) + ((Number(value.at(-1)) + 1) % 10)
        t.equal(maskIbans(`to ${wrong}.`).text, `to ${wrong}.`)
      }),
      { numRuns: 25 },
    )
  },
)

t.test('addresses of the networks', async (t) => {
  for (const address of [
    'LM2WMpR1Rp6j3Sa59cMXMs1SPzj9eXpGc1',
    'XpESxaUmonkq8RaLLp46Brx2K39ggQe226',
    't1PKtYdJJHhc3Pxowmznkg7vdTwnhEsCvR4',
    '2MzQwSSnBHWHqSAqtTVQ6v47XtaisrJa1Vc',
    'tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx',
    'DH5yaieqoZN36fDVciNyRueRGvGLR3mr7L',
    'TJCnKsPa7y5okkXvQAidZBzqx3QyQ6sxMW',
    '5HueCGU8rMjxEXxiPuD5BDku4MkFqeZyd4dZ1jvhTVqvbTLvyTJ',
    'xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhePY2gZ29ESFjqJoCu1Rupje8YtGqsefD265TMg7usUDFdp6W1EGMcet8',
    '44AFFq5kSiGBoZ4NMDwYtN18obc8AemS33DBLWs3H7otXft3XjrpDtQGv7SqSsaBYBb98uNbr2VBBEt7f2wfn3RVGQBEP3A',
    'GA7QYNF7SOWQ3GLR2BGMZEHXAVIRZA4KVWLTJJFC7MGXUA74P7UJVSGZ',
  ]) {
    t.equal(maskAddresses(`to ${address} now`).text, 'to [CRYPTO] now', address)
    const at = address.length - 5
    const wrong =
      address.slice(0, at) +
      (address[at] === 'a' || address[at] === 'A' ? address[at - 1] : 'A') +
      address.slice(at + 1)
    if (wrong !== address) t.equal(maskAddresses(wrong).text, wrong)
  }
})

t.test('a Solana address needs a word that says so', async (t) => {
  const address = '7EcDhSYGxXyscszYEp35KHN8vvw3svAuLKTzXwCFLtV'
  t.equal(maskAddresses(`my Solana wallet ${address}`).text, 'my Solana wallet [CRYPTO]')
  t.equal(maskAddresses(`commit ${address}`).text, `commit ${address}`)
})
