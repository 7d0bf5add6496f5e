// Secrets that look real and belong to nobody, made anew for each run: none of them may stand in the repository.
import { createHash, randomInt } from 'node:crypto'

export interface Planted {
  readonly entity: string
  readonly value: string
  /** What the reply says before and after the value. */
  readonly before: string
  readonly after: string
}

const letters = 'abcdefghijklmnopqrstuvwxyz'
const capitals = letters.toUpperCase()
const digits = '0123456789'
const some = (alphabet: string, count: number): string =>
  Array.from({ length: count }, () => alphabet[randomInt(alphabet.length)]).join('')

/** The digit that makes the sum of ISO/IEC 7812-1 a multiple of ten. */
function luhn(number: string): string {
  const sum = [...number].reduceRight((sum, digit, index) => {
    const doubled = (number.length - index) % 2 === 1 ? Number(digit) * 2 : Number(digit)
    return sum + (doubled > 9 ? doubled - 9 : doubled)
  }, 0)
  return String((10 - (sum % 10)) % 10)
}

/** Check digits of ISO 7064 MOD 97-10, as an IBAN has them. */
function iban(country: string, account: string): string {
  const numbers = [...`${account}${country}00`].map((sign) => Number.parseInt(sign, 36)).join('')
  const check = 98n - (BigInt(numbers) % 97n)
  return `${country}${String(check).padStart(2, '0')}${account}`
}

const inGroups = (text: string, sign: string): string => (text.match(/.{1,4}/g) ?? []).join(sign)

function card(): string {
  const number = `4${some(digits, 14)}`
  return number + luhn(number)
}

const german = (): string => iban('DE', `37040044${some(digits, 10)}`)

/** A JSON Web Token that nobody signed. */
function webToken(): string {
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const signature = createHash('sha256').update(some(letters, 12)).digest('base64url')
  return `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode({ sub: some(letters, 8) })}.${signature}`
}

const kinds: readonly (readonly [entity: string, before: string, make: () => string])[] = [
  [
    'EMAIL_ADDRESS',
    'Write to ',
    () => `${some(letters, 6)}.${some(letters, 7)}@${some(letters, 9)}.example.com`,
  ],
  ['CREDIT_CARD', 'The card number is ', card],
  ['CREDIT_CARD', 'The card number is ', () => inGroups(card(), ' ')],
  ['IBAN', 'The account is ', german],
  ['IBAN', 'The account is ', () => inGroups(german(), ' ')],
  ['AWS_ACCESS_KEY', 'The key id is ', () => `AKIA${some(`${capitals}234567`, 16)}`],
  ['GITHUB_TOKEN', 'The token is ', () => `ghp_${some(letters + capitals + digits, 36)}`],
  ['JWT', 'The token is ', webToken],
]

/** So many values of each kind. */
export const plantedValues = (each: number): Planted[] =>
  kinds.flatMap(([entity, before, make]) =>
    Array.from({ length: each }, () => ({
      entity,
      value: make(),
      before: `word word. ${before}`,
      after: ' and that is all there is to say.',
    })),
  )
