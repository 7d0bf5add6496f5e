import type { Guard, Recognizer, Validator } from '../../recognizer.ts'
import { WordEnds } from '../../word-ends.ts'
import { fair, hasChecksum, hasManyJoints, strengthOf, strong, weak } from './credential-value.ts'
import { isBlank, isLetter, isQuote, isSeparator, LeftReader } from './left-reader.ts'

/** How a credential is introduced: by the header's name, by a scheme alone (`Bearer x`), or by both. */
type Introduction = 'header' | 'scheme' | 'both' | undefined

const schemeParts = Uint8Array.from({ length: 128 }, (_, unit) =>
  Number((isLetter(unit) && unit < 128) || unit === 45 || (unit >= 48 && unit <= 57)),
)
const isSchemePart = (unit: number): boolean => schemeParts[unit] === 1
const alone = /^(?:bearer|basic)$/i
const headerName = /(?:^|[^a-z])(?:proxy-|x-)?auth(?:orization)?$/i
const isHeaderCloser = (unit: number): boolean => isQuote(unit) || unit === 93 || unit === 92

/** `Authorization:`, `"authorization": "`, `headers['Authorization'] = '`. */
function endsWithHeader(reader: LeftReader): boolean {
  reader.skip(isQuote, 2)
  reader.skip((unit) => unit === 92, 3)
  reader.skip(isBlank, 4)
  // `setHeader("Authorization", "Bearer x")`.
  const comma = reader.skip((unit) => unit === 44, 1)
  if (comma + reader.skip(isSeparator, 2) + reader.skip((unit) => unit === 62, 1) === 0) return false
  reader.skip(isSeparator, 1)
  reader.skip(isBlank, 2)
  reader.skip(isHeaderCloser, 3)
  return headerName.test(reader.behind(22))
}

function introduction(text: string, start: number): Introduction {
  const reader = new LeftReader(text, start)
  if (reader.skip((unit) => unit === 32, 4) === 0) return endsWithHeader(reader) ? 'header' : undefined
  if (!isSchemePart(reader.unit)) return endsWithHeader(reader) ? 'header' : undefined
  const scheme = reader.word(isSchemePart, 24)
  if (!isBlank(reader.unit) && !isQuote(reader.unit) && !isSeparator(reader.unit) && reader.unit >= 0) {
    return alone.test(scheme) ? 'scheme' : undefined
  }
  if (endsWithHeader(reader)) return 'both'
  return alone.test(scheme) ? 'scheme' : undefined
}

/** Of the registered schemes, and of those that services use: `Api-Token`, `GenieKey`. */
const schemeEnds = new WordEnds(
  'bearer basic token digest negotiate ntlm key jwt oauth hawk dpop bot splunk hoba mutual'.split(' '),
  { signs: '"\'`\\,:=>-' },
)

/** A quick look: prose has neither a header's separator before its words, nor the name of a scheme. */
function mayFollowHeader(text: string, start: number): boolean {
  if (schemeEnds.rulesOut(text, start)) return false
  let at = start - 1
  while (start - at < 8 && text.charCodeAt(at) === 32) at--
  if (at === start - 1 || !isSchemePart(text.charCodeAt(at))) return true
  const end = at
  while (end - at < 24 && isSchemePart(text.charCodeAt(at))) at--
  // `Bearer` and `Basic`.
  const first = text.charCodeAt(at + 1) | 32
  if (first === 98 && (end - at === 6 || end - at === 5)) return true
  const unit = text.charCodeAt(at)
  if (unit !== 32) return !isSchemePart(unit)
  while (start - at < 40 && text.charCodeAt(at) === 32) at--
  return isSeparator(text.charCodeAt(at)) || isQuote(text.charCodeAt(at))
}

const isIntroduced = (text: string, start: number): boolean =>
  mayFollowHeader(text, start) && introduction(text, start) !== undefined

const guard: Guard = Object.assign(isIntroduced, { ends: schemeEnds })

/** Basic credentials are `user:password` in base64 (RFC 7617). */
function isBasic(value: string): boolean {
  if (value.length < 8 || !/^[A-Za-z0-9+/]+={0,2}$/.test(value)) return false
  return /^[ -~]*:[ -~]+$/.test(Buffer.from(value, 'base64').toString('latin1'))
}

const validate: Validator = (text, start, end) => {
  if (hasManyJoints(text, start, end)) return false
  const value = text.slice(start, end)
  if (hasChecksum(value)) return false
  const how = introduction(text, start)
  const strength = strengthOf(value)
  if (how === 'both') return strength >= weak || isBasic(value)
  if (how === 'header') return strength >= fair
  return how === 'scheme' && ((strength >= fair && value.length >= 16) || isBasic(value))
}

const isStrong = (value: string): boolean => strengthOf(value) >= strong && !hasChecksum(value)

/** No scheme in use ends with the letters of `far`, so prose is passed over. */
const left = { only: '\\s"\'`:=', notPair: { near: ' ', far: 'abdfgijloquvwxz' } }
const members = 'A-Za-z0-9_\\-.~+/=%:@!|'
const last = 'A-Za-z0-9_\\-~+/=%@!'
const sureUnits = 24

/**
 * RFC 9110, section 11.6.2: `Authorization: scheme credentials`, as it stands in requests, code and
 * commands.
 */
export const authorizationHeader: Recognizer = {
  id: 'authorization-header',
  entity: 'AUTHORIZATION',
  category: 'secret',
  tier: 1,
  family: 'text',
  rules: [
    {
      pattern: `[A-Za-z0-9_\\-+/]{${sureUnits}}`,
      left,
      lengthMax: sureUnits,
      sure: { kind: 'run', members: last, joiners: '.:|' },
      guard,
      validate: (text, start, end) => isStrong(text.slice(start, end)),
    },
    {
      pattern: `[A-Za-z0-9_\\-+/][${members}]{4,200}[${last}]`,
      left,
      right: { not: last },
      lengthMax: 202,
      guard,
      validate,
    },
  ],
  examples: {
    match: [
      { before: 'Authorization: Bearer ', value: 'cfcabd11c7ed9a41b1a3e063c32d5114' },
      { before: 'Authorization: Basic ', value: 'YWRhOmxvdmVsYWNl' },
      { before: '"authorization": "Token ', value: 'qT7v-x9Lm2' },
      { before: 'curl -H "Authorization: Api-Token ', value: '22cb987851bc5659229114c62e60c79abd0d2c08' },
      { before: 'proxy-authorization: ', value: 'sha256~bRLFnzd5Kq2w8' },
    ],
    miss: [
      'Authorization: Bearer <token>',
      'Authorization: Bearer $TOKEN',
      'Authorization: Basic ...',
      'the Authorization: Bearer scheme of OAuth',
      'Bearer authentication is described in RFC 6750',
    ],
  },
}
