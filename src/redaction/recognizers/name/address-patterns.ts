import { capitals, letters } from '../../lexicon/letters.ts'

/** The shapes of addresses; what the words in them are is for the reader to say. */
const optional = (unit: string, max: number): string => `(${unit}`.repeat(max) + ')?'.repeat(max)

const gap = '[ ,\\n>]+'
const capitalized = `[${capitals}][${letters}'\\-]*\\.?`
/** `de`, `la`, `ul.`: the reader knows which. */
const particle = '[a-z][a-z]?[a-z]?\\.?'
const nameWord = `(${capitalized}|${particle})`
const ordinal = '[0-9]+(st|nd|rd|th)'
const houseNumber = '[0-9]+[A-Za-z]?([\\-/][0-9]+[A-Za-z]?)?'
const number = `${houseNumber}\\.?`
const postOfficeBox = '[Pp]\\.? ?[Oo]\\.? [Bb]ox [0-9]+'

/** Words for a street that are written small after a number: `12, rue de Lyon`. */
const smallFirst =
  '(rue|avenue|boulevard|place|impasse|chemin|quai|cours|route|via|viale|calle|rua|bis|ter|ul\\.|av\\.|bd)'
/** `utca`, `str.`: the word for a street in small letters, before the house number or at the end. */
const smallLast = `( [${letters}]+\\.?)?( [${letters}]+\\.?)?`

/** `62704`, `62704-1234`, `SW1A 1AA`, `K1A 0B1`. */
export const postalCode = `(${[
  '[0-9][0-9][0-9][0-9][0-9]?[0-9]?(-[0-9][0-9][0-9][0-9])?',
  '[A-Z][A-Z]?[0-9][0-9A-Z]? ?[0-9][A-Z][A-Z]',
  '[A-Z][0-9][A-Z] ?[0-9][A-Z][0-9]',
].join('|')})`

const unit = `(${gap}(Apt|Apartment|Suite|Ste|Unit|Flat|Floor|Room|Rm|Box)\\.? #?[0-9]+[A-Za-z]?)?`
const code = `(${gap}${postalCode})?`
const tail = `${unit}${unit}${code}${optional(gap + nameWord, 8)}${code}`

const street = `(${capitalized}|${ordinal}|${smallFirst})${optional(` ${nameWord}`, 5)}${smallLast}`

/** `12 Main Street, Apt. 4, Springfield, IL 62704`. */
export const numbered = `${houseNumber},? (${number} )?(${street}( ${number})?|${postOfficeBox})${tail}`

/** `Via Roma 12, 00184 Roma`. */
export const streetFirst = `(${capitalized}|ul\\.)${optional(` ${nameWord}`, 4)}${smallLast} ${number}${tail}`

/** Part of a building, or a box, alone on its line. */
export const unitAlone = '(Apt|Suite|Ste)\\.? #?[0-9]{1,5}[A-Z]?|P\\.? ?O\\.? Box [0-9]{1,6}'

const militaryUnit = `(PSC|Unit) [0-9]{3,5},? Box [0-9]{1,5}|US(S|NS|NV|CGC) [${letters}]{2,24}`
/** Of the American armed forces: `PSC 1437, Box 3833` or `USNS Bergman`, then `APO AA 66791`. */
export const military = `(${militaryUnit})[ ,\\n]{1,4}(APO|FPO|DPO),? A[AEP],? [0-9]{5}`

const place = `(${capitalized}|${number}|${particle})`
/** `the corner of Via Nuova 85 and Kesä Street`. */
export const corner = [
  `([Tt]he )?corner of ${place}${optional(` ${place}`, 4)}`,
  `and ${place}${optional(` ${place}`, 3)}`,
].join(' ')
