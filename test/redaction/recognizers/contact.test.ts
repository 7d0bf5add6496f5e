import fc from 'fast-check'
import t from 'tap'
import { dateOfBirth } from '../../../src/redaction/recognizers/contact/date-of-birth.ts'
import { emailAddress } from '../../../src/redaction/recognizers/contact/email-address.ts'
import { phoneNumber } from '../../../src/redaction/recognizers/contact/phone-number.ts'
import { phoneShape } from '../../../src/redaction/recognizers/contact/phone-shape.ts'
import { createOracle } from '../oracle.ts'

const maskPhones = createOracle([phoneNumber])
const maskMails = createOracle([emailAddress])
const maskBirths = createOracle([dateOfBirth])

/** `#` is any digit, `%` one from 2 to 9. */
const filled = (format: string): fc.Arbitrary<string> =>
  fc
    .array(fc.nat(9), { minLength: format.length, maxLength: format.length })
    .map((digits) =>
      [...format]
        .map((char, at) => (char === '#' ? digits[at] : char === '%' ? 2 + ((digits[at] ?? 0) % 8) : char))
        .join(''),
    )

/** Formats that prove themselves: with a country code, or of a plan that nothing else looks like. */
const telling = [
  '+1 (%3#) %3#-####',
  '+1-%3#-###-####x###',
  '+44 20 7### ####',
  '+44(0)20 7### ####',
  '+49 30 ########',
  '+49 (0) 30 ######',
  '+33 6 ## ## ## ##',
  '+39 02 ### ####',
  '+34 6## ### ###',
  '+91 9#### #####',
  '+55 11 9####-####',
  '+81 90-####-####',
  '+86 138 #### ####',
  '+61 4## ### ###',
  '+46 (0)8 ### ### ##',
  '+353 1 ### ####',
  '0044 20 7### ####',
  '(%3#) %3#-####',
  '%3#-%3#-#### ext. ###',
  '1-%3#-%3#-####',
  '020 7### ####',
  '030/########',
  '06 ## ## ## #1',
  '090-####-####',
  '(11) 9####-####',
  '138 #### ####',
  '%32 ### ## ##',
]

t.test('numbers with a country code and of telling plans are masked whole', async (t) => {
  for (const format of telling)
    fc.assert(
      fc.property(filled(format), (number) => {
        t.equal(maskPhones(`Yesterday ${number}, then`).text, 'Yesterday [PHONE_NUMBER], then', format)
      }),
      { numRuns: 6 },
    )
})

t.test('other numbers of a plan are masked where a word says so, and else pass', async (t) => {
  for (const format of [
    '6## ## ## ##',
    '%3## ####',
    '9### ####',
    '%#-##-##-#1',
    '%# ######',
    '(%#) ###-###',
    '%3########',
  ])
    fc.assert(
      fc.property(filled(format), (number) => {
        t.equal(maskPhones(`Call me at ${number} today`).text, 'Call me at [PHONE_NUMBER] today', format)
        t.equal(maskPhones(`We sold ${number} today`).text, `We sold ${number} today`, format)
      }),
      { numRuns: 6 },
    )
})

t.test('the kind of a number after it counts as a word, and goes with it', async (t) => {
  t.equal(maskPhones('416 60 039 office\n22 498317 fax').text, '[PHONE_NUMBER]\n[PHONE_NUMBER]')
  t.equal(maskPhones('12 345 office chairs').text, '12 345 office chairs')
})

t.test('numbers that a word names otherwise pass, on the same line', async (t) => {
  for (const name of ['NHS number', 'order', 'Aadhaar:', 'invoice no.', 'ISBN', 'account'])
    t.equal(maskPhones(`${name} 415 826 1958`).text, `${name} 415 826 1958`)
  t.equal(maskPhones('my account\n415 826 1958').text, 'my account\n[PHONE_NUMBER]')
  t.equal(maskPhones('ask for the account, at 415 826 1958').text, 'ask for the account, at [PHONE_NUMBER]')
})

t.test('dates, times, sums, ranges and codes pass', async (t) => {
  for (const text of [
    'call me on 2024-05-06 or 05/06/2024',
    'phone sales: 1 200 300 in 1990-2000',
    'text 01 02 03 04 05',
    '3 + 4155552671 = x',
    '1,000,000.00 and 100-200-300',
    '12-3456789 and 078-05-1120',
    '4012 8888 8888 1881',
    'DE89 3704 0044 0532 0130 01',
    '10.0.0.1 10.12.2024 10:20',
  ])
    t.equal(maskPhones(text).text, text)
})

t.test('the shape of a number', async (t) => {
  t.strictSame(phoneShape('(415) 555-2671', 0, 14), {
    groups: '3-3-4',
    digits: '4155552671',
    joints: [' ', '-'],
    bracketed: true,
  })
})

t.test('addresses of RFC 5321 are masked whole, alone, spread and with marks', async (t) => {
  const name = fc.stringMatching(/^[a-z][a-z0-9]{2,12}$/)
  fc.assert(
    fc.property(name, name, fc.constantFrom('com', 'co.uk', 'museum', 'xn--p1ai'), (local, host, top) => {
      const address = `${local}@${host}.${top}`
      for (const spelled of [address, address.toUpperCase(), `x.${address}`, `${local}**7@**${host}.${top}`])
        t.equal(maskMails(`to <${spelled}>, please`).text, 'to <[EMAIL_ADDRESS]>, please')
      if (top.includes('--')) return
      t.equal(maskMails(`to ${[...address].join(' ')} please`).text, 'to [EMAIL_ADDRESS] please')
      t.equal(maskMails(`to ${[...address].join('.')} please`).text, 'to [EMAIL_ADDRESS] please')
    }),
    { numRuns: 30 },
  )
})

t.test('a local part longer than 64 and a label longer than 63', async (t) => {
  t.equal(maskMails(`${'a'.repeat(70)}@example.com`).text, `${'a'.repeat(6)}[EMAIL_ADDRESS]`)
  t.equal(maskMails(`a@${'b'.repeat(63)}.com`).text, '[EMAIL_ADDRESS]')
  t.equal(maskMails(`a@${'b'.repeat(64)}.com`).text, `a@${'b'.repeat(64)}.com`)
  const domain = `${`${'b'.repeat(62)}.`.repeat(4)}com`
  t.equal(maskMails(`a@${domain}`).text, `a@${domain}`)
})

t.test('dates of birth that the calendar has, and no others', async (t) => {
  fc.assert(
    fc.property(
      fc.date({ min: new Date('1900-01-01'), max: new Date('2020-12-31'), noInvalidDate: true }),
      (date) => {
        const iso = date.toISOString().slice(0, 10)
        const [year, month, day] = iso.split('-')
        for (const spelled of [
          iso,
          `${day}.${month}.${year}`,
          `${month}/${day}/${year}`,
          `${year}${month}${day}`,
        ]) {
          t.equal(maskBirths(`date of birth: ${spelled}.`).text, 'date of birth: [DATE_OF_BIRTH].', spelled)
          t.equal(maskBirths(`shipped on ${spelled}.`).text, `shipped on ${spelled}.`)
        }
      },
    ),
    { numRuns: 30 },
  )
  for (const wrong of ['1985-02-30', '31.4.1985', '1900-02-29', '1985-00-10', '1700-01-01'])
    t.equal(maskBirths(`born on ${wrong}`).text, `born on ${wrong}`)
  t.equal(maskBirths('born on 29.2.2000').text, 'born on [DATE_OF_BIRTH]')
  t.equal(maskBirths('born on 5 January 1942 in 2 places').text, 'born on [DATE_OF_BIRTH] in 2 places')
})
