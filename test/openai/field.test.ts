import t from 'tap'
import type { Json } from '../../src/openai/call.ts'
import {
  array,
  boolean,
  byType,
  dropped,
  type Fields,
  identifier,
  integer,
  jsonText,
  nullable,
  number,
  object,
  oneOf,
  rebuild,
  refused,
  tagged,
  text,
} from '../../src/openai/field.ts'
import { Walk } from '../../src/openai/walk.ts'
import { verdictOf } from '../support/request-body.ts'

const fields: Fields = {
  count: integer(1, 5),
  ratio: number(-1, 1),
  flag: boolean,
  mode: oneOf('a', 'b'),
  id: identifier(/^[a-z]{1,3}$/),
  note: text({ lengthMin: 1, lengthMax: 4 }),
  notes: array(text(), { lengthMin: 1, lengthMax: 2 }),
  either: byType({ string: text(), array: array(text(), { lengthMax: 2 }) }),
  inner: object({ deep: array(object({ leaf: text() }, ['leaf']), { lengthMax: 3 }) }),
  shape: tagged('type', { round: object({ type: oneOf('round'), radius: number(0, 9) }, ['radius']) }),
  args: jsonText({ depthMax: 3 }),
  maybe: nullable(text()),
  who: dropped,
  danger: refused('unsupported_parameter', [false, 1]),
}

function walk(value: { [key: string]: Json }, unknownFields: 'refuse' | 'drop' = 'refuse') {
  const state = new Walk({ unknownFields, controlTokens: 'escape' })
  const fresh = rebuild(value, fields, state, { required: [] })
  return { fresh, texts: state.texts, dropped: state.dropped }
}

const verdict = (value: { [key: string]: Json }, unknownFields: 'refuse' | 'drop' = 'refuse'): string =>
  verdictOf(() => walk(value, unknownFields))

t.test('each kind takes its values and names the place of others', (t) => {
  const cases: [good: Json[], bad: Json[], name: string][] = [
    [[1, 5, 2.0], [0, 6, 1.5, '1', true, [1]], 'count'],
    [[-1, 0.5, 1], [1.1, '0', [], {}], 'ratio'],
    [[true, false], [0, 1, 'true', {}], 'flag'],
    [['a', 'b'], ['c', 'A', '', 1, ['a']], 'mode'],
    [['abc'], ['abcd', 'A', '', 7], 'id'],
    [['x', 'xxxx'], ['', 'xxxxx', 5], 'note'],
    [[['x'], ['x', 'y']], [[], ['x', 'y', 'z'], 'x', { 0: 'x' }], 'notes'],
    [['x', ['x']], [1, {}, true], 'either'],
    [[{ type: 'round', radius: 3 }], ['round', []], 'shape'],
    [['{"a":[{"b":1}]}', 'not json', ''], ['[[[[]]]]', '[[[["', {}], 'args'],
  ]
  for (const [good, bad, name] of cases) {
    for (const value of good)
      t.same(walk({ [name]: value }).fresh, { [name]: value }, `${name} takes ${JSON.stringify(value)}`)
    for (const value of bad)
      t.equal(verdict({ [name]: value }), `invalid_value ${name}`, `${name} refuses ${JSON.stringify(value)}`)
  }
  t.end()
})

t.test('paths', (t) => {
  t.equal(verdict({ inner: { deep: [{ leaf: 'x' }, { leaf: 5 }] } }), 'invalid_value inner.deep[1].leaf')
  t.equal(verdict({ inner: { deep: [{}] } }), 'missing_field inner.deep[0].leaf')
  t.equal(verdict({ inner: { deep: [{ leaf: 'x', more: 1 }] } }), 'unknown_parameter inner.deep[0].more')
  t.equal(verdict({ notes: ['x', 1] }), 'invalid_value notes[1]')
  t.equal(verdict({ shape: {} }), 'missing_field shape.type')
  t.equal(verdict({ shape: { type: 'square' } }), 'invalid_value shape.type')
  t.equal(verdict({ shape: { type: 'toString' } }), 'invalid_value shape.type')
  t.equal(verdict({ shape: { type: 'round' } }), 'missing_field shape.radius')
  t.end()
})

t.test('a path shows no key that could be a secret, forge a log line or fill it', (t) => {
  for (const key of ['AKIA1234567890ABCD12', 'a\nb', 'a.b[0]', 'é', 'x'.repeat(33), '', 'ghp_1']) {
    t.equal(verdict({ [key]: 1 }), 'unknown_parameter *')
    t.same(walk({ [key]: 1 }, 'drop').dropped, ['*'])
  }
  t.equal(verdict({ maxTokens: 1 }), 'unknown_parameter maxTokens')
  t.equal(verdict({ hasOwnProperty: 1 }), 'unknown_parameter hasOwnProperty')
  t.end()
})

t.test('absent, dropped, refused', (t) => {
  t.same(walk({ count: null, maybe: null, danger: null, who: null }).fresh, { maybe: null }, 'null is absent')
  t.same(walk({ danger: false, who: { any: ['thing'] } }), {
    fresh: {},
    texts: [],
    dropped: ['danger', 'who'],
  })
  t.equal(verdict({ danger: true }), 'unsupported_parameter danger')
  t.equal(
    verdict({ danger: true }, 'drop'),
    'unsupported_parameter danger',
    'a policy that drops does not drop this',
  )
  t.same(walk({ odd: 1, inner: { more: 2 } }, 'drop'), {
    fresh: { inner: {} },
    texts: [],
    dropped: ['odd', 'inner.more'],
  })
  t.end()
})

t.test('the list of dropped names is bounded', (t) => {
  const many = Object.fromEntries(
    Array.from({ length: 500 }, (_, index) => [
      `k${'abcdefghij'[index % 10]}${'z'.repeat(index % 31)}`,
      index,
    ]),
  )
  const { fresh, dropped } = walk(many, 'drop')
  t.same(fresh, {})
  t.equal(dropped.length, 64)
  t.end()
})

t.test('what comes out shares nothing with what went in', (t) => {
  const value = { notes: ['x'], inner: { deep: [{ leaf: 'y' }] } }
  const { fresh, texts } = walk(value)
  t.same(fresh, value)
  for (const slot of texts) slot.replace('changed')
  t.same(value, { notes: ['x'], inner: { deep: [{ leaf: 'y' }] } })
  t.same(fresh, { notes: ['changed'], inner: { deep: [{ leaf: 'changed' }] } })
  t.same(
    texts.map((slot) => slot.text),
    ['changed', 'changed'],
    'a slot reads what stands there',
  )
  t.end()
})

t.test('slots', (t) => {
  const { texts } = walk({ note: 'n', either: ['e'], args: '{"a":1}', maybe: 'm', mode: 'a', id: 'abc' })
  t.same(
    texts.map(({ path, kind, text }) => [path, kind, text]),
    [
      ['note', 'text', 'n'],
      ['either[0]', 'text', 'e'],
      ['args', 'json', '{"a":1}'],
      ['maybe', 'text', 'm'],
    ],
  )
  t.end()
})
