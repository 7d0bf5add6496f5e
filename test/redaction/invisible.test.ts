import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { recognizers } from '../../src/redaction/catalog.ts'
import { invisibleUnitsMax, isInvisible, visible } from '../../src/redaction/invisible.ts'
import { createRuleSet } from '../../src/redaction/rule-set.ts'
import type { TextWindow } from '../../src/redaction/stream-window.ts'
import { cut, cuts, gluedText, holds } from './texts.ts'

const rules = createRuleSet({ name: 'test', direction: 'reply', actions: {}, default: 'mask' })
const characters = [...'\u00ad\u200b\u200c\u200d\u2060\ufeff']
const unseen = '\u200b'

t.test('a value with invisible characters in it is masked whole', async (t) => {
  for (const char of characters) {
    t.ok(isInvisible(char.charCodeAt(0)))
    for (const { entity, examples } of recognizers) {
      for (const value of examples.match.filter((value) => value.length < 60)) {
        const middle = Math.floor(value.length / 2)
        const text = `is ${value.slice(0, middle)}${char}${value.slice(middle)} now`
        t.equal(rules.screen(text).text, `is [${entity}] now`, text)
      }
    }
  }
  const spread = '4111111111111111'.split('').join(unseen)
  t.equal(
    rules.screen(`card ${spread}, mail ada\u200b@exam\u00adple.com`).text,
    'card [CREDIT_CARD], mail [EMAIL_ADDRESS]',
  )
})

t.test('they are left alone beside values and in other text', async (t) => {
  for (const [text, masked] of [
    [`${unseen}ada@example.com${unseen}, x`, `${unseen}[EMAIL_ADDRESS]${unseen}, x`],
    [`4111111111111111${unseen}`, `[CREDIT_CARD]${unseen}`],
    [
      '<\u200b|im_end|> \u{1f468}\u200d\u{1f469}\u200d\u{1f467} \u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645',
      undefined,
    ],
    [unseen.repeat(500), undefined],
    [`a${unseen.repeat(500)}b`, undefined],
  ] as const)
    t.equal(rules.screen(text).text, masked ?? text)
})

t.test('a value that is followed by any number of them is still masked', async (t) => {
  for (const value of ['ada@example.com', '4111111111111111', '123-45-6789', '8.8.8.8.'])
    t.notMatch(rules.screen(`${value}${unseen.repeat(1000)} x`).text, value.slice(0, 7))
})

const sprinkled = fc
  .tuple(gluedText, fc.array(fc.tuple(fc.nat(700), fc.constantFrom(...characters)), { maxLength: 8 }))
  .map(([text, places]) =>
    places.reduce((text, [at, char]) => text.slice(0, at) + char + text.slice(at), text),
  )

t.test(
  'however a text with them is cut: the same output; seen, it is that of the text without them',
  async (t) => {
    holds(
      t,
      fc.property(sprinkled, cuts, (text, places) => {
        const whole = rules.screen(text)
        const window = rules.open('text')
        const left =
          cut(text, places)
            .map((chunk) => window.push(chunk))
            .join('') + window.flush()
        assert.equal(left, whole.text)
        assert.deepEqual(window.findings, whole.findings)
        assert.equal(visible(left), rules.screen(visible(text)).text)
      }),
      400,
    )
  },
)

t.test('held text and work stay bounded', async (t) => {
  for (const piece of [
    unseen,
    `a${unseen}`,
    `1${unseen}`,
    `eyJ${unseen}`,
    `a@a.com${unseen.repeat(70)}`,
    `sk-${unseen}`,
  ]) {
    const window = rules.open('text') as TextWindow
    for (const char of piece.repeat(Math.ceil(4000 / piece.length))) {
      window.push(char)
      assert.ok(window.held <= rules.heldTextMax, piece)
    }
    t.ok(window.steps <= 4000 * 11, piece)
  }
  const window = rules.open('text')
  let left = window.push('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')
  for (let index = 0; index < 3 * invisibleUnitsMax; index++) left += window.push(unseen)
  t.equal(left, '[GITHUB_TOKEN]')
  t.equal(window.held, 0)
})
