import fc from 'fast-check'
import t from 'tap'
import type { Found } from '../../src/redaction/finding.ts'
import { type JoinedText, joinedFindings, pacedJoinedFindings } from '../../src/redaction/joined.ts'
import { createRuleSet } from '../../src/redaction/rule-set.ts'

const rules = createRuleSet({
  name: 'test',
  direction: 'prompt',
  policyOf: ({ tier }) => (tier === 1 ? 'mask' : 'allow'),
})
const scan = (joined: string): Found => rules.screen(joined)
const find = (...texts: readonly JoinedText[]) =>
  joinedFindings(texts, scan).map(({ text, entity, start, end }) => [
    text,
    entity,
    texts[text]?.slice(start, end),
  ])

const values = {
  EMAIL_ADDRESS: 'zaphod.beeblebrox@heartofgold.example',
  CREDIT_CARD: '4111 1111 1111 1111',
  US_SSN: '536-90-4399',
  AWS_ACCESS_KEY: ['AKIA', 'Q3EGWJ5T2ZLKMXYA'].join(''),
} as const

/** What is left of some texts when the pieces that were found are cut out. */
function left(texts: readonly string[]): string {
  const rest = [...texts]
  for (const { text, start, end } of joinedFindings(texts, scan).toReversed())
    rest[text] = `${rest[text]?.slice(0, start)}#${rest[text]?.slice(end)}`
  return rest.join('|')
}

/** Cuts at which neither piece is a value by itself. */
const cutsOf = (value: string): number[] =>
  Array.from({ length: value.length - 1 }, (_, at) => at + 1).filter((at) =>
    [value.slice(0, at), value.slice(at)].every((piece) => scan(piece).findings.length === 0),
  )

t.test('a value that is cut over two messages goes from both', (t) => {
  const long = 'and a lot of other words before and after it, more than are joined '.repeat(3)
  for (const [entity, value] of Object.entries(values)) {
    const cuts = cutsOf(value)
    t.ok(cuts.length > 4, entity)
    for (const at of cuts) {
      const [one, two] = [value.slice(0, at), value.slice(at)]
      t.equal(left([`It is ${one}`, `${two} indeed`]), 'It is #|# indeed', `${one}|${two}`)
      t.equal(left([`${long}${one}`, `${two} ${long}`]), `${long}#|# ${long}`)
    }
  }
  t.end()
})

t.test('blanks around the seam do not help', (t) => {
  t.same(find('It is 536-90 \n', '\t-4399.'), [
    [0, 'US_SSN', '536-90'],
    [1, 'US_SSN', '-4399'],
  ])
  t.same(find('My card: 4111 1111 ', '1111 1111'), [
    [0, 'CREDIT_CARD', '4111 1111 '],
    [1, 'CREDIT_CARD', '1111 1111'],
  ])
  t.same(find('My card: 4111 1111', '1111 1111').length, 2)
  t.end()
})

t.test('a value in many pieces, and empty texts between them', (t) => {
  t.equal(left(['4111', '1111', '', '1111', '1111']), '#|#||#|#')
  t.equal(left(['x', ...values.EMAIL_ADDRESS, '!'].map((char) => ` ${char} `)).includes('@'), false)
  t.end()
})

t.test('what one text holds alone is not found again, and what stands beside it stays', (t) => {
  t.same(find('Many thanks', 'bob@example.com wrote'), [])
  t.same(find('I am bob@example.com', 'org charts'), [])
  t.same(find('card 4111 1111 1111 1111', '22 is next'), [])
  t.same(find('nothing', 'here', 'at all'), [])
  t.end()
})

t.test('nothing is read across a gap', (t) => {
  t.same(find('It is 536-90', undefined, '-4399'), [])
  t.end()
})

t.test('only ends are joined: the middle of a text is not', (t) => {
  const filler = 'x '.repeat(200)
  t.same(find(`536-90 ${filler}`, `${filler} -4399`), [])
  t.end()
})

t.test('a piece that is longer than what is joined goes whole', (t) => {
  const jwt = ['eyJhbGciOiJIUzI1NiJ9', 'eyJzdWIiOiIxMjM0NTY3ODkwIn0', 'c2ln'.repeat(60)].join('.')
  for (const at of [8, 30])
    t.equal(left([`the token ${jwt.slice(0, at)}`, `${jwt.slice(at)} end`]), 'the token #|# end')
  t.end()
})

t.test('what is allowed is not found', (t) => {
  const lenient = createRuleSet({
    name: 'test',
    direction: 'prompt',
    policyOf: ({ entity }) => (entity === 'US_SSN' ? 'allow' : 'mask'),
  })
  t.same(
    joinedFindings(['536-90', '-4399'], (joined) => lenient.screen(joined)),
    [],
  )
  t.end()
})

t.test('however many values there are, none is lost', (t) => {
  const texts = Array.from({ length: 600 }, () => ['mail a@b.example now, or 536-90', '-4399.']).flat()
  t.equal(joinedFindings(texts, scan).length, 1_200)
  t.end()
})

t.test('what is scanned grows with the number of texts, not with their length', (t) => {
  let scanned = 0
  const counting = (joined: string): Found => {
    scanned += joined.length
    return scan(joined)
  }
  joinedFindings(
    Array.from({ length: 500 }, () => 'x'.repeat(20_000)),
    counting,
  )
  t.ok(scanned <= 500 * 3 * (2 * 64 + 1))
  scanned = 0
  joinedFindings(
    Array.from({ length: 10_000 }, () => '1'),
    counting,
  )
  t.ok(scanned <= 10_000 * 3 * 2 * 2)
  t.end()
})

t.test('findings are in order, apart from each other and inside their texts', (t) => {
  const piece = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 8 }),
    fc.constantFrom('4111', ' ', '1111', '536-90', '-4399', 'a@', 'b.example', '\ud83d', '\ude00', '\n'),
  )
  const texts = fc.array(
    fc.oneof(
      piece,
      fc.array(piece, { maxLength: 60 }).map((all) => all.join('')),
    ),
  )
  const property = fc.property(texts, (all) => {
    let last = { text: -1, end: 0 }
    for (const { text, start, end } of joinedFindings(all, scan)) {
      const from = text === last.text ? last.end : 0
      if (text < last.text || start < from || end <= start || end > (all[text] as string).length) return false
      last = { text, end }
    }
    return true
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 300 }))
  t.end()
})

t.test('the scan may pause', async (t) => {
  const texts = ['536-90', '-4399']
  t.same(await pacedJoinedFindings(texts, async (joined) => scan(joined)), joinedFindings(texts, scan))
})
