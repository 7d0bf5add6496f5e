import { Buffer } from 'node:buffer'
import { createHash, randomBytes } from 'node:crypto'
import { deflateSync } from 'node:zlib'
import fc from 'fast-check'
import t from 'tap'
import { encodedFindings, pacedEncodedFindings } from '../../../src/redaction/encoded/encoded-findings.ts'
import type { Found } from '../../../src/redaction/finding.ts'
import { createRuleSet } from '../../../src/redaction/rule-set.ts'

const rules = createRuleSet({
  name: 'test',
  direction: 'prompt',
  policyOf: ({ tier }) => (tier === 1 ? 'mask' : 'allow'),
})
const scan = (decoded: string): Found => rules.screen(decoded)

const values = {
  EMAIL_ADDRESS: 'zaphod.beeblebrox@heartofgold.example',
  CREDIT_CARD: '4111 1111 1111 1111',
  US_SSN: '536-90-4399',
} as const

const base64 = (text: string | Uint8Array): string => Buffer.from(text as string).toString('base64')
const base64url = (text: string): string => Buffer.from(text).toString('base64url')
const hex = (text: string): string => Buffer.from(text).toString('hex')
const pairs = (text: string): string[] => hex(text).match(/../g) as string[]
const wrapped = (text: string, width: number, joint = '\n'): string =>
  (text.match(new RegExp(`.{1,${width}}`, 'g')) ?? []).join(joint)
const utf16 = (text: string): string => Buffer.from(text, 'utf16le').toString('base64')
const note = (value: string): string =>
  `A longer note, so that it fills some lines: ${value} ${'and so on '.repeat(20)}`

/** Each gives the token for a value. */
const encodings: Record<string, (value: string) => string> = {
  base64,
  'base64 without padding': (value) => base64(value).replace(/=+$/, ''),
  base64url,
  'base64 of UTF-16': utf16,
  'base64 in lines of 64': (value) => wrapped(base64(note(value)), 64),
  'base64 in lines of 76 with CR LF': (value) => wrapped(base64(note(value)), 76, '\r\n'),
  'base64 in indented lines': (value) => wrapped(base64(note(value)), 64, '\n    '),
  'base64 in the escapes of a literal': (value) => wrapped(base64(note(value)), 64, '\\n'),
  hex,
  'upper-case hex': (value) => hex(value).toUpperCase(),
  'hex after 0x': (value) => `0x${hex(value)}`,
  'hex in lines of 60': (value) => wrapped(hex(note(value)), 60),
  'hex bytes with spaces': (value) => pairs(value).join(' '),
  'hex bytes with colons': (value) => pairs(value).join(':'),
  'hex bytes with hyphens': (value) => pairs(value).join('-'),
  'hex bytes in lines': (value) => wrapped(pairs(value).join(' '), 24).replaceAll(' \n', '\n'),
  'bytes of a C string': (value) =>
    pairs(value)
      .map((pair) => `\\x${pair}`)
      .join(''),
  'bytes of an array': (value) =>
    pairs(value)
      .map((pair) => `0x${pair}`)
      .join(', '),
  'base64 of base64': (value) => base64(`see ${base64(value)}`),
  'hex of base64': (value) => hex(base64(value)),
  'base64 of hex': (value) => base64(hex(value)),
}

for (const [name, encode] of Object.entries(encodings)) {
  t.test(`${name} is one finding, and all of the token`, (t) => {
    for (const [entity, value] of Object.entries(values)) {
      const token = encode(value)
      for (const [before, after] of [
        ['Decode this: ', '\nplease do'],
        ['x ', ', thanks'],
        ['', ''],
        ['"', '"'],
        ['日本語 😀 (', ')'],
        ['key=', '\nNext line'],
      ] as const) {
        const start = before.length
        const text = `${before}${token}${after}`
        const inside = encodedFindings(text, scan)
        // What the rules see through by themselves, the bytes of a C string, is left to them.
        const found = inside.length > 0 ? inside : scan(text).findings
        t.equal(found.length, 1)
        t.match(
          found,
          [{ entity, action: 'mask', start, end: start + token.length }],
          `${entity} in ${before}...`,
        )
      }
    }
    t.end()
  })
}

t.test('a token beside separators of its own alphabet', (t) => {
  const token = base64url(values.EMAIL_ADDRESS).replace(/[-_]/g, '')
  const text = `/download/of-${token}/file`
  const [found] = encodedFindings(text, scan)
  t.equal(text.slice(found?.start, found?.end), token)
  t.end()
})

t.test('one layer more than two is not claimed', (t) => {
  const thrice = base64(`x ${base64(`y ${base64(values.EMAIL_ADDRESS)}`)}`)
  t.same(encodedFindings(thrice, scan), [])
  t.end()
})

t.test('the gravest of what a token holds gives it its name', (t) => {
  const blocking = createRuleSet({
    name: 'test',
    direction: 'prompt',
    policyOf: ({ entity }) => (entity === 'US_SSN' ? 'block' : entity === 'EMAIL_ADDRESS' ? 'allow' : 'mask'),
  })
  const find = (text: string) => encodedFindings(text, (decoded) => blocking.screen(decoded))
  t.match(find(base64(`${values.CREDIT_CARD} or ${values.US_SSN}`)), [{ entity: 'US_SSN', action: 'block' }])
  t.same(find(base64(values.EMAIL_ADDRESS)), [], 'what is allowed is no finding')
  t.end()
})

t.test('in JSON the strings count as their readers decode them', (t) => {
  const token = base64(`???${values.EMAIL_ADDRESS}`)
  t.match(token, /^Pz8[/]/)
  for (const json of [
    JSON.stringify({ a: [token] }),
    JSON.stringify({ a: [token] }).replaceAll('/', '\\/'),
    JSON.stringify({ a: `x ${token}` }).replace('Pz8', '\\u0050z8'),
    `{"a":"${wrapped(token, 16, '\\n')}"`,
  ]) {
    const [found, ...more] = encodedFindings(json, scan, { kind: 'json' })
    t.same(more, [])
    t.match(found, { entity: 'EMAIL_ADDRESS' })
    t.equal(json[found?.end as number], '"', 'it ends where its string ends')
    t.match(json.slice(found?.start), /^(P|\\u0050)z8/)
  }
  const bare = `{"a":${hex(values.CREDIT_CARD)}}`
  t.match(encodedFindings(bare, scan, { kind: 'json' }), [{ bare: true, start: 5, end: bare.length - 1 }])
  t.end()
})

t.test('a token that the rules know as such is theirs', (t) => {
  const part = (json: object) => base64url(JSON.stringify(json))
  const signature = randomBytes(32).toString('base64url')
  const claims = part({ sub: values.EMAIL_ADDRESS })
  t.same(encodedFindings(`Bearer ${part({ alg: 'HS256' })}.${claims}.${signature}`, scan), [])
  const onePassword = `ops_${base64url(JSON.stringify({ email: values.EMAIL_ADDRESS, muk: signature.repeat(9) }))}`
  t.same(encodedFindings(`token=${onePassword};`, scan), [], 'a key with an address in it is a key')
  const odd = `${part({ a: 1 })}.${claims}.${signature}`
  t.match(
    encodedFindings(`x ${odd} y`, scan),
    [{ entity: 'EMAIL_ADDRESS', action: 'mask', start: 2, end: 2 + odd.length }],
    'and of one that they do not know all parts go',
  )
  t.end()
})

t.test('bytes that are no text are no findings', (t) => {
  const png = base64(
    Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), deflateSync(randomBytes(9_000))]),
  )
  const digest = (algorithm: string) => createHash(algorithm).update(randomBytes(9)).digest()
  for (let round = 0; round < 60; round++) {
    const texts = [
      `data:image/png;base64,${png}`,
      `integrity="sha384-${base64(digest('sha384'))}"`,
      digest('sha1').toString('hex'),
      digest('sha256').toString('hex').match(/../g)?.join(':') ?? '',
      `id ${crypto.randomUUID()} ${crypto.randomUUID().replaceAll('-', '')}`,
      wrapped(base64(randomBytes(700)), 64),
    ]
    t.same(encodedFindings(texts.join('\n'), scan), [])
  }
  t.end()
})

t.test('words, numbers and encoded text without anything in it stay', (t) => {
  const text = `internationalization of counterrevolutionaries\n10 20 30 40 50 60 70 80 90 be ad de ed fa ce
    ${base64('Nothing to see here, move along please.')} 0x1234567890abcdef ${hex('just some words')} C:\\new\\table`
  t.same(encodedFindings(text, scan), [])
  t.end()
})

t.test('a long token has no end behind which to hide, and is scanned in pieces', (t) => {
  const filler = 'The quick brown fox jumps over the lazy dog. '.repeat(8_000)
  const lengths: number[] = []
  const counting = (decoded: string) => {
    lengths.push(decoded.length)
    return scan(decoded)
  }
  const token = base64(`${filler}${values.EMAIL_ADDRESS} ${filler.slice(0, 999)}`)
  t.match(encodedFindings(token, counting), [{ start: 0, end: token.length }])
  t.ok(lengths.length > 5 && Math.max(...lengths) <= 65_536)
  t.end()
})

t.test('a value at any place of the pieces is found', (t) => {
  const word = 'abcdefghij '
  for (let at = 47_000; at < 49_400; at += 97) {
    const filler = word.repeat(6_000)
    const token = base64(`${filler.slice(0, at)} ${values.CREDIT_CARD} ${filler.slice(0, 3_000)}`)
    t.equal(encodedFindings(token, scan).length, 1, `at ${at}`)
  }
  t.end()
})

t.test('what is scanned grows with the text and no faster', (t) => {
  const hostile = (length: number): string[] => [
    'A'.repeat(length),
    'QUFB'.repeat(length / 4),
    wrapped('QUFBQUFBQUFBQUFB'.repeat(length / 17), 16),
    '41 '.repeat(length / 3),
    '\\x41'.repeat(length / 4),
    'ab-'.repeat(length / 3),
    `${'eyJ'.repeat(5)}.`.repeat(length / 16),
    'Nzc3Nzc3Nzc3Nzc3Nzc3'.repeat(length / 20),
    `QUFBQUFBQUFBQUFB${' '.repeat(90)}`.repeat(length / 106),
    '"\\'.repeat(length / 2),
    'a.'.repeat(length / 2),
    '.'.repeat(length),
    'sk. '.repeat(length / 4),
    `${'a '.repeat(14)}b\n`.repeat(length / 30),
    'ab1@\n'.repeat(length / 5),
    `${'a1'.repeat(40)}\n`.repeat(length / 81),
  ]
  for (const [index] of hostile(4).entries()) {
    for (const kind of ['text', 'json'] as const) {
      const text = hostile(200_000)[index] as string
      let scanned = 0
      const found = encodedFindings(
        text,
        (decoded) => {
          scanned += decoded.length
          return { findings: [], tallies: [] }
        },
        { kind },
      )
      t.same(found, [])
      t.ok(scanned <= text.length * 4, `text ${index}: ${scanned}`)
    }
  }
  t.end()
})

t.test('findings are in order, apart from each other and inside the text, whatever it is', (t) => {
  const piece = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom(...Object.values(encodings).map((encode) => encode(values.CREDIT_CARD))),
    fc.constantFrom('"', '\\', '\\n', '\\u00', '=', '.', 'eyJ', '0x', '\n', ' ', '-'),
  )
  const property = fc.property(
    fc.array(piece),
    fc.constantFrom('text' as const, 'json' as const),
    (pieces, kind) => {
      const text = pieces.join('')
      let from = 0
      for (const { start, end } of encodedFindings(text, scan, { kind })) {
        if (start < from || end <= start || end > text.length) return false
        from = end
      }
      return true
    },
  )
  t.doesNotThrow(() => fc.assert(property, { numRuns: 300 }))
  t.end()
})

t.test('the scan may pause', async (t) => {
  const { signal } = new AbortController()
  const text = `${base64(values.EMAIL_ADDRESS)} ${hex(values.CREDIT_CARD)}`
  const paced = await pacedEncodedFindings({ text, kind: 'text' }, async (decoded) => scan(decoded), signal)
  t.same(paced, encodedFindings(text, scan))
  t.equal(paced.length, 2)
  await t.rejects(
    pacedEncodedFindings({ text, kind: 'text' }, () => Promise.reject(new Error('gone')), signal),
    /gone/,
  )
})
