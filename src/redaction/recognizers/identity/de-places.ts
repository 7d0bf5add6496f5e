import { countOf, numberOf, onValues } from '../../checksums/values.ts'
import type { Recognizer } from '../../recognizer.ts'
import { after, identity, idRule, worth } from './id-rule.ts'

const letterD = 13

const register = identity({
  id: 'de-handelsregister',
  entity: 'DE_HANDELSREGISTER',
  tier: 2,
  family: 'shape',
  rules: [
    // Two or three digits after HRB are a hardness of steel.
    idRule('HR[AB][ \\-]?\\d{4,6}( [A-Z]{1,2})?', { score: worth.distinct }),
    idRule('HR[AB][ \\-:]{0,2}\\d{1,6}', {
      ignoreCase: true,
      score: worth.checkDigit,
      context: [
        'handelsregister',
        'amtsgericht',
        'registergericht',
        'registernummer',
        'handelsregisternummer',
      ],
    }),
  ],
  match: ['HRB 12345', 'HRA 999999', 'HRB 1234 B', ...after('Amtsgericht Bonn, ', 'HRB 12')],
  miss: ['HRC 12345', 'HRB 85', 'HRB 1234567', 'SHRB 12345'],
})

const plate = identity({
  id: 'de-kfz',
  entity: 'DE_KFZ',
  tier: 2,
  family: 'shape',
  rules: [
    idRule('[A-ZÄÖÜ]{1,3}[ \\-:][A-Z]{1,2}[ \\-]?[1-9]\\d{0,3}[EH]?', {
      score: worth.shape,
      context: [
        'kennzeichen',
        'kfz',
        'nummernschild',
        'autokennzeichen',
        'fahrzeug',
        'auto',
        'pkw',
        'wagen',
        'plate',
        'amtliches',
      ],
    }),
  ],
  match: after('Kennzeichen ', 'B-AB 1234', 'HH AB 1234', 'S AB 12E', 'MÜ-X 1', 'M-AB 123H'),
  miss: [
    'B-AB 1234',
    'Kennzeichen B 1234',
    'Kennzeichen B-AB 0123',
    'Kennzeichen ABCD-AB 12',
    'Kennzeichen B-ABC 12',
  ],
})

/** Deutsche Post: 01001 is the lowest that may be, 99998 the highest. */
const isPostcode = onValues((values) => {
  const number = numberOf(values, values[0] === letterD ? 1 : 0, countOf(values))
  return number > 1000 && number < 99_999
})

const postcode = identity({
  id: 'de-plz',
  entity: 'DE_PLZ',
  tier: 2,
  family: 'digits',
  rules: [
    idRule('(D-)?\\d{5}', {
      validate: isPostcode,
      score: worth.shape,
      context: ['plz', 'postleitzahl', 'postleitzahlen', 'wohnort', 'anschrift', 'postanschrift'],
    }),
  ],
  match: after('PLZ ', '80331', '01067', 'D-10115', '99998'),
  miss: ['80331', 'PLZ 101150', 'PLZ 1011', 'PLZ 00999'],
})

export const dePlaces: readonly Recognizer[] = [register, plate, postcode]
