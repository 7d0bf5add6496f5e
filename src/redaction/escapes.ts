/**
 * Escapes that a reader of the text would undo: `\u0034`, `\x34`, `\n`, `\_` (JSON, programs, markdown), `%34` (URLs),
 * `&#52;`, `&#x34;`, `&amp;` (HTML), and the `**` of markdown, which stands for nothing. Each is decoded for the rules
 * only; the text itself leaves as it was written. The colors of a terminal (`ESC [ 31 m`) stand for nothing as well.
 */

/** The longest escape, in code units. */
export const escapeUnitsMax = 10

/** What stands at a place: how many code units, and what they mean (-1: nothing). */
export interface Escape {
  readonly length: number
  readonly unit: number
}

/** It depends on what follows. */
export const incomplete = 'incomplete'
export type Read = Escape | typeof incomplete | undefined

const controls: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9, b: 8, f: 12 }
const named: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: ' ',
  commat: '@',
  period: '.',
  colon: ':',
  sol: '/',
  lowbar: '_',
  hyphen: '-',
  dash: '-',
  minus: '-',
  plus: '+',
  equals: '=',
  num: '#',
  lpar: '(',
  rpar: ')',
  ast: '*',
}

const hexValue = (text: string): number => (/^[0-9A-Fa-f]+$/.test(text) ? Number.parseInt(text, 16) : -1)

/** `count` hexadecimal digits at `from`. */
function hex(text: string, at: number, from: number, count: number): Read {
  const digits = text.slice(from, from + count)
  if (digits !== '' && hexValue(digits) < 0) return undefined
  return digits.length < count ? incomplete : { length: from + count - at, unit: hexValue(digits) }
}

function backslash(text: string, at: number): Read {
  const char = text[at + 1]
  if (char === undefined) return incomplete
  if (char === 'u') return hex(text, at, at + 2, 4)
  if (char === 'x') return hex(text, at, at + 2, 2)
  const control = controls[char]
  if (control !== undefined) return { length: 2, unit: control }
  return /[!-/:-@[-`{-~]/.test(char) ? { length: 2, unit: char.charCodeAt(0) } : undefined
}

/** A byte of a longer UTF-8 sequence stays as it is written. */
function percent(text: string, at: number): Read {
  const read = hex(text, at, at + 1, 2)
  return typeof read === 'object' && read.unit > 127 ? undefined : read
}

const reference = /^&(?:#(?:\d{1,5}|[xX][0-9A-Fa-f]{1,5})|[a-z]{2,6})?;?$/

function ampersand(text: string, at: number): Read {
  const end = text.indexOf(';', at)
  const isWhole = end !== -1 && end - at < escapeUnitsMax
  const read = isWhole ? text.slice(at, end + 1) : text.slice(at, at + escapeUnitsMax)
  if (isWhole) {
    const unit = reference.test(read) ? referenced(read.slice(1, -1)) : undefined
    return unit === undefined ? undefined : { length: read.length, unit }
  }
  const mayGoOn = at + read.length === text.length && read.length < escapeUnitsMax
  return mayGoOn && /^&(?:#(?:\d{0,5}|[xX][0-9A-Fa-f]{0,5})|[a-z]{0,6})$/.test(read) ? incomplete : undefined
}

function referenced(name: string): number | undefined {
  if (name[0] !== '#') return Object.hasOwn(named, name) ? named[name]?.charCodeAt(0) : undefined
  const point = /[xX]/.test(name[1] ?? '') ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1))
  return point > 0 && point < 0xd800 ? point : undefined
}

function asterisk(text: string, at: number): Read {
  const next = text[at + 1]
  if (next === undefined) return incomplete
  return next === '*' ? { length: 2, unit: -1 } : undefined
}

const colorStart = '\u001b'
const color = /^\[[\d;]{0,7}m/
const colorBegin = /^(?:\[[\d;]{0,7})?$/

/** What sets a color in a terminal (ECMA-48, 8.3.117), as logs hold it: it stands for nothing. */
function colored(text: string, at: number): Read {
  const behind = text.slice(at + 1, at + escapeUnitsMax)
  const found = color.exec(behind)?.[0]
  if (found !== undefined) return { length: found.length + 1, unit: -1 }
  return behind.length + 1 < escapeUnitsMax && colorBegin.test(behind) ? incomplete : undefined
}

/** Reads the escape at a backslash, `%`, `&`, `*` or the escape character. */
export function readEscape(text: string, at: number): Read {
  const char = text[at]
  if (char === '\\') return backslash(text, at)
  if (char === '%') return percent(text, at)
  if (char === '&') return ampersand(text, at)
  return char === '*' ? asterisk(text, at) : colored(text, at)
}

/** What a code unit below 128 is: 1 where it may begin an escape. */
export const escapeStarts: Uint8Array = new Uint8Array(128)
for (const char of `\\%&*${colorStart}`) escapeStarts[char.charCodeAt(0)] = 1
