// Invariant 1 of the scanner on every text of the corpora: however it is cut, the output is that of one shot. The cuts of
// one text are random ones or of one size in turn; `npm run bench:redaction -- --splits` makes all of them.
import assert from 'node:assert/strict'
import t from 'tap'
import type { RuleSet } from '../../src/redaction/finding.ts'
import { createRuleSet } from '../../src/redaction/rule-set.ts'
import { families, readCorpus } from './corpus.ts'

/** Every recognizer, guesses and names included. */
const rules: RuleSet = createRuleSet({ name: 'test', direction: 'reply', policyOf: () => 'mask' })

/** The same numbers in every run. */
function* numbers(seed: number): Generator<number> {
  for (let state = seed; ; ) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    yield state / 2 ** 32
  }
}

function inPieces(text: string, sizeOf: () => number): string {
  const window = rules.open('text')
  let left = ''
  for (let at = 0; at < text.length; ) {
    const to = at + sizeOf()
    left += window.push(text.slice(at, to))
    at = to
  }
  return left + window.flush()
}

function inTwo(text: string, at: number): string {
  const window = rules.open('text')
  return window.push(text.slice(0, at)) + window.push(text.slice(at)) + window.flush()
}

/** Every single cut of one text in so many. */
const everyCutStep = 60
const everyCutUnitsMax = 300

for (const family of families) {
  t.test(family, async (t) => {
    const random = numbers(family.length)
    const texts = (['dev', 'held-out'] as const)
      .flatMap((part) => readCorpus(part, family))
      .map(({ text }) => text)
    for (const [index, text] of texts.entries()) {
      const whole = rules.screen(text).text
      const sizes = [() => 1, () => 4, () => 1 + Math.floor((random.next().value as number) * 9)]
      assert.equal(inPieces(text, sizes[index % sizes.length] as () => number), whole)
      if (index % everyCutStep !== 0) continue
      for (let at = 1; at < Math.min(text.length, everyCutUnitsMax); at++)
        assert.equal(inTwo(text, at), whole)
    }
    t.ok(texts.length > 0, `${texts.length} texts`)
  })
}
