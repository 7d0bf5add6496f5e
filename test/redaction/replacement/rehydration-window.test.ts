import fc from 'fast-check'
import t from 'tap'
import { customRecognizer } from '../../../src/redaction/custom.ts'
import type { StreamWindow } from '../../../src/redaction/finding.ts'
import { makeToken, tokenUnitsMax } from '../../../src/redaction/replacement/pseudonym-token.ts'
import { RehydrationWindow } from '../../../src/redaction/replacement/rehydration-window.ts'
import { createRuleSet } from '../../../src/redaction/rule-set.ts'
import { InertWindow } from '../../../src/redaction/stream-window.ts'

const tokenOf = (entity: string, first: number) => makeToken(entity, Uint8Array.of(first, 1, 2, 3, 4))
const email = tokenOf('EMAIL_ADDRESS', 1)
const card = tokenOf('CREDIT_CARD', 2)
const quoted = tokenOf('PERSON', 3)
const foreign = tokenOf('EMAIL_ADDRESS', 9)
const originals = new Map([
  [email, 'jane.doe@example.com'],
  [card, '4111 1111 1111 1111'],
  [quoted, 'Ann "the\\man"\n'],
])
const vault = { originalOf: (token: string) => originals.get(token) }

function restored(
  pieces: readonly string[],
  kind: 'text' | 'json' = 'text',
  inner: StreamWindow = new InertWindow(),
) {
  const count = { restored: 0, unknown: 0 }
  const window = new RehydrationWindow(inner, kind, vault, count)
  let heldMax = 0
  let text = ''
  for (const piece of pieces) {
    text += window.push(piece)
    heldMax = Math.max(heldMax, window.held)
  }
  return { text: text + window.flush(), heldMax, ...count, window }
}

t.test('tokens of the exchange come back, others stay', (t) => {
  t.match(restored([`Write to ${email}, not to ${foreign}.`]), {
    text: `Write to jane.doe@example.com, not to ${foreign}.`,
    restored: 1,
    unknown: 1,
  })
  t.match(restored([`${card}`]), { text: '4111 1111 1111 1111', restored: 1 })
  t.match(restored([`_${email}_ **${email}** [${email}](mailto:${email})`]), { restored: 4 })
  t.match(restored([`${email}s x${email} ${email.slice(0, -1)}`]), { restored: 0, unknown: 0 })
  t.match(
    restored([email.replace(/.$/, (last) => (last === '0' ? '1' : '0'))]),
    { restored: 0, unknown: 0 },
    'unsound',
  )
  t.end()
})

/** Masks whatever has nine letters and digits behind an underscore, or as a word: also the end of a token. */
const shapes = (): StreamWindow =>
  createRuleSet({
    name: 'shapes',
    direction: 'reply',
    custom: [shapeRecognizer],
    policyOf: (each) => (each === shapeRecognizer ? 'mask' : 'allow'),
  }).open('text')
const shapeRecognizer = customRecognizer('shape', {
  entity: 'SHAPE',
  category: 'identity',
  tier: 1,
  patterns: ['[A-Z0-9]{9}'],
  ignoreCase: false,
  boundary: 'none',
  examples: { match: [], miss: [] },
})

t.test('a token is opaque to the rules: they take no part of it for a value', (t) => {
  t.equal(restored([`${email} AB12CD34E`], 'text', shapes()).text, 'jane.doe@example.com [SHAPE]')
  t.match(
    restored([foreign], 'text', shapes()).text,
    /\[SHAPE\]/,
    'one that is nobody\u2019s is text like all other',
  )
  t.end()
})

t.test('private characters of the model stay what they are, however many', (t) => {
  const own = Array.from({ length: 3_000 }, (_, at) => String.fromCharCode(0xf3f0 + (at % 1_100))).join('')
  const text = `${own} ${email} `.repeat(20)
  t.equal(restored([text]).text, `${own} jane.doe@example.com `.repeat(20))
  t.equal(restored([text], 'text', shapes()).text, `${own} jane.doe@example.com `.repeat(20))
  t.end()
})

t.test('what comes back is not looked at again', (t) => {
  originals.set(foreign, `see ${card}`)
  t.equal(restored([foreign]).text, `see ${card}`)
  originals.delete(foreign)
  t.end()
})

t.test('JSON stays JSON', (t) => {
  const written = JSON.stringify({
    to: email,
    who: `\n${quoted}`,
    tab: `\t${card}`,
    md: email.replaceAll('_', '\\_'),
  })
  const { text } = restored([written], 'json')
  t.same(JSON.parse(text), {
    to: 'jane.doe@example.com',
    who: '\nAnn "the\\man"\n',
    tab: '\t4111 1111 1111 1111',
    md: 'jane.doe@example.com',
  })
  t.end()
})

const spelled = fc.constantFrom(
  email,
  card.toLowerCase(),
  email.replaceAll('_', '\\_'),
  `${card.slice(0, 7)}\u200b${card.slice(7)}`,
  foreign,
  email.slice(0, 11),
  `${email}x`,
)
const texts = fc
  .array(
    fc.oneof(
      spelled,
      fc.constantFrom(' ', 'P', 'PI', 'PII_', '.', '\n', 'word', '\\', '\\u0041', '"', '\u{1f600}'),
    ),
    {
      maxLength: 12,
    },
  )
  .map((parts) => parts.join(''))

function cut(text: string, cuts: readonly number[]): string[] {
  const at = [0, ...cuts.map((each) => each % (text.length + 1)).sort((a, b) => a - b), text.length]
  return at.slice(1).map((end, index) => text.slice(at[index], end))
}

for (const kind of ['text', 'json'] as const) {
  t.test(`property: however it is cut, the same comes out; ${kind}`, (t) => {
    fc.assert(
      fc.property(texts, fc.array(fc.nat(200), { maxLength: 12 }), (text, cuts) => {
        const whole = restored([text], kind)
        const pieces = restored(cut(text, cuts), kind)
        const single = restored(
          [...text].flatMap((char) => char.split('')),
          kind,
        )
        return (
          pieces.text === whole.text &&
          single.text === whole.text &&
          single.restored === whole.restored &&
          single.heldMax <= tokenUnitsMax
        )
      }),
      { numRuns: 500 },
    )
    t.pass()
    t.end()
  })
}

const addresses = (kind: 'text' | 'json'): StreamWindow =>
  createRuleSet({
    name: 'addresses',
    direction: 'reply',
    policyOf: ({ entity }) => (entity === 'EMAIL_ADDRESS' ? 'mask' : 'allow'),
  }).open(kind)
const spoken = fc
  .array(
    fc.oneof(spelled, fc.constantFrom(' bob@example.com ', ' and ', 'PII', '. ', '\n', '\u00e9', '"', '\\')),
    {
      maxLength: 10,
    },
  )
  .map((parts) => parts.join(''))

for (const kind of ['text', 'json'] as const) {
  t.test(`property: around a window that masks, too; ${kind}`, (t) => {
    fc.assert(
      fc.property(spoken, fc.array(fc.nat(300), { maxLength: 12 }), (said, cuts) => {
        const text = kind === 'json' ? JSON.stringify({ said, n: [1.5, null] }) : said
        const whole = restored([text], kind, addresses(kind)).text
        if (kind === 'json') JSON.parse(whole)
        return (
          restored(cut(text, cuts), kind, addresses(kind)).text === whole &&
          !whole.includes('bob@example.com')
        )
      }),
      { numRuns: 300 },
    )
    t.pass()
    t.end()
  })
}

t.test('property: no part of a known token leaves', (t) => {
  fc.assert(
    fc.property(fc.nat({ max: email.length - 1 }), (at) => {
      const window = new RehydrationWindow(new InertWindow(), 'text', vault, { restored: 0, unknown: 0 })
      const first = window.push(`to ${email.slice(0, at)}`)
      return first === 'to ' && first + window.push(`${email.slice(at)}.`) === 'to jane.doe@example.com.'
    }),
  )
  t.pass()
  t.end()
})

t.test('what blocks lets nothing out, not even what is held', (t) => {
  const inner = new InertWindow() as { -readonly [Key in keyof StreamWindow]: StreamWindow[Key] }
  const window = new RehydrationWindow(inner, 'text', vault, { restored: 0, unknown: 0 })
  t.equal(window.push(`a ${email.slice(0, 9)}`), 'a ')
  inner.blocked = { entity: 'X', recognizer: 'x', action: 'block', start: 0, end: 1 }
  t.equal(window.push(email.slice(9)), '')
  t.equal(window.flush(), '')
  t.equal(window.held, 0)
  t.end()
})
