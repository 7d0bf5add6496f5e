import { digitAt } from '../../digits.ts'
import type { Guard, Recognizer, Rule, Validator } from '../../recognizer.ts'
import { times } from '../shapes.ts'

/** Latin, Greek and Cyrillic letters beyond ASCII (RFC 6531); other scripts stand beside an address unspaced. */
const letters = 'A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u052f'

/**
 * `icon@2x.png`, `app@main.js`: a name of a file, not of a host; `w@x.sum`: a product of matrices in Python. None of
 * these is a top-level domain.
 */
const notDomains = new Set(
  (
    'png jpg jpeg gif webp svg bmp ico css scss less js mjs cjs ts tsx jsx vue json html htm xml yaml yml toml txt csv ' +
    'pdf log lock sum mean shape reshape transpose dot conj astype flatten ravel squeeze values view detach numpy'
  ).split(' '),
)

const dot = 46
const hyphen = 45
const domainLengthMax = 253

function isLabel(text: string, start: number, end: number): boolean {
  const length = end - start
  return (
    length >= 1 && length <= 63 && text.charCodeAt(start) !== hyphen && text.charCodeAt(end - 1) !== hyphen
  )
}

function isNumber(text: string, start: number, end: number): boolean {
  for (let index = start; index < end; index++) if (digitAt(text, index) < 0) return false
  return true
}

/** `package@1.2.beta` is a version. */
function isDomain(domain: string): boolean {
  if (domain.length > domainLengthMax) return false
  let labels = 0
  let numbers = 0
  let from = 0
  for (let index = 0; index <= domain.length; index++) {
    if (index < domain.length && domain.charCodeAt(index) !== dot) continue
    if (!isLabel(domain, from, index)) return false
    if (labels < 2 && isNumber(domain, from, index)) numbers++
    labels++
    if (index < domain.length) from = index + 1
  }
  return numbers < 2 && !notDomains.has(domain.slice(from).toLowerCase())
}

/** Markdown's `**` may stand in an address; a single `*` is an operator. */
const withoutMarks = (text: string): string => text.replaceAll('**', '')

function isAddress(text: string, start: number, end: number): boolean {
  const value = withoutMarks(text.slice(start, end))
  if (value.includes('*')) return false
  const at = value.indexOf('@')
  // `git@host` is the same for everyone.
  return value.slice(0, at) !== 'git' && isDomain(value.slice(at + 1))
}

const isWordUnit = (unit: number): boolean => /\w/.test(String.fromCharCode(unit))

/** The characters of an address with a separator after each: the odd ones are the separators. */
const isSpreadAddress: Validator = (text, start, end) => {
  let value = ''
  for (let index = start; index < end; index += 2) value += text[index]
  const at = value.indexOf('@')
  return at === value.lastIndexOf('@') && isDomain(value.slice(at + 1)) && /\.[A-Za-z]{2,24}$/.test(value)
}

/** A single character and a separator before it would belong to the address as well. */
const isFirst: Guard = (text, start) => {
  const far = text.charCodeAt(start - 3)
  return !/^[\w.+-][ .]$/.test(text.slice(Math.max(0, start - 2), start)) || (start > 2 && isWordUnit(far))
}

const spread = (gap: string): Rule => ({
  pattern: `[A-Za-z0-9_]${times(`${gap}[\\w.+\\-]`, 1, 39)}${gap}@${times(`${gap}[\\w.\\-]`, 4, 40)}`,
  left: { not: `${letters}0-9` },
  right: { not: `${letters}0-9` },
  lengthMax: 164,
  guard: isFirst,
  validate: isSpreadAddress,
})

export const emailAddress: Recognizer = {
  id: 'email-address',
  entity: 'EMAIL_ADDRESS',
  category: 'contact',
  tier: 1,
  family: 'text',
  rules: [
    {
      // RFC 5321: local part 64, domain 253. Of a longer local part the last 64 characters are masked.
      head: { first: `${letters}0-9_`, rest: `${letters}0-9_.%+'*\\-`, lengthMax: 64 },
      pattern: `@[${letters}0-9*][${letters}0-9.*\\-]*\\.([${letters}]{2,24}|[xX][nN]--[A-Za-z0-9\\-]{2,59})`,
      right: { not: `${letters}0-9` },
      lengthMax: 318,
      validate: isAddress,
    },
    spread(' '),
    spread('\\.'),
  ],
  examples: {
    match: [
      'ada@example.com',
      'ada.lovelace+tag@mail.example.co.uk',
      "o'brien@example.ie",
      'andr\u00e9@example.fr',
      'user@xn--80ak6aa92e.com',
      'a@xn--d1acufc.xn--p1ai',
      'x_y%z@sub-domain.example.museum',
      'ada**99@**example.com',
      'a d a @ e x a m p l e . c o m',
      'a.d.a.@.e.x.a.m.p.l.e...c.o.m',
    ],
    miss: [
      'ada@example',
      'icon@2x.png',
      'lodash@4.17.21',
      'react@18.0.beta',
      'git@github.com:sallyport/sallyport.git',
      'a@-b.com',
      'a@b..com',
      '@example.com',
      'C = A @ B.T',
      '(W@x.sum()) * 2',
      'W@x*y.mean',
      'a b c @ x y z',
      'ada at example dot com',
    ],
  },
}
