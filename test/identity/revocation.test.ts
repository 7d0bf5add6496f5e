import fc from 'fast-check'
import t from 'tap'
import { noRevocations, parseRevocations, type Revocable } from '../../src/identity/revocation.ts'
import { fingerprintA, fingerprintB, peerWith } from './token-maker.ts'

const principal: Revocable = {
  issuer: 'idp',
  subject: 'a',
  tokenId: 'j1',
  issuedAt: 1_000_000,
  certificate: peerWith(fingerprintA),
}

const parse = (revoked: unknown) => parseRevocations(Buffer.from(JSON.stringify({ revoked })))
const covers = (entry: object, more: Partial<Revocable> = {}) =>
  parse([entry]).covers({ ...principal, ...more })

t.test('a token by its id, at one issuer or at all', async (t) => {
  t.equal(covers({ jti: 'j1' }), 'revoked_token')
  t.equal(covers({ jti: 'j1', issuer: 'idp' }), 'revoked_token')
  t.equal(covers({ jti: 'j1', issuer: 'other' }), undefined)
  t.equal(covers({ jti: 'j2' }), undefined)
  t.equal(covers({ jti: 'j1' }, { tokenId: undefined }), undefined)
})

t.test('a subject, for good or for tokens issued before a time', async (t) => {
  t.equal(covers({ issuer: 'idp', subject: 'a' }), 'revoked_subject')
  t.equal(covers({ issuer: 'idp', subject: 'a', issuedBefore: 1001 }), 'revoked_subject')
  t.equal(covers({ issuer: 'idp', subject: 'a', issuedBefore: 1000 }), undefined)
  t.equal(
    covers({ issuer: 'idp', subject: 'a', issuedBefore: 1 }, { issuedAt: undefined }),
    'revoked_subject',
  )
  t.equal(covers({ issuer: 'other', subject: 'a' }), undefined)
  const twice = parse([
    { issuer: 'idp', subject: 'a', issuedBefore: 2000 },
    { issuer: 'idp', subject: 'a', issuedBefore: 5 },
  ])
  t.equal(twice.covers(principal), 'revoked_subject', 'the later date counts')
})

t.test('a certificate, in every usual spelling of its fingerprint', async (t) => {
  const hex = Buffer.from(fingerprintA, 'base64url').toString('hex')
  const fingerprint = Buffer.from(hex, 'hex').toString('base64url')
  const peer = { certificate: peerWith(fingerprint) }
  const colons = hex.toUpperCase().replace(/..(?=.)/g, '$&:')
  for (const certificate of [fingerprint, hex, hex.toUpperCase(), colons]) {
    t.equal(covers({ certificate }, peer), 'revoked_certificate', certificate)
  }
  t.equal(covers({ certificate: fingerprintB }, peer), undefined)
})

t.test('an empty list revokes nothing', async (t) => {
  t.equal(parse([]).covers(principal), undefined)
  t.equal(noRevocations.covers(principal), undefined)
})

const atEntry1 = { name: 'RevocationsRefused', entry: 1 }

t.test('a list with anything doubtful in it is refused whole', async (t) => {
  const entries = [
    {},
    5,
    null,
    { jti: 5 },
    { jti: '' },
    { jti: 'a', isuer: 'idp' },
    { jti: 'a', issuer: '' },
    { jti: 'a\nb' },
    { subject: 'a' },
    { issuer: 'idp' },
    { issuer: 'idp', subject: 'a', issuedBefore: '2026-01-01' },
    { issuer: 'idp', subject: 'a', issuedBefore: -1 },
    { issuer: 'idp', subject: 'a', before: 5 },
    { certificate: 'abc' },
    { certificate: fingerprintA, jti: 'a' },
  ]
  for (const entry of entries) t.throws(() => parse([{ jti: 'x' }, entry]), atEntry1, JSON.stringify(entry))
  for (const text of [
    '',
    '[]',
    '{}',
    '{"revoked":{}}',
    '{"revoked":[],"x":1}',
    '{"revoked":[],"revoked":[]}',
  ]) {
    t.throws(() => parseRevocations(Buffer.from(text)), { name: 'RevocationsRefused' }, text)
  }
  t.throws(() => parse(Array(100_001).fill({ jti: 'a' })), /more than 100000/)
})

t.test('property: exactly the listed token ids are covered', async (t) => {
  const id = fc.stringMatching(/^[a-z0-9]{1,4}$/)
  const run = () =>
    fc.assert(
      fc.property(fc.array(id, { maxLength: 8 }), id, (ids, asked) => {
        const list = parse(ids.map((jti) => ({ jti })))
        return (list.covers({ ...principal, tokenId: asked }) !== undefined) === ids.includes(asked)
      }),
      { numRuns: 100 },
    )
  t.doesNotThrow(run)
})
