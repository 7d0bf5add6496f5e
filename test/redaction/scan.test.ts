import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { recognizers } from '../../src/redaction/catalog.ts'
import type { Action, RuleSet, Screening, StreamWindow } from '../../src/redaction/finding.ts'
import { createRuleSet, entities } from '../../src/redaction/rule-set.ts'
import type { TextWindow } from '../../src/redaction/stream-window.ts'
import { createOracle } from './oracle.ts'
import { cut, cuts, gluedText, holds, texts } from './texts.ts'

/** Every recognizer, the guesses included. */
const masking = (actions: Record<string, Action> = {}, otherwise: Action = 'mask'): RuleSet =>
  createRuleSet({
    name: 'test',
    direction: 'prompt',
    policyOf: ({ entity }) => actions[entity] ?? otherwise,
  })
const everything = masking()
const oracle = createOracle(recognizers)

const placed = ({ text, findings, blocked }: Screening) => ({ text, findings, blocked })

const joined = (window: StreamWindow, chunks: readonly string[]): string =>
  chunks.map((chunk) => window.push(chunk)).join('') + window.flush()

function stepsOf(text: string): { steps: number; held: number } {
  const window = everything.open('text') as TextWindow
  let held = 0
  for (let at = 0; at < text.length; at += 4) {
    window.push(text.slice(at, at + 4))
    held = Math.max(held, window.held)
  }
  window.flush()
  return { steps: window.steps, held }
}

t.test('the scanner finds what the oracle finds, on every text of the corpus', async (t) => {
  // The oracle tries every rule at every place, so it gets a part of the texts; examples.test.ts has them all.
  for (const text of texts.filter((_, index) => index % 16 === 0))
    t.strictSame(placed(everything.screen(text)), { ...oracle(text), blocked: undefined }, text)
})

t.test('the scanner finds what the oracle finds, on glued texts', async (t) => {
  holds(
    t,
    fc.property(gluedText, (text) => {
      assert.deepEqual(placed(everything.screen(text)), { ...oracle(text), blocked: undefined })
    }),
    30,
  )
})

t.test('invariant 1: all cuts in two, and single characters, give the text of one shot', async (t) => {
  for (const text of texts.filter((_, index) => index % 6 === 0)) {
    const whole = everything.screen(text)
    const different = Array.from({ length: text.length + 1 }, (_, at) => {
      const window = everything.open('text')
      const same = joined(window, [text.slice(0, at), text.slice(at)]) === whole.text
      return same && window.findings.length === whole.findings.length ? undefined : at
    }).filter((at) => at !== undefined)
    t.strictSame(different, [], text)
    t.equal(joined(everything.open('text'), text.split('')), whole.text)
  }
})

t.test('invariant 1: random cuts give the text and the findings of one shot', async (t) => {
  holds(
    t,
    fc.property(gluedText, cuts, (text, places) => {
      const window = everything.open('text')
      const whole = everything.screen(text)
      assert.equal(joined(window, cut(text, places)), whole.text)
      assert.deepEqual(window.findings, whole.findings)
    }),
    400,
  )
})

t.test('invariant 2: what no rule can continue leaves at once', async (t) => {
  holds(
    t,
    fc.property(gluedText, (text) => {
      const window = everything.open('text')
      window.push(text)
      // Two characters that stand in no rule end every thread and every right edge.
      window.push('\u2603\u2603')
      assert.equal(window.held, 0)
    }),
    300,
  )
})

t.test('invariant 2: only the beginning of what can become a value is held', async (t) => {
  const held = (text: string): string => {
    const window = everything.open('text')
    const left = window.push(text)
    t.equal(window.held, text.length - left.length)
    return text.slice(left.length)
  }
  t.equal(held('hello, world. '), '')
  t.equal(held('hello, wor'), 'wor')
  t.equal(held('2 + 2 = 4, that was, '), '')
  t.equal(held('card: 4111 1111 11'), '4111 1111 11')
  t.equal(held('\u2603 x < 10; '), '')
  t.equal(held('a,b;c(d)e, '), '')
  t.equal(held('see sk-lo'), 'sk-lo')
  t.equal(held('\u65e5\u672c'), '')
})

t.test('invariant 3: what has left is always a prefix of the masked text', async (t) => {
  holds(
    t,
    fc.property(gluedText, (text) => {
      const window = everything.open('text')
      const whole = everything.screen(text).text
      let left = ''
      for (let at = 0; at < text.length; at += 3) {
        left += window.push(text.slice(at, at + 3))
        assert.ok(whole.startsWith(left))
      }
      assert.equal(left + window.flush(), whole)
    }),
    200,
  )
})

/** Texts that keep as many threads alive, or as much text held, as their authors could think of. */
const hostile: readonly string[] = [
  'a',
  'a.',
  'a-',
  '1',
  '4',
  '4111 ',
  '4111-',
  '4111.1111 ',
  '+1 (',
  '+1 ',
  'a@',
  'a@a.',
  'a@b.cc.',
  '@',
  '.',
  '1.2.3.',
  '10.',
  'eyJ',
  'eyJ-',
  'eyJ_',
  'eyJhbGciOi-',
  'sk-eyJ-',
  'AB12-',
  'a@1.1.1.1-',
  '+1 1 1 1 1 1 1 1 1 1 1 ',
  'eyJhbGciOi.',
  '-eyJ',
  'eyJhbGciOiJIUzI1NiJ9.',
  '-----BEGIN ',
  '-----BEGIN PRIVATE KEY-----',
  '-----BEGIN PRIVATE KEY-----\n-----END ',
  '-',
  'GB82',
  'GB82 WEST ',
  'AKIA',
  'ghp_',
  'sk-proj-',
  'sk-ant-api03-',
  '001-518-',
  '123-45-',
  '\\n',
  '\ud83d',
]

t.test('invariant 4: held text and work are bounded on hostile text', async (t) => {
  for (const piece of hostile) {
    const once = stepsOf(piece.repeat(Math.ceil(4000 / piece.length)))
    const twice = stepsOf(piece.repeat(Math.ceil(8000 / piece.length)))
    t.ok(twice.held <= everything.heldTextMax, `${piece}: held ${twice.held}`)
    t.ok(once.steps <= 4000 * 30, `${piece}: ${once.steps} steps for 4000 code units`)
    t.ok(twice.steps <= 2.1 * once.steps + 1000, `${piece}: ${once.steps} steps grow to ${twice.steps}`)
  }
})

t.test('invariant 4: held text is bounded on glued text', async (t) => {
  holds(
    t,
    fc.property(
      fc.array(fc.constantFrom(...hostile), { minLength: 1, maxLength: 5 }),
      fc.nat(60),
      (pieces, times) => {
        assert.ok(stepsOf(pieces.join('').repeat(times)).held <= everything.heldTextMax)
      },
    ),
    100,
  )
})

t.test('invariant 5: values of any length are masked whole, without being held', async (t) => {
  const random = 'aB3dE5fG7hI9jK1lM3nO'.repeat(500)
  const header = Buffer.from('{"alg":"RS256","typ":"JWT"}').toString('base64url')
  const key = `-----BEGIN RSA PRIVATE KEY-----\n${`${random.slice(0, 64)}\n`.repeat(400)}-----END RSA PRIVATE KEY-----`
  for (const [value, entity] of [
    [`sk-proj-${random}`, 'OPENAI_API_KEY'],
    [`ghp_${random}`, 'GITHUB_TOKEN'],
    [`${header}.${random}.${random}`, 'JSON_WEB_TOKEN'],
    [
      `${Buffer.from(`{"kid":"${random}","alg":"RS256"}`).toString('base64url')}.${random}.${random}`,
      'JSON_WEB_TOKEN',
    ],
    [key, 'PRIVATE_KEY'],
  ] as const) {
    const text = `before ${value} after`
    t.equal(everything.screen(text).text, `before [${entity}] after`)
    t.ok(stepsOf(text).held <= 330)
    const window = everything.open('text')
    t.equal(
      window.push(text.slice(0, -6)),
      `before [${entity}]`,
      'the placeholder leaves before the value ends',
    )
  }
})

t.test('invariant 5: a key that never ends is swallowed to the end of the channel', async (t) => {
  const window = everything.open('text')
  t.equal(window.push('x -----BEGIN PRIVATE KEY-----\n'), 'x [PRIVATE_KEY]')
  for (let line = 0; line < 50; line++) t.equal(window.push(`${'MIIEvQIBADANBgkqhkiG9w0B'.repeat(3)}\n`), '')
  t.equal(window.held, 0)
  t.equal(window.flush(), '')
  t.equal(window.findings.length, 1)
})

t.test('invariant 5: a BEGIN line that is only talked about hides a bounded piece of prose', async (t) => {
  const prose = 'then comes the body in base64, and so on, as all of us know. '.repeat(30)
  const { text } = everything.screen(`The file starts with -----BEGIN PRIVATE KEY----- and ${prose}`)
  t.ok(text.startsWith('The file starts with [PRIVATE_KEY]'))
  t.ok(text.length > prose.length - 400 - 40)
})

t.test('a local part that is too long for an address loses its last 64 characters', async (t) => {
  const { text } = everything.screen(`${'a'.repeat(300)}@example.com`)
  t.equal(text, `${'a'.repeat(236)}[EMAIL_ADDRESS]`)
  t.equal(everything.screen(`x@${'a'.repeat(600)}.com`).findings.length, 0)
})

t.test('a joiner is swallowed only if the tail goes on behind it', async (t) => {
  const rules = masking({ JSON_WEB_TOKEN: 'mask' }, 'allow')
  const window = rules.open('text')
  t.equal(window.push('eyJhbGciOiJIUzI1NiJ9.e30'), '[JSON_WEB_TOKEN]')
  t.equal(window.push('.'), '')
  t.equal(window.push('c2ln'), '')
  t.equal(window.push('.'), '')
  t.equal(window.push(' Next'), '. Next')
})

t.test('matches that overlap become one mask with the label of the leftmost', async (t) => {
  t.equal(everything.screen('sk-0123456789abcdef0123456789abcdef@example.com').text, '[EMAIL_ADDRESS]')
  t.equal(everything.screen('4111111111111111@example.com').text, '[EMAIL_ADDRESS]')
  t.equal(everything.screen('a@b.example/4111111111111111').text, '[EMAIL_ADDRESS]/[CREDIT_CARD]')
})

t.test('invariant 6: an allowed entity hides nothing of another', async (t) => {
  const rules = masking({ EMAIL_ADDRESS: 'allow', PHONE_NUMBER: 'allow' })
  t.equal(rules.screen('4111111111111111@example.com').text, '[CREDIT_CARD]@example.com')
  const cards = masking({ CREDIT_CARD: 'mask' }, 'allow')
  t.equal(cards.open('text').push('ada.lovelace@'), 'ada.lovelace@', 'and holds nothing')
  holds(
    t,
    fc.property(gluedText, fc.subarray([...entities]), cuts, (text, allowed, places) => {
      const actions = Object.fromEntries(allowed.map((entity) => [entity, 'allow' as const]))
      const expected = oracle(text, (entity) => actions[entity] ?? 'mask')
      assert.equal(joined(masking(actions).open('text'), cut(text, places)), expected.text)
    }),
    20,
  )
})

t.test('invariant 7: surrogate pairs are never cut', async (t) => {
  holds(
    t,
    fc.property(gluedText, cuts, (text, places) => {
      const window = everything.open('text')
      const pieces = [...cut(text.toWellFormed(), places).map((chunk) => window.push(chunk)), window.flush()]
      assert.ok(pieces.every((piece) => piece.isWellFormed()))
    }),
    200,
  )
})

t.test('invariant 8: after a blocking match nothing leaves', async (t) => {
  const rules = masking({ US_SSN: 'block' })
  const window = rules.open('text')
  t.equal(window.push('ssn 123-45-67'), 'ssn ')
  t.equal(window.blocked, undefined)
  t.equal(window.push('89'), '')
  t.equal(window.blocked, undefined, 'one more digit would make it something else')
  t.equal(window.push(' and more'), '')
  t.strictSame(window.blocked, { entity: 'US_SSN', recognizer: 'us-ssn', action: 'block', start: 4, end: 15 })
  t.equal(window.push('more'), '')
  t.equal(window.flush(), '')
  holds(
    t,
    fc.property(gluedText, cuts, fc.constantFrom(...entities), (text, places, entity) => {
      const blocking = masking({ [entity]: 'block' })
      const window = blocking.open('text')
      const before = cut(text, places).map(
        (chunk) => [window.push(chunk), window.blocked !== undefined] as const,
      )
      window.flush()
      assert.deepEqual(window.blocked, blocking.screen(text).blocked)
      assert.ok(before.every(([left, blocked]) => !blocked || left === ''))
      const found = oracle(text, (other) => (other === entity ? 'mask' : 'allow')).findings.length > 0
      assert.equal(window.blocked !== undefined, found)
    }),
    40,
  )
})
