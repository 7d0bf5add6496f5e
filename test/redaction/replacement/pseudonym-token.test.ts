import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import {
  isSound,
  makeToken,
  readToken,
  tokenLabel,
  tokenUnitsMax,
} from '../../../src/redaction/replacement/pseudonym-token.ts'

const shape = /^PII_[A-Z0-9]{1,12}_[0-9A-HJKMNP-TV-Z]{9}$/
const entities = ['EMAIL_ADDRESS', 'CREDIT_CARD', 'US_SSN', 'PHONE_NUMBER', 'IBAN_CODE', 'A', 'X9_Y']
const tokens = fc
  .record({ entity: fc.constantFrom(...entities), digest: fc.uint8Array({ minLength: 5, maxLength: 5 }) })
  .map(({ entity, digest }) => makeToken(entity, digest))
const open = { kind: 'text', ended: false } as const
const ended = { kind: 'text', ended: true } as const

t.test('one shape, that nothing on the way escapes', (t) => {
  fc.assert(
    fc.property(
      tokens,
      (token) => shape.test(token) && encodeURIComponent(token) === token && isSound(token),
    ),
  )
  t.same(entities.map(tokenLabel), ['EMAIL', 'CREDITCARD', 'USSSN', 'PHONE', 'IBAN', 'A', 'X9Y'])
  t.end()
})

t.test('another character, and two that changed places, make it unsound', (t) => {
  const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
  fc.assert(
    fc.property(tokens, fc.nat({ max: 8 }), fc.constantFrom(...alphabet), (token, back, char) => {
      const at = token.length - 1 - back
      const changed = token.slice(0, at) + char + token.slice(at + 1)
      return changed === token || !isSound(changed)
    }),
  )
  fc.assert(
    fc.property(tokens, fc.integer({ min: 1, max: 8 }), (token, back) => {
      const at = token.length - 1 - back
      const turned = token.slice(0, at) + token[at + 1] + token[at] + token.slice(at + 2)
      return turned === token || !isSound(turned)
    }),
  )
  t.pass()
  t.end()
})

const token = makeToken('EMAIL_ADDRESS', randomBytes(5))

t.test('what models and renderers do to a token is forgiven', (t) => {
  const spellings: Record<string, string> = {
    'as it is': token,
    'lower case': token.toLowerCase(),
    'title case': token[0] + token.slice(1).toLowerCase(),
    'escaped underscores': token.replaceAll('_', '\\_'),
    'a zero-width space': `${token.slice(0, 6)}\u200b${token.slice(6)}`,
    'a soft hyphen before an underscore': token.replace('_', '\u00ad_'),
    'a word joiner after it': token.replace('_', '_\u2060'),
  }
  for (const [name, text] of Object.entries(spellings)) {
    const expected = { kind: 'token', token, end: text.length }
    t.same(readToken(text, 0, ended), expected, name)
    t.same(readToken(`${text} and`, 0, open), expected, `${name}, followed`)
    t.same(readToken(text, 0, open), { kind: 'part' }, `${name}, perhaps not yet at its end`)
  }
  t.same(readToken(token.replaceAll('_', '\\\\_'), 0, { kind: 'json', ended: true }).kind, 'token')
  t.end()
})

t.test('what is no token', (t) => {
  const texts = [
    `${token}S`,
    token.slice(0, -1),
    token.replace('_', ' '),
    token.replace('_', '-'),
    token.replace('_', '__'),
    token.replace('PII', 'PI'),
    token.replace('EMAIL', ''),
    token.replace('EMAIL', 'AVERYLONGNAMEOFIT'),
    token.replaceAll('_', '\\\\_'),
    token.replace('_', `${'\u200b'.repeat(tokenUnitsMax)}_`),
    'Please',
  ]
  for (const text of texts) t.same(readToken(text, 0, ended), { kind: 'none' }, text)
  t.end()
})

t.test('property: a beginning is a part, and no part is longer than the bound', (t) => {
  fc.assert(
    fc.property(tokens, fc.nat({ max: 30 }), (each, at) => {
      const beginning = each.slice(0, Math.min(Math.max(at, 1), each.length))
      return (
        readToken(beginning, 0, open).kind === 'part' &&
        readToken(beginning.slice(0, -1), 0, ended).kind === 'none'
      )
    }),
  )
  const pieces = fc.constantFrom('P', 'I', '_', '\\', '\u200b', 'A', '7', 'p', 'II_', 'PII_A_')
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 90 }), (parts) => {
      const text = `P${parts.join('')}`
      return readToken(text, 0, open).kind !== 'part' || text.length <= tokenUnitsMax
    }),
    { numRuns: 2_000 },
  )
  t.pass()
  t.end()
})
