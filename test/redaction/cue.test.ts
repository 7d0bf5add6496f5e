import t from 'tap'
import { hasCue, wordsBefore } from '../../src/redaction/cue.ts'

t.test('words come nearest first, names of programs in their parts', async (t) => {
  const text = 'the phoneNumber, user_id and IBAN: 1'
  t.strictSame(wordsBefore(text, text.length - 1, 10), [
    'iban',
    'and',
    'id',
    'user',
    'number',
    'phone',
    'the',
  ])
  t.strictSame(wordsBefore(text, text.length - 1, 2), ['iban', 'and'])
  t.strictSame(wordsBefore('', 0, 3), [])
})

t.test('a word that the look-back cuts is none', async (t) => {
  const word = 'x'.repeat(91)
  t.strictSame(wordsBefore(`phone ${word} `, 98, 3), [word])
  t.strictSame(wordsBefore(`phone ${word}x `, 99, 3), [`${word}x`])
  t.strictSame(wordsBefore('x'.repeat(120), 120, 3), [])
  t.strictSame(wordsBefore(`phone ${'-'.repeat(80)}`, 86, 3), ['phone'])
})

t.test('a stop ends the search for a cue', async (t) => {
  const cues = new Set(['phone'])
  const stops = new Set(['order'])
  const found = (text: string, count = 4) => hasCue(text, text.length, { cues, count, stops })
  t.equal(found('order, phone: '), true)
  t.equal(found('phone order: '), false)
  t.equal(found('phone is on the desk of '), false)
  t.equal(found('phone is on the desk of ', 6), true)
})
