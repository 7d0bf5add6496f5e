import { countDigits, digitAt } from '../../digits.ts'
import type { Guard, Recognizer, Rule, Validator } from '../../recognizer.ts'
import { alphanumeric, digits, ofWholeText, times } from '../shapes.ts'
import { isInternational } from './phone-codes.ts'
import { isCalledPhone, isNamedOtherwise, phoneContext } from './phone-cues.ts'
import { isBarePhone, isPlausible, isTelling, numberEnd, phoneShape } from './phone-shape.ts'

const extension = '( ?(x|ext\\.?|extension|#|;ext=)[ .:]?\\d{1,6})'
const kind = '([ \\-,]{1,2}\\(?(office|fax|mobile|cell|home|work|direct|desk))'
const joint = '[ .\\-/]{1,2}'
const rest = `(\\d{3,8}|\\d{2,5}${times(`${joint}\\d{2,5}`, 1, 4)})`
/** Two to six groups of digits, one of the first two perhaps in brackets. */
const groups = `(\\d{1,5}${joint}|(\\d{1,3}[ .\\-]?)?\\(\\d{1,5}\\)[ .\\-/]{0,2})${rest}`

const space = 32

/** Whether digits and a blank stand before `start`, and where those digits begin. */
function groupBefore(text: string, start: number): number {
  let index = start - 1
  if (text.charCodeAt(index) !== space || digitAt(text, index - 1) < 0) return -1
  while (index > Math.max(0, start - 8) && digitAt(text, index - 1) >= 0) index--
  return index
}

/** In a long row of groups only the first two may begin a number: what comes later is its middle. */
const beginsNumber: Guard = (text, start) => {
  const group = groupBefore(text, start)
  return group < 0 || groupBefore(text, group) < 0
}

/** Digits before digits that are joined by blanks, or a group of four before `0123 ` or `00`: a longer number. */
function isContinued(text: string, start: number, stop: number): boolean {
  const before = text.charCodeAt(start - 1)
  if (before !== space && before !== 45) return false
  const value = text.slice(start, stop)
  if (groupBefore(text, start) >= 0 && /^\d+ \d/.test(value)) return true
  return (
    /^(?:0\d{3}[ -]|00)/.test(value) && /[A-Z0-9]{4}[ -]$/.test(text.slice(Math.max(0, start - 5), start))
  )
}

const isE164: Validator = (text, start, end) => isInternational(text, start, numberEnd(text, start, end))

/** The prefix 00 of a call abroad; without a separator it may as well fill up a number of a product. */
const isCallAbroad: Validator = (text, start, end) => {
  const stop = numberEnd(text, start, end)
  if (/[ .\-()/]{4}/.test(text.slice(start, stop))) return false
  if (isContinued(text, start, stop) || isNamedOtherwise(text, start)) return false
  return /^00[ -]?\d{1,3}[ .\-/(]/.test(text.slice(start, stop)) && isInternational(text, start + 2, stop)
}

const provingDigitsMin = 9
const plausibleDigitsMin = 6

const proves: Validator = (text, start, end) => {
  const stop = numberEnd(text, start, end)
  if (countDigits(text, start, stop) < provingDigitsMin || isContinued(text, start, stop)) return false
  const shape = phoneShape(text, start, stop)
  return isTelling(shape, stop < end ? 'extended' : 'plain') && !isNamedOtherwise(text, start)
}

function isPlausibleAt(text: string, start: number, stop: number): boolean {
  return countDigits(text, start, stop) >= plausibleDigitsMin && isPlausible(phoneShape(text, start, stop))
}

const isCalled: Validator = (text, start, end) =>
  isPlausibleAt(text, start, numberEnd(text, start, end)) && isCalledPhone(text, start)

/** `416 60 039 office`: the kind of a number stands after it in a signature, and is masked with it. */
const isKind: Validator = (text, start, end) =>
  isPlausibleAt(text, start, numberEnd(text, start, end)) && !isNamedOtherwise(text, start)

const national = (pattern: string, validate: Validator): Rule => ({
  pattern,
  ignoreCase: true,
  left: { not: `${alphanumeric}+_`, notPair: { near: '.,\\-/:', far: digits } },
  right: { not: alphanumeric, notPair: { near: '.,\\-/:', far: digits } },
  lengthMax: 64,
  guard: beginsNumber,
  validate,
})

const isBare: Validator = (text, start, end) => isBarePhone(phoneShape(text, start, end))

export const phoneNumber: Recognizer = {
  id: 'phone-number',
  entity: 'PHONE_NUMBER',
  category: 'contact',
  tier: 1,
  family: 'digits',
  rules: [
    {
      pattern: `\\+[1-9]${times('[ .\\-()/]{0,2}\\d', 6, 15)}${extension}?`,
      ignoreCase: true,
      left: { not: 'A-Za-z0-9+' },
      right: { not: digits },
      lengthMax: 68,
      validate: isE164,
    },
    {
      ...national(`00[ \\-]?[1-9][0-9 .\\-()/]+\\d${extension}?`, isCallAbroad),
      lengthMax: 64,
    },
    national(`0[79]\\d{9}|${groups}${extension}?`, proves),
    { ...national(`\\d{7,13}|${groups}${extension}?`, isCalled), score: 0.3, context: phoneContext },
    national(`(\\d{9,11}|${groups})${kind}`, isKind),
    ofWholeText({ pattern: `\\d{10,11}|${groups}`, lengthMax: 64, validate: isBare }),
  ],
  examples: {
    match: [
      '+14155552671',
      '+1 (415) 555-2671',
      '+44 20 7946 0958',
      '+49 30 21730311',
      '+91 99083 79277',
      '+353 1 234 5678',
      '+46 (0)157 548 89',
      '+1-903-140-4508x769',
      '0044 20 7946 0958',
      '(415) 555-2671',
      '(415)555-2671 ext. 12',
      '415-555-2671',
      '415.555.2671',
      '415 555 2671',
      '1-415-555-2671',
      '001-518-640-0854',
      '020 7946 0958',
      '030/12345678',
      '0171-1234567',
      '01 42 68 53 00',
      '090-1234-5678',
      '(11) 98456-5666',
      '138 1234 5678',
      '532 123 45 67',
      '07700900123',
      { before: 'phone: ', value: '4155552671' },
      { before: 'They are not answering at ', value: '785 8949' },
      { before: 'My Israeli number is ', value: '09-7625400' },
      { before: 'T: ', value: '2345 6789' },
      { before: 'mobile ', value: '612 34 56 78' },
      { before: '\u96fb\u8a71: ', value: '3456-7890' },
    ],
    miss: [
      '+1 415 555 267',
      '+12345678',
      '+999 123 4567',
      '115-555-2671',
      '415-155-2671',
      '911-555-2671',
      '415-555-26711',
      '2415-555-2671',
      '12-415-555-2671',
      'no. 4155552671',
      '4155552671.',
      '2147483648',
      '2024-05-06 12:30:45',
      '01.02.2024',
      '01 02 03 04 05 06',
      '60-15-25',
      '3 + 4155552671',
      'ISBN 0-306-40615-2',
      'NHS number 415 826 1958',
      'order no. 415-555-2671',
      'call me on 2024-05-06',
      'NL64 NONV 0773 2160 81',
      '51 824 753 5564',
      '001332-1234567',
      'no. 0207080362',
      'DE89 3704 0044 0532 0130 01',
      'the phone was sold 120 000 times',
    ],
  },
}
