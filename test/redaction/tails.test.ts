import t from 'tap'
import { applyProfile } from '../../src/redaction/automaton.ts'
import { assemble } from '../../src/redaction/compiler/assemble.ts'
import { compile } from '../../src/redaction/compiler/compile.ts'
import type { Action } from '../../src/redaction/finding.ts'
import { placeholders } from '../../src/redaction/mask.ts'
import type { Recognizer, Rule } from '../../src/redaction/recognizer.ts'
import { TextWindow } from '../../src/redaction/stream-window.ts'
import { type Match, Tails } from '../../src/redaction/tails.ts'

const recognizer = (entity: string, ...rules: readonly Rule[]): Recognizer => ({
  id: entity.toLowerCase(),
  entity,
  category: 'secret',
  tier: 1,
  family: 'text',
  rules,
  examples: { match: [], miss: [] },
})

const automatonOf = (...recognizers: readonly Recognizer[]) =>
  assemble([compile('text', recognizers)], recognizers)

function windowOf(recognizers: readonly Recognizer[], actions: Record<string, Action> = {}): TextWindow {
  const policyOf = ({ entity }: Recognizer): Action => actions[entity] ?? 'mask'
  const options = { direction: 'reply', policyOf, scoreMin: 0.5, allowed: new Set<string>() } as const
  return new TextWindow(applyProfile(automatonOf(...recognizers), options), placeholders)
}

const opening: Rule = {
  pattern: '<<',
  lengthMax: 2,
  sure: { kind: 'block', members: 'a-z', runMin: 3, gapMax: 4 },
}

t.test('a block ends where no run follows, and never within a surrogate pair', async (t) => {
  const screen = (text: string): string => {
    const window = windowOf([recognizer('B', opening, { pattern: '>>', lengthMax: 2, closes: true })])
    return window.push(text) + window.flush()
  }
  t.equal(screen('x <<abc1abc>> y'), 'x [B] y')
  t.equal(screen('<<abc1234567'), '[B]567')
  t.equal(screen('<<abc123\u{1f600}5'), '[B]5')
  t.equal(screen('<<ab12ab34'), '[B]ab34', 'short runs do not count')
  t.equal(screen('>> <<abc>>'), '>> [B]')
})

t.test('tails of one rule are one tail', async (t) => {
  const tails = new Tails(automatonOf(recognizer('B', opening)))
  const first: Match = { rule: 0, start: 0, end: 2, decided: 2, open: true }
  t.equal(tails.begin(first), first)
  for (let start = 2; start < 200; start += 2) {
    tails.advance(60, start)
    t.equal(tails.begin({ rule: 0, start, end: start + 2, decided: start + 2, open: true }), first)
  }
  t.equal(tails.size, 1)
  t.equal(first.end, 200)
  tails.endAll()
  t.strictSame([tails.size, first.open], [0, false])
})

t.test(
  'of two rules with the same match the first gives the label, even if it is decided later',
  async (t) => {
    const waiting: Rule = { pattern: 'abc', lengthMax: 3, right: { notPair: { near: '.', far: '0-9' } } }
    const plain: Rule = { pattern: 'ab[c-d]', lengthMax: 3 }
    for (const [text, masked] of [
      ['abc. ', '[FIRST]. '],
      ['abc.5', '[SECOND].5'],
      ['abd.5', '[SECOND].5'],
    ] as const) {
      const window = windowOf([recognizer('FIRST', waiting), recognizer('SECOND', plain)])
      t.equal(
        text
          .split('')
          .map((char) => window.push(char))
          .join('') + window.flush(),
        masked,
      )
    }
  },
)

t.test('a match that blocks does so, whatever else matches there', async (t) => {
  const rules = [
    recognizer('LONG', { pattern: 'abc', lengthMax: 3 }),
    recognizer('BLOCKING', { pattern: 'ab[c-d]', lengthMax: 3 }),
  ]
  const window = windowOf(rules, { BLOCKING: 'block' })
  t.equal(window.push('abc ') + window.flush(), '')
  t.strictSame(window.blocked, {
    entity: 'BLOCKING',
    recognizer: 'blocking',
    action: 'block',
    start: 0,
    end: 3,
  })
})

t.test('what is only counted hides nothing, and changes nothing', async (t) => {
  const rules = [
    recognizer('LONG', { pattern: 'abc', lengthMax: 3 }),
    recognizer('SHORT', { pattern: 'ab', lengthMax: 2 }),
    recognizer('OPEN', opening),
  ]
  const window = windowOf(rules, { LONG: 'shadow', OPEN: 'shadow' })
  t.equal(window.push('abc <<abc') + window.flush(), '[SHORT]c <<[SHORT]c')
  t.strictSame(window.tallies.map(({ entity, action, count }) => [entity, action, count]).sort(), [
    ['LONG', 'shadow', 2],
    ['OPEN', 'shadow', 1],
    ['SHORT', 'mask', 2],
  ])
})
