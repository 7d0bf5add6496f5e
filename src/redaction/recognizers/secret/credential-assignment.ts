import type { Guard, Recognizer, Rule, Validator } from '../../recognizer.ts'
import { nameEnds } from './credential-hint.ts'
import { type CredentialKey, credentialKey } from './credential-key.ts'
import { kindOfName, password, secret, vague } from './credential-lexicon.ts'
import {
  fair,
  hasChecksum,
  hasManyJoints,
  isReference,
  isUuid,
  strengthOf,
  strengthOfPhrase,
  strong,
  weak,
} from './credential-value.ts'

/** What a value is launched behind: a separator, a quote, a blank, an opening bracket. */
const left = { only: '=:;>|(,"\'`\\s' }

/** Latin, Greek and Cyrillic beyond ASCII. */
const beyond = '\u00a1-\u052f'
/** What ends no value, inside or at its end. */
const inner = `A-Za-z0-9_\\-+/=!@#$%\\^*~${beyond}`
/** Ends a value only where nothing of it follows. */
const trailing = '.:?|(){}\\[\\]'
/** Ends a value, if what follows reads like the next one. */
const joining = ',;&\\\\'
const first = `A-Za-z0-9_\\-+/!@#$%\\^*~.${beyond}`
/** What a quoted value may begin with, and what may end it as well. */
const opening = `${first}=${trailing}`

const quotedClass = (others: string): string => `\\s${inner}${trailing}${joining}<>${others}`

/** The least that a value needs behind its name. */
function needed({ kind, bond, quoted }: CredentialKey): number {
  if (kind === vague) return strong
  if (kind === password) return weak
  return kind === secret && (quoted || bond === 'assigned') ? weak : fair
}

/** In prose a value has to show that it is no word: a digit or a symbol among its letters. */
const isMarked = (value: string): boolean =>
  !/[:/]/.test(value) && /[A-Za-z]/.test(value) && /\d|[^A-Za-z0-9\s'.,_-]/.test(value)

const cookieName = /^([\w.-]{1,40})=[^=]/
/** `password1`, `db_secret_2`: a name where a value could stand. */
const numberedName = /^[A-Za-z_]+\d?$/

/** Another name: of a value that comes behind it, or of a variable. */
function isName(value: string, { name, quoted }: CredentialKey): boolean {
  if (value.toLowerCase() === name) return true
  const member = cookieName.exec(value)?.[1] ?? (quoted || !numberedName.test(value) ? '' : value)
  return member !== '' && kindOfName(member) !== undefined
}

function accepts(value: string, key: CredentialKey): boolean {
  const { kind, bond, quoted } = key
  if (isName(value, key) || (!quoted && isReference(value))) return false
  if ((kind === vague && isUuid(value)) || hasChecksum(value)) return false
  if (bond === 'spoken' && (value.length < 6 || !isMarked(value))) return false
  const strength = /\s/.test(value) ? strengthOfPhrase(value) : strengthOf(value)
  if (strength < needed(key)) return false
  // A secret that is only a name with a number (`secret1`, `db_secret_2`) names another value.
  return kind !== secret || strength >= fair || /[^\w.-]/.test(value)
}

const nextMember = /[,;]\s*[A-Za-z_$][\w.$-]*\s*[:=]|&(?:[\w.$-]+=|\w+;|$)|[,;]$|\]\(/
const escaped = /\\(?:[nrtbf"'`/]|u[\da-fA-F]{4}|x[\da-fA-F]{2})/
/** What follows the last comma belongs to a value only if it looks as little like a word as the value. */
const joinedWord = /[,;][\w.-]*(?:$|[)}\]])/

const isOneValue = (value: string): boolean =>
  !nextMember.test(value) && !escaped.test(value) && !joinedWord.test(value)

const ofKind = (wanted: (kind: number) => boolean): Guard => {
  const guard = (text: string, start: number): boolean => {
    const key = credentialKey(text, start)
    return key !== undefined && wanted(key.kind)
  }
  return Object.assign(guard, { ends: nameEnds })
}

const validator =
  (isWhole: (value: string) => boolean): Validator =>
  (text, start, end) => {
    if (hasManyJoints(text, start, end)) return false
    const value = text.slice(start, end)
    if (!isWhole(value)) return false
    const key = credentialKey(text, start)
    return key !== undefined && accepts(value, key)
  }

const isPassword = ofKind((kind) => kind === password)
const isToken = ofKind((kind) => kind !== password)
const isWhole = validator(isOneValue)
const isQuoted: Validator = (text, start, end) => {
  if (hasManyJoints(text, start, end)) return false
  const key = credentialKey(text, start)
  return key?.quoted === true && accepts(text.slice(start, end), key)
}

const bare = (guard: Guard, max: number): Rule => ({
  pattern: `[${first}][${inner}${trailing}${joining}]{2,${max - 2}}[${inner}]`,
  left,
  right: { not: `${inner}:{(\\[` },
  lengthMax: max,
  guard,
  validate: isWhole,
})

const quoted = (guard: Guard, quote: string, others: string, max: number): Rule => ({
  pattern: `[${opening}<${others}][${quotedClass(others)}]{2,${max - 2}}[${opening},;&<>${others}]`,
  left: { only: quote },
  right: { only: `${quote}\\\\` },
  lengthMax: max,
  guard,
  validate: isQuoted,
})

const quotedRules = (guard: Guard, max: number): Rule[] => [
  quoted(guard, '"', "'`", max),
  quoted(guard, "'", '"`', max),
  quoted(guard, '`', '"\'', max),
]

const sureUnits = 24

/** A token is certain after a few random characters; however long it is, no more of it is held. */
const certain: Rule = {
  pattern: `[A-Za-z0-9_\\-+/]{${sureUnits}}`,
  left,
  lengthMax: sureUnits,
  sure: { kind: 'run', members: 'A-Za-z0-9_\\-+/=%~', joiners: '.:' },
  guard: isToken,
  validate: (text, start, end) => {
    const value = text.slice(start, end)
    return strengthOf(value) >= strong && !hasChecksum(value) && credentialKey(text, start) !== undefined
  },
}

export const credentialPassword: Recognizer = {
  id: 'credential-password',
  entity: 'PASSWORD',
  category: 'secret',
  tier: 2,
  family: 'text',
  rules: [bare(isPassword, 128), ...quotedRules(isPassword, 96)],
  examples: {
    match: [
      { before: 'password = ', value: 'hunter2' },
      { before: 'DB_PASSWORD=', value: 'Tr0ub4dor&3' },
      { before: '{"user":"ada","password":"', value: 'gT7#mmQ-2' },
    ],
    miss: [
      'password = os.environ["DB_PASSWORD"]',
      `password: \${DB_PASSWORD}`,
      'the password is required',
      'PASSWORD=changeme',
    ],
  },
}

export const credentialToken: Recognizer = {
  id: 'credential-token',
  entity: 'API_KEY',
  category: 'secret',
  tier: 2,
  family: 'text',
  rules: [certain, bare(isToken, 256), ...quotedRules(isToken, 128)],
  examples: {
    match: [
      { before: 'api_key = "', value: 'Zf3D0LXCM3EIMbgJ' },
      { before: 'X-Api-Key: ', value: 'c4ed6c219dd54a058e3fc56d1151cce8' },
      { before: '<authToken>', value: 'r16d5a2fe90ju3kn8v0p' },
    ],
    miss: [
      'token = getToken(user1)',
      'max_tokens: 4096',
      'primary_key: 0f8fad5bd9cb469fa165',
      'api_key = "your-api-key-1234"',
    ],
  },
}
