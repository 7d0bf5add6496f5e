import { passesCodiceFiscale } from '../../checksums/codice-fiscale.ts'
import { passesLuhnModN } from '../../checksums/luhn-mod-n.ts'
import { countOf, numberOf, onValues } from '../../checksums/values.ts'
import { countDigits } from '../../digits.ts'
import type { Recognizer } from '../../recognizer.ts'
import { after, bareRule, identity, idRule, wholeRule, worth } from './id-rule.ts'

/** A digit, or the letter that stands for it where two people would have the same code (omocodia). */
const figure = '[0-9LMNPQRSTUV]'

const fiscalBody = `[A-Z]{6}${figure}{2}[ABCDEHLMPRST]${figure}{2}[A-Z]${figure}{3}[A-Z]`

const fiscalCode = identity({
  id: 'it-fiscal-code',
  entity: 'IT_FISCAL_CODE',
  tier: 1,
  family: 'shape',
  rules: [
    wholeRule(fiscalBody, { validate: onValues(passesCodiceFiscale) }),
    // In small letters it would begin at every word; with a mistyped letter it is still a name, a date and a place.
    bareRule(fiscalBody, {
      ignoreCase: true,
      validate: (text, start, end) => countDigits(text, start, end) > 4,
    }),
    wholeRule(`[A-Z]{3} [A-Z]{3} ${figure}{2}[ABCDEHLMPRST]${figure}{2} [A-Z]${figure}{3}[A-Z]`, {
      validate: onValues(passesCodiceFiscale),
    }),
  ],
  match: ['RSSMRA85T10A562S', 'MRT MTT 91D08 F205J', 'MRTMTT91D08F205J'],
  miss: [
    'no. RSSMRA85T10A562T',
    'no. rssmra85t10a562s',
    'RSSMRA85F10A562S',
    'A55MRA85T10A562S',
    'RSSMRA85T10A562SX',
    'RSSMRA85T10A562',
  ],
})

const isVatCode = onValues((values) => {
  const from = countOf(values) - 11
  return numberOf(values, from, from + 7) > 0 && passesLuhnModN(values, from, from + 11, 10)
})

const vatCode = identity({
  id: 'it-vat-code',
  entity: 'IT_VAT_CODE',
  tier: 2,
  family: 'shape',
  rules: [
    wholeRule('IT ?\\d{11}', { validate: isVatCode, score: worth.distinct }),
    idRule('\\d{6}\\d{5}', {
      validate: isVatCode,
      score: worth.checkDigit,
      context: ['iva', 'piva', 'partita', 'vat', 'fiscale'],
    }),
    bareRule('\\d{6}\\d{5}', { validate: isVatCode }),
  ],
  match: ['IT00743110157', ...after('Partita IVA ', '00743110157', '01234567897', 'IT 00743110157')],
  miss: [
    'no. 00743110157',
    '00743110158',
    'Partita IVA 00743110158',
    'IT00743110156',
    'Partita IVA 00000000000',
  ],
})

const driver = identity({
  id: 'it-driver-license',
  entity: 'IT_DRIVER_LICENSE',
  tier: 2,
  family: 'shape',
  rules: [
    idRule('[A-Z]{2}\\d{7}[A-Z]|U1[A-HJ-NPR-Z0-9]{7}[A-Z]', {
      ignoreCase: true,
      score: worth.shape,
      context: ['patente', 'guida', 'driver', 'driving', 'licence', 'license'],
    }),
  ],
  match: after('patente di guida ', 'AA0123456B', 'U1H00B000C', 'u1k711j11m'),
  miss: ['AA0123456B', 'patente U2H00B000C', 'patente AA01234567', 'patente AA0123456BC'],
})

const passport = identity({
  id: 'it-passport',
  entity: 'IT_PASSPORT',
  tier: 2,
  family: 'shape',
  rules: [
    idRule('[A-Z]{2}\\d{7}', { ignoreCase: true, score: worth.shape, context: ['passaporto', 'passaporti'] }),
  ],
  match: after('passaporto ', 'AA1234567', 'aa7654321', 'YB0123456'),
  miss: ['AA1234567', 'passaporto A1234567', 'passaporto AA12345678', 'passaporto AAA123456'],
})

const cardContext = ['identità', 'identita', 'cie', 'carta', 'identity', 'identification', 'documento']

const identityCard = identity({
  id: 'it-identity-card',
  entity: 'IT_IDENTITY_CARD',
  tier: 2,
  family: 'shape',
  rules: [
    idRule('[A-Z]{2}\\d{7}|\\d{7}[A-Z]{2}|[A-Z]{2}\\d{5}[A-Z]{2}', {
      ignoreCase: true,
      score: worth.shape,
      context: cardContext,
    }),
    idRule('[A-Z]{2} \\d{7}', { score: worth.shape, context: cardContext }),
  ],
  match: after("carta d'identità ", 'CA12345AA', 'AA1234567', '1234567AA', 'AB 1234567'),
  miss: ['CA12345AA', 'carta CA123456A', 'carta AA12345678', 'carta CA12345AAA', 'carta di 1234567'],
})

export const it: readonly Recognizer[] = [fiscalCode, driver, passport, identityCard]
/** One bare number of eleven digits in ten is one, so they come after stricter ones. */
export const italianCompanies: readonly Recognizer[] = [vatCode]
