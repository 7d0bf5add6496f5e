import { digitAt } from '../../digits.ts'

/** How the digits of a number are grouped: the national plans are told apart by it. */
export interface PhoneShape {
  /** Sizes of the groups, such as `3-3-4`. */
  readonly groups: string
  readonly digits: string
  /** Distinct joints between the groups, without brackets: ` `, `-`, ` -`. */
  readonly joints: readonly string[]
  /** The first group stands in brackets. */
  readonly bracketed: boolean
}

/** A letter, `#`, `,` or `;`: an extension or a word begins. */
const endsNumber = (unit: number): boolean =>
  (unit | 32) >= 97 ? (unit | 32) <= 122 : unit === 35 || unit === 44 || unit === 59

/** The end of the digits before an extension or a word. */
export function numberEnd(text: string, start: number, end: number): number {
  let stop = start
  for (let index = start; index < end && !endsNumber(text.charCodeAt(index)); index++)
    if (digitAt(text, index) >= 0) stop = index + 1
  return stop
}

const addOnce = (list: string[], entry: string): void => {
  if (!list.includes(entry)) list.push(entry)
}

const groupEnd = (text: string, start: number, end: number): number => {
  let index = start
  while (index < end && digitAt(text, index) >= 0) index++
  return index
}

/** The shape of the digits and separators of a slice of some dozen characters. */
export function phoneShape(text: string, start: number, end: number): PhoneShape {
  const sizes: number[] = []
  const joints: string[] = []
  let digits = ''
  let joint = ''
  let bracketed = false
  for (let index = start; index < end; index++) {
    const stop = groupEnd(text, index, end)
    if (stop > index) {
      if (sizes.push(stop - index) > 1) addOnce(joints, joint)
      digits += text.slice(index, stop)
      joint = ''
      index = stop - 1
    } else if (text[index] === '(' || text[index] === ')') bracketed = true
    else joint += text[index]
  }
  return { groups: sizes.join('-'), digits, joints, bracketed }
}

/** No area code of the North American plan ends in 11, and neither area nor exchange begin with 0 or 1. */
export const isNanp = (digits: string): boolean => /^1?[2-9](?!11)\d\d[2-9]\d{6}$/.test(digits)

/** `01 02 03 04 05`: each pair is one more than the one before. */
function counts(digits: string): boolean {
  for (let at = 2; at < digits.length; at += 2)
    if (Number(digits.slice(at, at + 2)) !== Number(digits.slice(at - 2, at)) + 1) return false
  return true
}

/** Social security and company numbers, account numbers in threes: what is as often no telephone number. */
const otherShapes = new Set(['3-2-4', '3-3-3', '3-2-5', '5-4', '2-2-4', '2-2-2-4', '4-2-2'])

/** Mobile numbers of Britain, Japan and the Philippines are often written at a stretch. */
const isMobile = (digits: string): boolean => /^0(?:7[1-9]|9)\d+$/.test(digits) && digits.length === 11

/** Groups that begin with a zero and are of other numbers all the same. */
function isOtherTrunk({ groups, digits, joints }: PhoneShape): boolean {
  if (/^1-|-1$|-1-/.test(groups) || otherShapes.has(groups)) return true
  // Cards are in fours as well; accounts are joined by blanks.
  if (groups === '4-4-4') return joints.join() !== '-'
  // 01 to 06 begin employer numbers of the US as well, 07 to 09 none.
  if (groups === '2-7') return digits < '07'
  return /^2(?:-2)+$/.test(groups) && (digits.length !== 10 || counts(digits))
}

/** A number of a national plan with its trunk zero: 9 to 12 digits in groups, joined in one way. */
function isTrunk(shape: PhoneShape): boolean {
  const { groups, digits, joints } = shape
  if (!groups.includes('-')) return isMobile(digits)
  if (!/^0[1-9]\d{7,10}$/.test(digits)) return false
  if (joints.length > 2 || (joints.length > 1 && groups.split('-').length < 3)) return false
  if (shape.bracketed) return true
  if (joints.includes('.')) return groups === '2-2-2-2-2' && joints.length === 1
  return !isOtherTrunk(shape)
}

/** Shapes that are of telephone numbers alone: Brazil, China, Turkey, Spain and the like. */
function isNational({ groups, digits, joints, bracketed }: PhoneShape): boolean {
  const joint = joints.join('|')
  if (bracketed) return /^2-[45]-4$/.test(groups) && /^[ ]?[|]?-$|^-$| /.test(joint)
  if (groups === '3-4-4') return /^1[3-9]/.test(digits)
  return groups === '3-3-2-2' && /^[2-9]/.test(digits) && (joint === ' ' || joint === ' |-')
}

const nanpJoints = new Set(['-', '.', ' ', '|-', '|.', ' |-', '/|-', '', '|', '-| ', ' |.', '| ', '. |-'])

/** 3-3-4, with or without the trunk digit. */
function isNanpShape({ groups, joints }: PhoneShape): boolean {
  return /^(?:1-|3-)?3-3-4$|^1?3-7$/.test(groups) && nanpJoints.has(joints.join('|'))
}

const isPrefixed = ({ groups, digits }: PhoneShape): boolean =>
  (groups === '1-3-3-4' && digits.startsWith('1')) || (groups === '3-3-3-4' && digits.startsWith('001'))

/** Whether a number proves itself by its shape; `extended` where an extension or its kind comes after it. */
export function isTelling(shape: PhoneShape, extended: 'extended' | 'plain'): boolean {
  if (isNanpShape(shape)) {
    if (isPrefixed(shape)) return true
    if (shape.groups === '3-3-4' && (extended === 'extended' || isNanp(shape.digits))) return true
  }
  return isTrunk(shape) || isNational(shape)
}

const isYear = (text: string): boolean => /^(?:19|20)\d\d$/.test(text)

/** Dates, ranges of years, and numbers with a space for every thousand. */
export function isOtherNumber({ groups, digits, joints, bracketed }: PhoneShape): boolean {
  if (bracketed) return false
  if (/^(?:4-[12]-[12]|[12]-[12]-(?:4|2))$/.test(groups) && joints.join() !== ' ') return true
  if (/^[12](?:-3)+$|^3-3$/.test(groups)) return true
  if (/^2(?:-2)+$/.test(groups) && counts(digits)) return true
  if (groups === '4-4') return isYear(digits.slice(0, 4)) && isYear(digits.slice(4))
  return joints.includes('.') && groups.split('-').length < 3
}

/** Whether a number may be one where a word says so: 6 to 13 digits in groups, or 7 to 15 at a stretch. */
export function isPlausible(shape: PhoneShape): boolean {
  const { groups, digits } = shape
  const isOneGroup = !groups.includes('-')
  if (digits.length < (isOneGroup ? 7 : 6) || digits.length > (isOneGroup ? 13 : 14)) return false
  if (isOtherNumber(shape) || shape.joints.length > 3) return false
  return !/^(\d)\1*$/.test(digits)
}

/** Area codes that the North American plan keeps for its growth. */
const isKept = (digits: string): boolean => /^1?(?:\d9|37|96)/.test(digits)

/** Whether a number that is a whole text may be one: of the North American plan, or with a trunk zero. */
export function isBarePhone(shape: PhoneShape): boolean {
  const { groups, digits } = shape
  if (!isPlausible(shape) || otherShapes.has(groups)) return false
  if (/^0[1-9]\d{8,9}$/.test(digits)) return true
  return digits.length === 10 && isNanp(digits) && !isKept(digits)
}
