import fc from 'fast-check'
import t from 'tap'

import {
  DONE_EVENT,
  encodeComment,
  encodeErrorEvent,
  encodeEvent,
  eventJson,
  isDone,
  SseDecoder,
  type SseEvent,
} from '../../src/openai/sse.ts'
import { Refusal } from '../../src/refusal.ts'

const bounds = { eventBytesMax: 1_000, lineBytesMax: 500 }
const encode = (text: string): Uint8Array => new TextEncoder().encode(text)

interface Decoded {
  readonly events: readonly SseEvent[]
  readonly end: string
}

/** Events that came before the end or the refusal, and which of the two it was. */
function decode(parts: readonly Uint8Array[]): Decoded {
  const decoder = new SseDecoder(bounds)
  const events: SseEvent[] = []
  try {
    for (const part of parts) events.push(...decoder.push(part))
    return { events, end: decoder.end() }
  } catch (error) {
    return { events, end: error instanceof Refusal ? error.code : 'failure' }
  }
}

const data = (text: string): string[] => decode([encode(text)]).events.map((event) => event.data)

const cut = (bytes: Uint8Array, places: readonly number[]): Uint8Array[] => {
  const edges = [0, ...[...places].sort((a, b) => a - b), bytes.length]
  return edges.slice(1).map((edge, i) => bytes.subarray(edges[i], edge))
}

t.test('framing', (t) => {
  const cases: readonly [string, string, readonly string[]][] = [
    ['one event', 'data: a\n\n', ['a']],
    ['no space', 'data:a\n\n', ['a']],
    ['one space only is taken', 'data:  a\n\n', [' a']],
    ['CRLF', 'data: a\r\n\r\ndata: b\r\n\r\n', ['a', 'b']],
    ['CR', 'data: a\r\rdata: b\r\r', ['a', 'b']],
    ['mixed', 'data: a\r\n\ndata: b\n\rdata: c\r\r\n', ['a', 'b', 'c']],
    ['several data lines', 'data: a\ndata: b\ndata\ndata:\n\n', ['a\nb\n\n']],
    ['comments, id and retry', ': hi\nid: 7\nretry: 1\ndata: a\n:\n\n', ['a']],
    ['a byte order mark at the start', '\uFEFFdata: a\n\n', ['a']],
    ['a byte order mark later', 'data: a\n\n\uFEFFdata: b\n\n', ['a']],
    ['an empty event', 'data:\n\n', ['']],
    ['other fields', 'dat: a\ndatas: b\ndata : c\n data: d\nDATA: e\n\n', []],
    ['blank lines', '\n\n\r\n\ndata: a\n\n\n', ['a']],
    ['line separators of Unicode are text', 'data: a\u2028b\u0085c\n\n', ['a\u2028b\u0085c']],
  ]
  for (const [name, text, expected] of cases) t.same(data(text), expected, name)
  t.end()
})

t.test('event names', (t) => {
  const text = 'event: ping\n\ndata: a\n\nevent: x\nevent: y\ndata: b\n\nevent: error\n: it broke\n\n'
  t.same(decode([encode(text)]).events, [
    { name: '', data: 'a' },
    { name: 'y', data: 'b' },
    { name: 'error', data: '' },
  ])
  t.end()
})

t.test('the end of the body', (t) => {
  const cases: readonly [string, string][] = [
    ['', 'complete'],
    ['data: a\n\n', 'complete'],
    ['data: a\n\n: comment\n', 'complete'],
    ['data: a\n', 'truncated'],
    ['data: a', 'truncated'],
    ['event: x\n', 'truncated'],
    ['data: [DONE]\n', 'done'],
    ['data: [DONE]', 'done'],
    ['data:[DONE]\r\n', 'done'],
    ['data: [DONE', 'truncated'],
    ['data: a\ndata: [DONE]', 'truncated'],
  ]
  for (const [text, expected] of cases) t.equal(decode([encode(text)]).end, expected, JSON.stringify(text))
  t.end()
})

t.test('bounds', (t) => {
  const line = (bytes: number): string => `data: ${'a'.repeat(bytes - 6)}\n`
  const cases: readonly [string, string, string][] = [
    ['the longest line', `${line(500)}\n`, 'complete'],
    ['one byte more', `${line(501)}\n`, 'upstream_protocol'],
    ['bytes, not characters', `data: ${'é'.repeat(248)}\n\n`, 'upstream_protocol'],
    ['the longest comment', `:${'a'.repeat(499)}\n`, 'complete'],
    ['a longer comment', `:${'a'.repeat(500)}`, 'upstream_protocol'],
    ['a line without end', 'a'.repeat(501), 'upstream_protocol'],
    ['the largest event', `${line(500)}${line(500)}${line(16)}\n`, 'complete'],
    ['one byte more', `${line(500)}${line(500)}${line(17)}\n`, 'upstream_protocol'],
    ['many empty data lines', `${'data\n'.repeat(1_002)}\n`, 'upstream_protocol'],
  ]
  for (const [name, text, expected] of cases) {
    t.equal(decode([encode(text)]).end, expected, name)
    const bytes = encode(text)
    const single = cut(bytes, [...bytes.keys()])
    t.equal(decode(single).end, expected, `${name}, byte by byte`)
  }
  t.end()
})

t.test('bytes that are not UTF-8', (t) => {
  for (const bytes of [[0xff], [0xc3], [0xed, 0xa0, 0x80], [0xc0, 0xaf], [0xf4, 0x90, 0x80, 0x80]]) {
    const stream = Uint8Array.from([...encode('data: '), ...bytes, ...encode('\n\n')])
    t.equal(decode([stream]).end, 'upstream_protocol')
  }
  t.end()
})

t.test('invariant 4: after a refusal nothing comes out', (t) => {
  const decoder = new SseDecoder(bounds)
  t.throws(() => decoder.push(encode('a'.repeat(600))), { code: 'upstream_protocol' })
  t.throws(() => decoder.push(encode('\n\ndata: a\n\n')), { code: 'upstream_protocol' })
  t.throws(() => decoder.end(), { code: 'upstream_protocol' })
  const later = new SseDecoder(bounds)
  t.same(later.push(encode(`data: a\n\n${'b'.repeat(600)}`)), [{ name: '', data: 'a' }])
  t.throws(() => later.push(encode('data: c\n\n')), { code: 'upstream_protocol' })
  t.end()
})

/** Bytes that matter to the decoder, and some that do not. */
const piece = fc.constantFrom(
  ...['\n', '\r', '\r\n', 'data:', 'data: ', 'event: ', 'error', ':', ' ', 'id: 1', '\uFEFF', 'é', '€', '😀'],
  ...['[DONE]', '{"a":1}', 'data: {"a":1}\n\n', 'x'.repeat(240)],
)
const stream = fc
  .array(fc.oneof({ weight: 30, arbitrary: piece.map(encode) }, fc.uint8Array({ maxLength: 2 })), {
    maxLength: 40,
  })
  .map((parts) => Uint8Array.from(parts.flatMap((part) => [...part])))

t.test('invariant 1: the events do not depend on the cuts', (t) => {
  fc.assert(
    fc.property(stream, fc.array(fc.nat(600), { maxLength: 40 }), (bytes, places) => {
      const whole = JSON.stringify(decode([bytes]))
      const inside = places.filter((place) => place <= bytes.length)
      return (
        JSON.stringify(decode(cut(bytes, inside))) === whole &&
        JSON.stringify(decode(cut(bytes, [...bytes.keys()]))) === whole
      )
    }),
    { numRuns: 150 },
  )
  t.pass('holds for each example')
  t.end()
})

/** The standard's algorithm on the whole text, written in the plainest way. */
function reference(text: string): SseEvent[] {
  const events: SseEvent[] = []
  let [name, lines] = ['', [] as string[]]
  const all = text.replace(/^\uFEFF/, '').split(/\r\n|\r|\n/)
  for (const line of all.slice(0, -1)) {
    if (line === '') {
      if (lines.length > 0 || name === 'error') events.push({ name, data: lines.join('\n') })
      name = ''
      lines = []
      continue
    }
    const [, field, value] = /^([^:]*)(?:: ?(.*))?$/su.exec(line) ?? []
    if (field === 'data') lines.push(value ?? '')
    if (field === 'event') name = value ?? ''
  }
  return events
}

t.test('invariant 5: the same events as the standard', (t) => {
  const short = fc
    .array(
      piece.filter((text) => text.length < 100),
      { maxLength: 30 },
    )
    .map((parts) => parts.join(''))
  fc.assert(
    fc.property(
      short,
      (text) => JSON.stringify(decode([encode(text)]).events) === JSON.stringify(reference(text)),
    ),
    { numRuns: 300 },
  )
  t.pass('holds for each example')
  t.end()
})

t.test('invariant 3: a line of one-byte chunks ends at the bound', (t) => {
  const decoder = new SseDecoder({ eventBytesMax: 100_000, lineBytesMax: 50_000 })
  const byte = encode('a')
  let pushed = 0
  t.throws(() => {
    for (;;) {
      decoder.push(byte)
      pushed++
    }
  })
  t.equal(pushed, 50_000)
  t.end()
})

t.test('the JSON of an event', (t) => {
  const event = (text: string): SseEvent => ({ name: '', data: text })
  t.same(eventJson(event('{"a":1}')), { a: 1 })
  t.throws(() => eventJson(event('')), { code: 'upstream_protocol' })
  t.throws(() => eventJson(event('{"a":')), { code: 'upstream_protocol' })
  t.throws(() => eventJson({ name: 'error', data: '' }), { code: 'upstream_error' })
  t.throws(() => eventJson({ name: 'error', data: 'no JSON' }), { code: 'upstream_error' })
  const overloaded = '{"error":"Model is overloaded","error_type":"overloaded"}'
  t.throws(() => eventJson({ name: 'error', data: overloaded }), { code: 'upstream_overloaded' })
  t.ok(isDone(event('[DONE]')))
  t.ok(isDone(event('[DONE] ')))
  t.notOk(isDone(event('{}')))
  t.end()
})

t.test('what is encoded comes back as one event', (t) => {
  const text = fc.string({ unit: fc.nat(0xffff).map((code) => String.fromCharCode(code)), maxLength: 12 })
  const json = fc.dictionary(text, text, { maxKeys: 3 })
  fc.assert(
    fc.property(json, (fields) => {
      const object = JSON.parse(JSON.stringify(fields))
      const decoder = new SseDecoder({ eventBytesMax: 1_000_000, lineBytesMax: 1_000_000 })
      const [event, ...more] = decoder.push(encode(encodeEvent(object)))
      const found = [event && eventJson(event), more, decoder.end()]
      return JSON.stringify(found) === JSON.stringify([object, [], 'complete'])
    }),
    { numRuns: 60 },
  )
  t.pass('holds for each example')
  t.end()
})

t.test('our own frames', (t) => {
  t.equal(DONE_EVENT, 'data: [DONE]\n\n')
  t.equal(encodeComment('still here'), ': still here\n\n')
  t.equal(encodeComment('a\n\ndata: b\r\n'), ': a data: b \n\n')
  t.same(data(encodeComment('a\ndata: b')), [])
  const frame = encodeErrorEvent(new Refusal('upstream_truncated', 'inside'), { requestId: 'r1' })
  const [text] = data(frame)
  t.match(JSON.parse(text ?? ''), { error: { code: 'upstream_truncated' }, gateway: { request_id: 'r1' } })
  t.notMatch(frame, /inside/)
  t.end()
})
