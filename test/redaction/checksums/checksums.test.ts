import fc from 'fast-check'
import t from 'tap'
import { passesCodiceFiscale } from '../../../src/redaction/checksums/codice-fiscale.ts'
import { passesMod11And2, passesMod11And10 } from '../../../src/redaction/checksums/iso7064.ts'
import { passesLuhnModN } from '../../../src/redaction/checksums/luhn-mod-n.ts'
import { remainder97 } from '../../../src/redaction/checksums/mod97.ts'
import { mrzCheckDigit, passesMrz } from '../../../src/redaction/checksums/mrz.ts'
import {
  areSame,
  countOf,
  noValue,
  numberOf,
  onValues,
  unitValue,
  valuesOf,
} from '../../../src/redaction/checksums/values.ts'
import { passesVerhoeff } from '../../../src/redaction/checksums/verhoeff.ts'
import { passesVin } from '../../../src/redaction/checksums/vin.ts'
import { crossSum, mod10Digit, mod11Digit, weightedSum } from '../../../src/redaction/checksums/weighted.ts'

const valuesIn = (text: string): number[] => [...text].map((char) => unitValue(char.charCodeAt(0)))
const whole = (passes: (values: number[], count: number) => boolean) => (text: string) =>
  passes(valuesIn(text), text.length)

const verhoeff = whole(passesVerhoeff)
const mod11And10 = whole((values, count) => passesMod11And10(values, 0, count))
const mod11And2 = whole(passesMod11And2)
const luhn10 = whole((values, count) => passesLuhnModN(values, 0, count, 10))
const luhn36 = whole((values, count) => passesLuhnModN(values, 0, count, 36))
const vin = whole(passesVin)
const codiceFiscale = whole(passesCodiceFiscale)

/** Published numbers: of the standards, of the offices that give them out, of encyclopedias that quote them. */
const published: Readonly<
  Record<string, readonly [passes: (text: string) => boolean, numbers: readonly string[]]>
> = {
  Verhoeff: [verhoeff, ['2363', '123451', '84736430954837284567892']],
  'ISO 7064 MOD 11,10': [mod11And10, ['07945', '86095742719', '136695976', '47036892816']],
  'ISO 7064 MOD 11-2': [
    mod11And2,
    ['07940', '079X', '0000000218250097', '000000021694233X', '11010519491231002X'],
  ],
  Luhn: [luhn10, ['79927398713', '808401234567893', '130692544', '8001015009087', '8112189876']],
  'Luhn to base 36': [luhn36, ['27AAPFU0939F1ZV', '29AAGCB7383J1Z4']],
  VIN: [vin, ['1M8GDM9AXKP042788', '11111111111111111', '5GZCZ43D13S812715']],
  'codice fiscale': [codiceFiscale, ['RSSMRA85T10A562S', 'MRTMTT91D08F205J']],
}

for (const [name, [passes, numbers]] of Object.entries(published)) {
  t.test(`${name}: published numbers pass`, async (t) => {
    for (const number of numbers) t.ok(passes(number), number)
  })

  // The check character of a VIN is not its last.
  if (name === 'VIN') continue
  t.test(`${name}: no published number passes with a wrong check character`, async (t) => {
    for (const number of numbers) {
      const last = number.at(-1) ?? ''
      const others = (/[A-Z]/.test(last) ? 'ABCDEFGHIJKLMNOPQRSTUVWXYZ' : '0123456789').replace(last, '')
      for (const other of others) t.notOk(passes(number.slice(0, -1) + other), number.slice(0, -1) + other)
    }
  })
}

t.test('VIN: no check character but its own passes', async (t) => {
  for (const check of '0123456789') t.notOk(vin(`1M8GDM9A${check}KP042788`), check)
})

const digit = fc.integer({ min: 0, max: 9 })
const digitsOf = (length: number) => fc.array(digit, { minLength: length, maxLength: length })

/** Ends the digits so that they pass; undefined where the algorithm has no digit for them. */
const completed = (digits: readonly number[], passes: (text: string) => boolean): string | undefined =>
  Array.from({ length: 10 }, (_, last) => digits.join('') + last).find(passes)

for (const [name, passes] of Object.entries({ Verhoeff: verhoeff, Luhn: luhn10, 'MOD 11,10': mod11And10 })) {
  t.test(`${name}: every wrong digit is found`, async (t) => {
    fc.assert(
      fc.property(digitsOf(10), fc.nat(9), fc.integer({ min: 1, max: 9 }), (digits, place, step) => {
        const number = completed(digits, passes)
        if (number === undefined) return false
        const wrong = (Number(number[place]) + step) % 10
        return passes(number) && !passes(number.slice(0, place) + wrong + number.slice(place + 1))
      }),
    )
    t.pass('holds for every sample')
  })
}

t.test('Verhoeff: every swap of neighbors is found', async (t) => {
  fc.assert(
    fc.property(digitsOf(11), fc.nat(9), (digits, place) => {
      const number = completed(digits, verhoeff) ?? ''
      const [left = '', right = ''] = [number[place], number[place + 1]]
      fc.pre(left !== right)
      return !verhoeff(number.slice(0, place) + right + left + number.slice(place + 2))
    }),
  )
  t.pass('holds for every sample')
})

t.test('MOD 11-2: every wrong digit is found, and X stands for ten', async (t) => {
  fc.assert(
    fc.property(digitsOf(17), fc.nat(16), fc.integer({ min: 1, max: 9 }), (digits, place, step) => {
      const body = digits.join('')
      const number = [...'0123456789X'].map((last) => body + last).find(mod11And2) ?? ''
      const wrong = (Number(number[place]) + step) % 10
      return mod11And2(number) && !mod11And2(number.slice(0, place) + wrong + number.slice(place + 1))
    }),
  )
  t.pass('holds for every sample')
})

t.test('VIN and codice fiscale: a wrong digit is found', async (t) => {
  // The table of the VIN counts letters as digits, so only another digit is sure to change the sum.
  for (const [number, passes] of [
    ['1M8GDM9AXKP042788', vin],
    ['RSSMRA85T10A562S', codiceFiscale],
  ] as const)
    for (const [place, char] of [...number].entries())
      if (/\d/.test(char))
        for (const other of '0123456789'.replace(char, ''))
          t.notOk(
            passes(number.slice(0, place) + other + number.slice(place + 1)),
            `${number} ${place} ${other}`,
          )
})

t.test('MOD 97: the remainder of numbers of any length', async (t) => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 10n ** 40n }), (number) => {
      const digits = valuesIn(String(number))
      return remainder97(digits, 0, digits.length) === Number(number % 97n)
    }),
  )
  t.pass('holds for every sample')
})

t.test('ICAO 9303: the check digits of the specimen', async (t) => {
  const line = 'L898902C36UTO7408122F1204159ZE184226B<<<<<10'
  t.ok(passesMrz(line, 0, 9, 9))
  t.ok(passesMrz(line, 13, 19, 19))
  t.ok(passesMrz(line, 21, 27, 27))
  t.ok(passesMrz(line, 28, 42, 42))
  t.equal(mrzCheckDigit('520727', 0, 6), 3)
  t.equal(mrzCheckDigit('AB2134<<<', 0, 9), 5)
  t.ok(passesMrz('<<<<<<<<<<', 0, 9, 9))
  // A letter and a digit may count the same modulo ten, two digits never do.
  for (const place of [1, 2, 3, 4, 5, 6, 8])
    for (const other of '0123456789'.replace(line[place] ?? '', ''))
      t.notOk(passesMrz(line.slice(0, place) + other + line.slice(place + 1), 0, 9, 9))
})

t.test('sums with weights', async (t) => {
  t.equal(weightedSum([1, 2, 3], [10, 1, 2]), 18)
  t.equal(weightedSum([9], [1, 1, 1]), 9)
  t.equal(crossSum([9, 5, 4], [2, 7, 1]), 9 + 8 + 4)
  t.strictSame([0, 1, 9, 10, 11, 22].map(mod11Digit), [0, 0, 2, 1, 0, 0])
  t.strictSame([0, 1, 9, 10].map(mod10Digit), [0, 9, 1, 0])
})

t.test('values of characters', async (t) => {
  t.strictSame([...valuesOf('x1-2 aZ.9', 1, 9)].slice(0, 6), [1, 2, 10, 35, 9, noValue])
  t.equal(countOf(valuesOf('12 34', 0, 5)), 4)
  t.equal(countOf(valuesOf('1'.repeat(200), 0, 200)), 64)
  t.equal(numberOf(valuesOf('0123', 0, 4), 1, 4), 123)
  t.equal(areSame(valuesOf('777', 0, 3), 0, 3), true)
  t.equal(areSame(valuesOf('778', 0, 3), 0, 3), false)
  t.equal(onValues((values) => values[0] === 7)('a7', 1, 2), true)
  t.strictSame(
    ['/', ':', '@', '[', '`', '{', '\u0661'].map((char) => unitValue(char.charCodeAt(0))),
    Array(7).fill(-1),
  )
})
