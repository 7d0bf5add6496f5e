import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'

import fc from 'fast-check'
import t from 'tap'

import {
  draftOf,
  follow,
  genesis,
  positionFrom,
  readRecord,
  recordBytesMax,
  seal,
  stringUnitsMax,
} from '../../src/audit/chain.ts'
import type { AuditEvent } from '../../src/audit/record.ts'
import { linesOf, sampleEvent, sampleLog } from './sample.ts'

const first = (event: AuditEvent) => seal(draftOf(event), genesis)
const asEvent = (fields: object): AuditEvent => ({ ...sampleEvent(1), ...fields })

t.test('the hash can be checked with a JSON tool and SHA-256, as docs/reference/audit.md says', async (t) => {
  let prev = '0'.repeat(64)
  for (const { line } of sampleLog(3, { user_agent: 'é\u2028\n😀"\\', ratio: 1e-7 })) {
    const record = JSON.parse(line) as { hash: string; prev: string }
    const bare = line.trimEnd().replace(`"hash":"${record.hash}",`, '')
    t.equal(createHash('sha256').update(bare).digest('hex'), record.hash)
    t.equal(record.prev, prev)
    prev = record.hash
  }
})

t.test('records are numbered from 1 and linked', async (t) => {
  const [one, two] = sampleLog(2)
  t.match(one?.record, { v: 1, seq: 1, prev: '0'.repeat(64) })
  t.match(two?.record, { v: 1, seq: 2, prev: one?.record.hash })
  t.ok(one?.line.endsWith('}\n'))
})

t.test('log injection: whatever a field holds, a record is one line of bounded length', async (t) => {
  const hostile = [
    '\n{"level":60}',
    '\u001b[31mred',
    'a\u2028b\u2029c',
    '\r\n',
    '\0',
    'x'.repeat(1 << 20),
    '"}\n',
  ]
  for (const userAgent of hostile) {
    const { line, record } = first(asEvent({ user_agent: userAgent, model: { name: userAgent } }))
    t.equal(line.indexOf('\n'), line.length - 1)
    t.notMatch(line.slice(0, -1), /\p{Cc}/u)
    t.ok(String(record['user_agent']).length <= stringUnitsMax)
    t.match(readRecord(Buffer.from(line.slice(0, -1))), { record: { seq: 1 } })
  }
})

t.test('a cut string never ends in half a character', async (t) => {
  const { record } = first(asEvent({ user_agent: `${'x'.repeat(stringUnitsMax - 2)}😀😀` }))
  t.ok(String(record['user_agent']).isWellFormed())
  t.equal(String(record['user_agent']).at(-1), '…')
})

t.test('an event that cannot be recorded is refused', async (t) => {
  const bad: readonly (readonly [string, object])[] = [
    ['a seq of its own', { seq: 7 }],
    ['a hash of its own', { hash: 'x' }],
    ['a time in another form', { time: '2026-01-01' }],
    ['a number that is not finite', { latency_ms: Number.NaN }],
    ['a record beyond the bound', { list: Array.from({ length: 100 }, () => 'x'.repeat(stringUnitsMax)) }],
  ]
  for (const [name, fields] of bad) t.throws(() => draftOf(asEvent(fields)), TypeError, name)
})

t.test('minus zero, an artefact of rounding, is recorded as zero', async (t) => {
  t.match(first(asEvent({ latency_ms: -0 })).line, /"latency_ms":0[,}]/)
})

t.test('a draft is a copy: a later change does not reach the record', async (t) => {
  const event = { ...sampleEvent(1), nested: { n: 1 } }
  const draft = draftOf(event)
  event.nested.n = 2
  t.match(seal(draft, genesis), { record: { nested: { n: 1 } }, line: /"nested":\{"n":1\}/ })
})

t.test('any event: the line reads back as the record, and is not longer than announced', async (t) => {
  const fields = fc.dictionary(
    fc
      .string({ unit: 'grapheme', maxLength: 12 })
      .filter((key) => !['v', 'seq', 'prev', 'hash', 'time', 'event'].includes(key)),
    fc.oneof(
      fc.string({ unit: 'binary', maxLength: 40 }),
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.constant(undefined),
    ),
    { maxKeys: 8 },
  )
  const property = fc.property(fields, (extra) => {
    const draft = draftOf(asEvent(extra))
    const { line, record } = seal(draft, { seq: 41, hash: 'ab'.repeat(32) })
    const bytes = Buffer.from(line)
    assert.ok(bytes.length <= draft.bytesMax && draft.bytesMax <= recordBytesMax)
    assert.deepEqual(readRecord(bytes.subarray(0, -1)), { record: JSON.parse(line) })
    assert.deepEqual(JSON.parse(line), JSON.parse(JSON.stringify(record)))
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 100 }))
})

t.test('follow: what does not come next says so', async (t) => {
  const log = sampleLog(4)
  const at = (index: number) => ({ seq: index, hash: log[index - 1]?.record.hash ?? genesis.hash })
  const line = (seq: number): Buffer => Buffer.from(linesOf(log)[seq - 1] as string)
  t.match(follow(at(2), line(3)), { record: { seq: 3 } })
  t.same(follow(at(2), line(2)), { flaw: 'duplicate_seq', seq: 2 })
  t.same(follow(at(2), line(4)), { flaw: 'seq_gap', seq: 4 })
  t.same(follow({ seq: 2, hash: 'ff'.repeat(32) }, line(3)), { flaw: 'broken_link', seq: 3 })
})

t.test('readRecord: hostile lines', async (t) => {
  const cases: readonly (readonly [string, string, string])[] = [
    ['nothing', '', 'unreadable'],
    ['not JSON', '{"a":', 'unreadable'],
    ['too long', `"${'x'.repeat(recordBytesMax)}"`, 'unreadable'],
    ['deep nesting', '['.repeat(8000) + ']'.repeat(8000), 'malformed'],
    ['another value', '[1]', 'malformed'],
    ['null', 'null', 'malformed'],
    ['no fields', '{}', 'malformed'],
  ]
  for (const [name, text, flaw] of cases) t.match(readRecord(Buffer.from(text)), { flaw }, name)
  t.match(readRecord(Buffer.from([0x22, 0xff, 0x22])), { flaw: 'unreadable' }, 'not UTF-8')
  const whole = linesOf(sampleLog(1))[0] as string
  t.match(readRecord(Buffer.from(whole.replace('{', `{"deep":${'['.repeat(20)}${']'.repeat(20)},`))), {
    flaw: 'not_canonical',
  })
})

t.test('positionFrom reads seq:hash and nothing else', async (t) => {
  const hash = 'ab'.repeat(32)
  t.same(positionFrom(`12:${hash}`), { seq: 12, hash })
  for (const text of [
    '',
    '12',
    `0:${hash}`,
    `012:${hash}`,
    `12:${hash}:`,
    `12:${hash.toUpperCase()}`,
    `-1:${hash}`,
    `1e3:${hash}`,
  ]) {
    t.equal(positionFrom(text), undefined, text)
  }
})
