import { at, countOf, numberOf, onValues, valuesOf } from '../../checksums/values.ts'
import { mod10Digit } from '../../checksums/weighted.ts'
import type { Recognizer } from '../../recognizer.ts'
import { isBirthDate } from './birth-date.ts'
import { after, bareRule, identity, idRule, wholeRule, worth } from './id-rule.ts'

/** Ministry of the Interior: the rest of the number modulo 23 is the letter. */
const letters = 'TRWAGMYFPDXBNJZSQVHLCKE'
const letterOf = (number: number): number => letters.charCodeAt(number % 23) - 55

const isNif = onValues((values) => {
  const last = countOf(values) - 1
  return at(values, last) === letterOf(numberOf(values, 0, last))
})

/** X, Y and Z stand for 0, 1 and 2. */
const isNie = onValues(
  (values) =>
    at(values, 0) > 32 && at(values, 8) === letterOf((at(values, 0) - 33) * 1e7 + numberOf(values, 1, 8)),
)

/** Tax numbers of companies: Luhn of seven digits; the check is a digit, or the letter of that place from J on. */
const isCif = onValues((values) => {
  let sum = 0
  for (let index = 1; index < 8; index++) {
    const value = at(values, index) * (1 + (index % 2))
    sum += value > 9 ? value - 9 : value
  }
  const digit = mod10Digit(sum)
  const check = at(values, 8)
  return check === digit || check === (digit === 0 ? 19 : 9 + digit)
})

const letter = '[A-Z]'
const nifContext = ['nif', 'dni', 'documento', 'identidad', 'nacional', 'fiscal', 'cliente', 'titular']

/** A day and a letter (`20240115A`) is a revision more often than a person, and one of 23 would pass. */
function isDated(text: string, start: number): boolean {
  const number = numberOf(valuesOf(text, start, start + 8), 0, 8)
  return isBirthDate(Math.floor(number / 1e4), Math.floor(number / 100) % 100, number % 100)
}

const nif = identity({
  id: 'es-nif',
  entity: 'ES_NIF',
  tier: 2,
  family: 'shape',
  rules: [
    wholeRule(`\\d{8}-?${letter}|\\d{2}\\.\\d{3}\\.\\d{3}-?${letter}`, {
      validate: (text, start, end) => !isDated(text, start) && isNif(text, start, end),
      score: worth.distinct,
    }),
    idRule(`\\d{7,8}-?${letter}|\\d{1,2}\\.\\d{3}\\.\\d{3}-?${letter}`, {
      ignoreCase: true,
      validate: isNif,
      score: worth.checkDigit,
      context: nifContext,
    }),
    idRule(`\\d{7,8} ${letter}|\\d{1,2}\\.\\d{3}\\.\\d{3} ${letter}`, {
      validate: isNif,
      score: worth.checkDigit,
      context: nifContext,
    }),
    idRule('[ABCDEFGHJNPQRSUVW][ \\-]?\\d{7}[ \\-]?[0-9A-J]', {
      validate: isCif,
      score: worth.checkDigit,
      context: ['cif', 'nif', 'fiscal', 'empresa', 'sociedad'],
    }),
    bareRule(`\\d{7,8}[ \\-]?${letter}`, { ignoreCase: true, validate: isNif }),
    bareRule('[ABCDEFGHJNPQRSUVW]-?\\d{7}-?[0-9A-J]', { validate: isCif }),
  ],
  match: [
    ...['12345678Z', '12345678-Z', '12.345.678-Z'],
    ...after('DNI ', '1111111G', '55555555k', '12345678 Z', '20240115T'),
    ...after('CIF ', 'A58818501'),
  ],
  miss: [
    'no. 12345678z',
    'no. 20240115T',
    '12345678A',
    'DNI 12345678A',
    'DNI 123456789Z',
    'DNI 12345678ZZ',
    'CIF A58818502',
  ],
})

const nie = identity({
  id: 'es-nie',
  entity: 'ES_NIE',
  tier: 2,
  family: 'shape',
  rules: [
    wholeRule(`[A-Z]-?\\d{7}-?${letter}`, { ignoreCase: true, validate: isNie, score: worth.distinct }),
    idRule(`[XYZ] \\d{7} ${letter}`, {
      validate: isNie,
      score: worth.checkDigit,
      context: ['nie', 'extranjero', 'extranjeros', 'identidad', 'residencia', 'tie', 'nif'],
    }),
  ],
  match: ['X1234567L', 'Y8063915Z', 'Y8063915-Z', 'x9613851n', ...after('NIE ', 'X 1234567 L')],
  miss: ['X1234567M', 'W8063915Z', 'X 1234567 L', 'X12345678L', 'X1234567LL'],
})

const passport = identity({
  id: 'es-passport',
  entity: 'ES_PASSPORT',
  tier: 2,
  family: 'shape',
  rules: [
    idRule('[A-Z]{3}\\d{6}[A-Z]?', {
      score: worth.shape,
      context: ['pasaporte', 'pasaportes', 'passport'],
    }),
  ],
  match: after('pasaporte ', 'AAA123456', 'XYZ987654', 'PAB123456'),
  miss: [
    'AAA123456',
    'pasaporte AA123456',
    'pasaporte AAAA12345',
    'pasaporte AAA12345',
    'pasaporte AAA1234567',
  ],
})

export const es: readonly Recognizer[] = [nif, nie, passport]
