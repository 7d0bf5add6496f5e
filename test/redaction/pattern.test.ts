import t from 'tap'
import { parseClass, parsePattern, patternLength } from '../../src/redaction/pattern.ts'

t.test('a pattern knows its shortest and longest match', async (t) => {
  for (const [pattern, min, max] of [
    ['abc', 3, 3],
    ['a|bcd', 1, 3],
    ['(ab)?c', 1, 3],
    ['a{2,5}[0-9]{3}', 5, 8],
    ['x?\\d+', 1, Number.POSITIVE_INFINITY],
    ['[a-c\\d_\\-]*', 0, Number.POSITIVE_INFINITY],
    ['', 0, 0],
    ['(a(b(c)?)?)?', 0, 3],
  ] as const) {
    t.strictSame(patternLength(parsePattern(pattern)), { min, max }, pattern)
  }
})

t.test('what is outside the subset is refused with its reason and place', async (t) => {
  for (const [pattern, reason] of [
    ['a.b', /"\." has no meaning here.*at 1/],
    ['^a', /"\^" has no meaning/],
    ['a$', /"\$" has no meaning/],
    ['(ab)+', /only a single character or class may be counted/],
    ['(ab){2}', /only a single character or class/],
    ['(a', /a group is not closed/],
    ['a)', /closed that was not opened/],
    ['[a', /a class is not closed/],
    ['[]', /a class is empty/],
    ['[^a]', /cannot be negated/],
    ['[z-a]', /runs backwards/],
    ['[\\d-z]', /a range needs single characters/],
    ['a{3,2}', /a count must rise/],
    ['a{0}', /a count must rise/],
    ['a{1,9999}', /stay within 512/],
    ['a{99999}', /a small number/],
    ['a{,3}', /a small number/],
    ['a{3', /a count is not closed/],
    ['a**', /"\*" has no meaning/],
    ['a+?', /"\?" has no meaning/],
    ['\\b', /"\\b" is not in the subset/],
    ['(a)\\1', /"\\1" is not in the subset/],
    ['(?=a)', /"\?" has no meaning/],
    ['\u4e00', /above U\+052F/],
    ['('.repeat(70) + ')'.repeat(70), /nested more than 64 deep/],
    ['a'.repeat(5000), /4096 characters/],
  ] as const) {
    t.throws(() => parsePattern(pattern), reason, pattern.slice(0, 40))
  }
})

t.test('classes hold what they list', async (t) => {
  const members = (source: string) =>
    [...parseClass(source).entries()]
      .filter(([, member]) => member === 1)
      .map(([unit]) => String.fromCharCode(unit))
  t.strictSame(members('a-c_\\-').join(''), '-_abc')
  t.strictSame(members('\\d').join(''), '0123456789')
  t.strictSame(members('a-'), ['-', 'a'])
  t.equal(members('\\w').length, 63)
  t.throws(() => parseClass(''), /empty/)
})

t.test('a class that was read before has to be closed all the same', async (t) => {
  t.doesNotThrow(() => parsePattern('[0-9a-f]'))
  t.throws(() => parsePattern('[0-9a-f'), /a class is not closed/)
  t.throws(() => parsePattern('x[0-9a-f'), /a class is not closed/)
})
