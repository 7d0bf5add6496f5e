import fc from 'fast-check'
import t from 'tap'
import { isLeft } from '../../../src/redaction/scoring/remainder.ts'

t.test('a value is left when a piece of 60 % of it is', (t) => {
  t.ok(isLeft('0123456789', 'x0123456789x'))
  t.ok(isLeft('0123456789', 'the last six: 456789'))
  t.ok(isLeft('0123456789', '[X]23456789'))
  t.notOk(isLeft('0123456789', 'the last five: 56789'))
  t.notOk(isLeft('0123456789', '01234 56789'), 'in one piece')
  t.notOk(isLeft('0123456789', '[CREDIT_CARD]'))
  t.ok(isLeft('a', 'a'))
  t.end()
})

t.test('property: the longest piece that is left decides', (t) => {
  // Letters that occur once each, so that a piece can be nowhere by chance; 60 % of them are 15.6.
  const letters = 'abcdefghijklmnopqrstuvwxyz'
  const place = fc.nat(letters.length)
  const isRight = (a: number, b: number): boolean => {
    const [from, to] = [Math.min(a, b), Math.max(a, b)]
    const longest = Math.max(from, letters.length - to)
    return isLeft(letters, `${letters.slice(0, from)}#${letters.slice(to)}`) === longest >= 16
  }
  t.doesNotThrow(() => fc.assert(fc.property(place, place, isRight)))
  t.end()
})
