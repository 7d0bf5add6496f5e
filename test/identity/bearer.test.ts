import t from 'tap'
import { bearerToken } from '../../src/identity/bearer.ts'

t.test('takes the token, whatever the case of the scheme', async (t) => {
  for (const scheme of ['Bearer', 'bearer', 'BEARER'])
    t.equal(bearerToken(`${scheme} a.b-_~+/c==`), 'a.b-_~+/c==')
})

t.test('no header is a missing token', async (t) => {
  t.throws(() => bearerToken(undefined), { code: 'missing_token' })
})

t.test('anything but one scheme, one space and one token is refused', async (t) => {
  const refused = [
    '',
    'Bearer',
    'Bearer ',
    'Bearer  a.b.c',
    'Bearer\ta.b.c',
    'Bearer a.b.c ',
    ' Bearer a.b.c',
    'Bearer a.b.c, Bearer d.e.f',
    'Bearer a b',
    'Bearer a=b',
    'Bearer ä',
    'Bearera.b.c',
    'Basic YTpi',
    'DPoP a.b.c',
    'Bearer a.b.c\n',
  ]
  for (const text of refused) {
    t.throws(
      () => bearerToken(text),
      { code: 'invalid_token', detail: 'bad_authorization' },
      JSON.stringify(text),
    )
  }
})

t.test('a token beyond 8 KiB is refused before it is looked at', async (t) => {
  t.equal(bearerToken(`Bearer ${'a'.repeat(8192)}`).length, 8192)
  t.throws(() => bearerToken(`Bearer ${'a'.repeat(8193)}`), {
    code: 'invalid_token',
    detail: 'token_too_long',
  })
})
