import fc from 'fast-check'
import t from 'tap'
import { isTrustDomain, parseSpiffeId } from '../../src/identity/spiffe.ts'

t.test('takes ids apart', async (t) => {
  t.strictSame(parseSpiffeId('spiffe://td.test/ns/app/sa/a'), {
    trustDomain: 'td.test',
    path: '/ns/app/sa/a',
  })
  t.strictSame(parseSpiffeId('spiffe://td.test'), { trustDomain: 'td.test', path: '' })
  t.strictSame(parseSpiffeId('spiffe://1.2.3.4/A.b_c-9'), { trustDomain: '1.2.3.4', path: '/A.b_c-9' })
  t.strictSame(parseSpiffeId('spiffe://a_b/...'), { trustDomain: 'a_b', path: '/...' })
})

t.test('refuses what the grammar refuses', async (t) => {
  const bad = [
    '',
    'spiffe://',
    'spiffe:///a',
    'spiffe:/td/a',
    'SPIFFE://td/a',
    'Spiffe://td/a',
    'https://td/a',
    'spiffe://TD/a',
    'spiffe://td/',
    'spiffe://td/a/',
    'spiffe://td//a',
    'spiffe://td/a//b',
    'spiffe://td/.',
    'spiffe://td/..',
    'spiffe://td/x/../admin',
    'spiffe://td/x/./admin',
    'spiffe://td/%61dmin',
    'spiffe://td/a?b',
    'spiffe://td/a#b',
    'spiffe://td?b',
    'spiffe://td:443/a',
    'spiffe://user@td/a',
    'spiffe://user:pass@td/a',
    'spiffe://[::1]/a',
    'spiffe://td/a b',
    'spiffe://td/a\n',
    ' spiffe://td/a',
    'spiffe://td/é',
    'spiffe://tđ/a',
    'spiffe://td/a\\b',
    'spiffe://td/a;b',
    'spiffe://td/a,b',
  ]
  for (const text of bad) t.equal(parseSpiffeId(text), undefined, JSON.stringify(text))
})

t.test('lengths: 2048 bytes in all, 255 of them the trust domain', async (t) => {
  const head = 'spiffe://td/'
  t.ok(parseSpiffeId(head + 'a'.repeat(2048 - head.length)))
  t.equal(parseSpiffeId(head + 'a'.repeat(2049 - head.length)), undefined)
  t.ok(isTrustDomain('a'.repeat(255)))
  t.notOk(isTrustDomain('a'.repeat(256)))
  t.notOk(isTrustDomain(''))
})

t.test('property: an id that is accepted is written in one way only', async (t) => {
  const text = fc.string({ unit: fc.constantFrom(...'ab.A_-/%:@?#\\ \n'), maxLength: 24 })
  fc.assert(
    fc.property(text, (rest) => {
      const id = parseSpiffeId(`spiffe://${rest}`)
      if (id === undefined) return true
      const segments = id.path.split('/').slice(1)
      return (
        `spiffe://${id.trustDomain}${id.path}` === `spiffe://${rest}` &&
        segments.every((segment) => segment !== '' && segment !== '.' && segment !== '..')
      )
    }),
    { numRuns: 2_000 },
  )
  t.pass('held')
})
