import fc from 'fast-check'
import t from 'tap'
import { jsonText, plain } from '../../src/commands/plain-text.ts'
import { parseKey } from '../../src/commands/quota/bucket-key.ts'
import { durationOption } from '../../src/commands/quota/duration-option.ts'
import { changesOf } from '../../src/commands/quota/rule.ts'
import { duration, instant, short } from '../../src/commands/quota/units.ts'
import { cut, table, widthOf } from '../../src/commands/table.ts'
import { encode } from '../../src/policy/bucket-key.ts'

const anyText = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }))
const control = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u

t.test('plain text: no character of it means anything to a terminal', (t) => {
  fc.assert(fc.property(anyText, (text) => !control.test(plain(text))))
  t.equal(plain('a\u001b[31m\n\u202e\ud800é漢'), 'a\\u001b[31m\\u000a\\u202e\ufffdé漢')
  t.end()
})

t.test('JSON: nothing for the terminal, and it reads back the same', (t) => {
  fc.assert(
    fc.property(fc.jsonValue(), anyText, (value, text) => {
      const whole = { value, [text]: text }
      const shown = jsonText(whole)
      const same = JSON.stringify(JSON.parse(shown)) === JSON.stringify(whole)
      return same && !/[^\n\P{Cc}]|[\p{Cf}\p{Zl}\p{Zp}]/u.test(shown)
    }),
  )
  t.match(jsonText('\u{e0041}'), '\\udb40\\udc41')
  t.end()
})

t.test('a text that is cut is never wider than it may be', (t) => {
  fc.assert(
    fc.property(
      anyText,
      fc.integer({ min: 0, max: 40 }),
      (text, columns) => widthOf(cut(text, columns)) <= columns,
    ),
  )
  t.equal(cut('漢字漢字', 5), '漢字…')
  t.equal(cut('short', 5), 'short')
  t.equal(
    table(
      [{ title: 'A' }, { title: 'N', align: 'right' }],
      [
        ['漢', '1'],
        ['xyz', '22'],
      ],
    ),
    'A     N\n漢    1\nxyz  22\n',
  )
  t.end()
})

t.test('times for people', (t) => {
  const times: readonly (readonly [number, string])[] = [
    [0, '0 s'],
    [1, '0.1 s'],
    [2_400, '2.4 s'],
    [9_999, '10 s'],
    [59_001, '1 min'],
    [185_000, '3 min 5 s'],
    [3_600_000, '1 h'],
    [3_605_000, '1 h'],
    [100_800_000, '1 d 4 h'],
    [2_678_400_000, '31 d'],
  ]
  for (const [ms, text] of times) t.equal(duration(ms), text)
  t.equal(instant('2026-08-01T12:03:04.567+02:00'), '2026-08-01 10:03:04 UTC')
  t.equal(instant('soon'), 'soon')
  t.end()
})

t.test('short figures are never more than there is', (t) => {
  const figures: readonly (readonly [number, string])[] = [
    [0, '0'],
    [999, '999'],
    [1_234, '1.2k'],
    [9_999, '9.9k'],
    [99_999, '99k'],
    [999_999, '999k'],
    [1_000_000, '1M'],
    [9e12, '9T'],
    [-20_000, '-20k'],
    [0.125, '0.13'],
  ]
  for (const [value, text] of figures) t.equal(short(value), text)
  t.end()
})

t.test('times of overrides: bounds and units', (t) => {
  const good: Readonly<Record<string, number>> = {
    '10s': 10,
    '45m': 2_700,
    '2h': 7_200,
    '1d12h': 129_600,
    '4w': 2_419_200,
    '31d': 2_678_400,
  }
  for (const [text, seconds] of Object.entries(good)) t.equal(durationOption(text), seconds)
  for (const text of ['', '5', 'h', '-2h', '2 h', '2H', '1.5h', '9s', '31d1s', '5w', '99999999s', '1h\n'])
    t.throws(() => durationOption(text), /A time is such as/, JSON.stringify(text))
  t.end()
})

t.test('a key of a bucket comes apart as it was put together', (t) => {
  fc.assert(
    fc.property(anyText, anyText, (tenant, model) => {
      const key = `tokens|total_tokens/minute|model=${encode(model)},tenant=${encode(tenant)}`
      const { name, counts, per, dimensions } = parseKey(key)
      const values = [model.toWellFormed(), tenant.toWellFormed()]
      return (
        name === 'tokens' &&
        counts === 'total_tokens' &&
        per === 'minute' &&
        JSON.stringify(dimensions.map(([, value]) => value)) === JSON.stringify(values)
      )
    }),
  )
  t.same(parseKey('in|in_flight|'), { name: 'in', counts: 'in_flight', per: '', dimensions: [] })
  t.same(parseKey('x|y|tenant=%zz').dimensions, [['tenant', '%zz']])
  t.same(parseKey('').dimensions, [])
  t.end()
})

t.test('a rule is the same as itself, and a change is seen from both sides', (t) => {
  const rule = fc.record({
    counts: fc.constantFrom('requests', 'total_tokens'),
    per: fc.constantFrom('second', 'minute', 'day'),
    amount: fc.integer({ min: 1, max: 1_000 }),
    by: fc.subarray(['tenant', 'model', 'role']),
    where: fc.option(fc.record({ tenants: fc.array(fc.string(), { maxLength: 3 }) }), { nil: undefined }),
  })
  fc.assert(
    fc.property(rule, rule, (one, other) => {
      const mirrored = { ...one, by: one.by.toReversed(), mode: 'enforce', timeZone: 'UTC' }
      const there = changesOf(one, other).map(({ field }) => field)
      const back = changesOf(other, one).map(({ field }) => field)
      return changesOf(one, mirrored).length === 0 && there.toSorted().join() === back.toSorted().join()
    }),
  )
  t.pass('no counterexample')
  t.end()
})
