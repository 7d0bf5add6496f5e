import type { Guard, Recognizer, Rule, Validator } from '../../recognizer.ts'
import { WordEnds } from '../../word-ends.ts'
import { fair, isStandIn, strengthOf } from './credential-value.ts'
import { isBlank, isLetter, isQuote, LeftReader } from './left-reader.ts'

const isUserPart = (unit: number): boolean =>
  isLetter(unit) || (unit >= 48 && unit <= 57) || '._~%+-$&!*'.includes(String.fromCharCode(unit))

/** Whether `scheme://` ends at the place of the reader. */
function endsWithScheme(reader: LeftReader): boolean {
  if (reader.skip((unit) => unit === 47, 2) < 2 || reader.skip((unit) => unit === 58, 1) < 1) return false
  return isLetter(reader.unit) || (reader.unit >= 48 && reader.unit <= 57)
}

/** Behind `scheme://user:`. */
const behindUser: Guard = (text, start) => {
  const reader = new LeftReader(text, start)
  reader.skip((unit) => unit === 58, 1)
  reader.skip((unit) => isUserPart(unit) || unit === 64, 64)
  return endsWithScheme(reader)
}

const behindScheme: Guard = (text, start) => endsWithScheme(new LeftReader(text, start))

const commandFlag = /(?:^|\s)(?:-[a-zA-Z]?u|--user|--proxy-user|-U)$/

/** Behind `curl -u`; without the program's name, which may be far away. */
function endsWithFlag(reader: LeftReader): boolean {
  reader.skip(isQuote, 1)
  if (reader.skip((unit) => isBlank(unit) || unit === 61, 4) === 0) return false
  return commandFlag.test(reader.behind(14))
}

/** The `u` of `-u`, or the `r` of `--user`. */
function mayFollowFlag(text: string, start: number): boolean {
  let at = start - 1
  if (isQuote(text.charCodeAt(at))) at--
  const unit = text.charCodeAt(at)
  if (!isBlank(unit) && unit !== 61) return false
  while (start - at < 8 && isBlank(text.charCodeAt(at))) at--
  if (text.charCodeAt(at) === 61) at--
  const letter = text.charCodeAt(at) | 32
  const before = text.charCodeAt(at - 1)
  return (
    (letter === 117 && (before === 45 || text.charCodeAt(at - 2) === 45)) ||
    (letter === 114 && before === 101)
  )
}

const isBehindFlag = (text: string, start: number): boolean =>
  mayFollowFlag(text, start) && endsWithFlag(new LeftReader(text, start))
/** Of a flag in small letters: `-u`, `-xu`, `--user`. */
const flagEnds = new WordEnds(
  ['-u', 'ser', ...Array.from('abcdefghijklmnopqrstuvwxyz', (char) => `-${char}u`)],
  { signs: '=' },
)
const behindFlag: Guard = Object.assign(isBehindFlag, { ends: flagEnds })
const behindFlagAndUser: Guard = (text, start) => {
  const reader = new LeftReader(text, start)
  reader.skip((unit) => unit === 58, 1)
  return reader.skip((unit) => isUserPart(unit) || unit === 64, 64) > 0 && endsWithFlag(reader)
}

const user = 'A-Za-z0-9._~%+\\-$!*'
const beyond = '\u00a1-\u052f'
const passwordClass = `A-Za-z0-9._~%!$&()*+,;=:@\\^|{}\\-${beyond}`
const host = '[A-Za-z0-9\\[][A-Za-z0-9.\\-_:\\]]{0,252}[A-Za-z0-9\\]]'

/** The password, and the host behind it: what stands there would be an e-mail address for itself. */
const passwordBeforeHost: Validator = (text, start, end) => {
  const at = text.lastIndexOf('@', end)
  return at > start && !isStandIn(text.slice(start, at))
}

/** A user that is a credential by itself: `https://x-token-auth@`, a pair of numbers, a key as the user. */
const userIsSecret: Validator = (text, start, end) => {
  const value = text.slice(start, end)
  const name = value.split(/[:@]/, 1)[0] as string
  return strengthOf(name) >= fair && !isStandIn(value)
}

/** A password of a command line: no variable, no name of what stands there. */
export const passwordArgument: Validator = (text, start, end) => {
  const value = text.slice(start, end)
  return (
    !isStandIn(value) && !/^(?:pass(?:word|wd)?|pwd|secret|token)$/i.test(value) && !value.startsWith('$')
  )
}

/** What ends no argument. */
export const argument = `A-Za-z0-9._~%!@#\\^*+=:;,/?\\-${beyond}`
const argumentRules: Rule[] = [
  {
    pattern: `[${argument}$&(){}|]{3,128}`,
    left: { only: ':' },
    right: { not: argument },
    lengthMax: 128,
    guard: behindFlagAndUser,
    validate: passwordArgument,
  },
  {
    pattern: `[${user}]{8,128}:[${argument}]{0,128}`,
    left: { only: '\\s"\'=', notPair: { near: ' ', far: 'A-TV-Za-qstv-z0-9.,' } },
    right: { not: argument },
    lengthMax: 257,
    guard: behindFlag,
    validate: userIsSecret,
  },
]

/** Passwords in URLs and connection strings (RFC 3986, section 3.2.1), and behind `curl -u`. */
export const connectionString: Recognizer = {
  id: 'connection-string',
  entity: 'PASSWORD',
  category: 'secret',
  tier: 1,
  family: 'text',
  rules: [
    {
      pattern: `[${passwordClass}]{1,200}@${host}`,
      left: { only: ':' },
      right: { not: 'A-Za-z0-9@' },
      lengthMax: 456,
      guard: behindUser,
      validate: passwordBeforeHost,
    },
    {
      pattern: `[${user}]{8,128}(:[${passwordClass}]{0,64})?@${host}`,
      left: { only: '/' },
      right: { not: 'A-Za-z0-9@' },
      lengthMax: 449,
      guard: behindScheme,
      validate: userIsSecret,
    },
    ...argumentRules,
  ],
  examples: {
    match: [
      { before: 'postgres://app:', value: 'hunter2@db.example.com:5432' },
      { before: 'redis://:', value: 'p4ssw0rd@10.0.0.1' },
      { before: 'https://', value: 'qgsnai0xokrw4j1:x-oauth-basic@git.example.com' },
      { before: 'curl -u "ada:', value: 'lovelace1815' },
    ],
    miss: [
      'http://localhost:3000/@fs/x',
      `postgres://\${USER}:\${PASSWORD}@db.example.com/x`,
      'https://user:xxxx@example.com',
      'git+ssh://git@github.com:ada/engine.git',
      'curl -u "$USER:$PASSWORD" https://example.com',
    ],
  },
}
