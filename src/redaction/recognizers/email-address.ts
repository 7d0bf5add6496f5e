import { digitAt } from '../digits.ts'
import type { Recognizer } from '../recognizer.ts'

/** Latin, Greek and Cyrillic letters beyond ASCII (RFC 6531); other scripts stand beside an address unspaced. */
const letters = 'A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u052f'

/** `icon@2x.png`, `app@main.js`: a name of a file, not of a host. None of these is a top-level domain. */
const fileNames = new Set(
  'png jpg jpeg gif webp svg bmp ico css js mjs ts tsx jsx json html xml yaml yml txt'.split(' '),
)

const dot = 46
const hyphen = 45

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

function isAddress(text: string, start: number, end: number): boolean {
  const at = text.indexOf('@', start)
  let labels = 0
  let numbers = 0
  let from = at + 1
  for (let index = from; index <= end; index++) {
    if (index < end && text.charCodeAt(index) !== dot) continue
    if (!isLabel(text, from, index)) return false
    if (labels < 2 && isNumber(text, from, index)) numbers++
    labels++
    if (index < end) from = index + 1
  }
  // `package@1.2.beta` is a version; `git@host` is the same for everyone.
  if (numbers === 2 || text.slice(start, at) === 'git') return false
  return !fileNames.has(text.slice(from, end).toLowerCase())
}

export const emailAddress: Recognizer = {
  entity: 'EMAIL_ADDRESS',
  rules: [
    {
      // RFC 5321: local part 64, domain 253. Of a longer local part the last 64 characters are masked.
      head: { first: `${letters}0-9_`, rest: `${letters}0-9_.%+'\\-`, lengthMax: 64 },
      pattern: `@[${letters}0-9][${letters}0-9.\\-]*\\.([${letters}]{2,24}|xn--[A-Za-z0-9\\-]{2,59})`,
      right: { not: `${letters}0-9` },
      lengthMax: 318,
      validate: isAddress,
    },
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
      'ada at example dot com',
    ],
  },
}
