import t from 'tap'
import { applyActions } from '../../src/redaction/automaton.ts'
import { compile } from '../../src/redaction/compiler/compile.ts'
import type { Action } from '../../src/redaction/finding.ts'
import type { Recognizer, Rule } from '../../src/redaction/recognizer.ts'
import { TextWindow } from '../../src/redaction/stream-window.ts'
import { type Match, Tails } from '../../src/redaction/tails.ts'

const recognizer = (entity: string, ...rules: readonly Rule[]): Recognizer => ({
  entity,
  rules,
  examples: { match: [], miss: [] },
})

function windowOf(recognizers: readonly Recognizer[], actions: Record<string, Action> = {}): TextWindow {
  return new TextWindow(applyActions(compile(recognizers), (entity) => actions[entity] ?? 'mask'))
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
  const tails = new Tails(compile([recognizer('B', opening)]))
  const first: Match = { rule: 0, start: 0, end: 2, open: true }
  t.equal(tails.begin(first), first)
  for (let start = 2; start < 200; start += 2) {
    tails.advance(0, 60, start)
    t.equal(tails.begin({ rule: 0, start, end: start + 2, open: true }), first)
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
  t.strictSame(window.blocked, { entity: 'BLOCKING', action: 'block', start: 0, end: 3 })
})
