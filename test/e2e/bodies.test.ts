// Request bodies: bounded in bytes, never decoded, read only for callers who were let in.
import t from 'tap'
import { type Expected, refuses, sameRefusal, stillServes } from '../support/hostile.ts'
import { chatBody, openRaw, type RawConnection, rawReplies, requestText } from '../support/raw-client.ts'
import { startStack } from '../support/stack.ts'

const BODY_BYTES_MAX = 200_000
const stack = await startStack({ gateway: { traffic: { bounds: { bodyBytesMax: BODY_BYTES_MAX } } } })
t.teardown(() => stack.stop())

const token = stack.token()
const body = chatBody()
const json = 'Content-Type: application/json'
const chunk = (text: string, extension = ''): string =>
  `${Buffer.byteLength(text).toString(16)}${extension}\r\n${text}\r\n`
const head = (...headers: string[]): string => requestText({ token, headers: [json, ...headers] })
const chunkedCall = (chunks: string, end = '0\r\n\r\n'): string =>
  `${head('Transfer-Encoding: chunked')}${chunks}${end}`

t.test('a body where none belongs', async (t) => {
  const get = { method: 'GET', target: '/v1/models', token }
  const cases = {
    'GET with a length': requestText({ ...get, body }),
    'GET with chunks': `${requestText({ ...get, headers: ['Transfer-Encoding: chunked'] })}${chunk('{}')}0\r\n\r\n`,
    'GET with a length and nothing sent': requestText({ ...get, headers: ['Content-Length: 5'] }),
  }
  for (const [name, bytes] of Object.entries(cases)) {
    await t.test(name, (t) => refuses(t, stack, bytes, { code: 'unexpected_body', connection: 'closes' }))
  }
  const { replies } = await rawReplies(stack, requestText({ ...get, headers: ['Content-Length: 0'] }), {
    count: 1,
  })
  t.equal(replies[0]?.status, 200, 'a length of 0 is none')
})

t.test('bodies are JSON in UTF-8, as they are', async (t) => {
  const typed = (...headers: string[]): string =>
    requestText({ token, body, framed: false, headers: [`Content-Length: ${body.length}`, ...headers] })
  const refused: Record<string, string> = {
    'no type': typed(),
    ...Object.fromEntries(
      [
        'text/plain',
        'application/json; charset=utf-16',
        'application/json; charset=latin1',
        'application/json\xa0',
        'application/jsonx',
        'application/json-patch+json',
        'application/json, text/plain',
        'application/json\t;',
        '',
        'multipart/form-data; boundary=x',
        'application/x-www-form-urlencoded',
        'application/json; boundary=x',
      ].map((type) => [`type "${type}"`, typed(`Content-Type: ${type}`)]),
    ),
    ...Object.fromEntries(
      ['gzip', 'br', 'zstd', 'deflate', 'x-gzip', 'gzip, identity', 'identity, gzip'].map((coding) => [
        `coding "${coding}"`,
        typed(json, `Content-Encoding: ${coding}`),
      ]),
    ),
  }
  for (const [name, bytes] of Object.entries(refused)) {
    await t.test(name, (t) => refuses(t, stack, bytes, { code: 'unsupported_media_type' }))
  }
  for (const type of [
    'application/json; charset=utf-8',
    'Application/JSON',
    'application/json;charset="UTF-8"',
  ]) {
    const { replies } = await rawReplies(stack, typed(`Content-Type: ${type}`), { count: 1 })
    t.equal(replies[0]?.status, 200, type)
  }
})

t.test('above the bound', async (t) => {
  const big = chatBody({ user: 'x'.repeat(BODY_BYTES_MAX) })
  const cases: Record<string, readonly [string, Expected]> = {
    'by its length, nothing sent': [
      head(`Content-Length: ${BODY_BYTES_MAX + 1}`),
      { code: 'request_too_large' },
    ],
    'by its length, all sent': [requestText({ token, body: big }), { code: 'request_too_large' }],
    'in one chunk': [chunkedCall(chunk(big)), { code: 'request_too_large' }],
    'in many chunks': [chunkedCall(chunk('x'.repeat(1000)).repeat(250)), { code: 'request_too_large' }],
    'a chunk extension without end': [
      chunkedCall(chunk(body, `;a=${'b'.repeat(20_000)}`)),
      { code: 'request_too_large', reason: 'HPE_CHUNK_EXTENSIONS_OVERFLOW' },
    ],
    'a trailer of 20 KB': [
      chunkedCall(chunk(body), `0\r\nX-A: ${'b'.repeat(20_000)}\r\n\r\n`),
      { code: 'headers_too_large', reason: 'HPE_HEADER_OVERFLOW' },
    ],
  }
  for (const [name, [bytes, expected]] of Object.entries(cases)) {
    await t.test(name, (t) => refuses(t, stack, bytes, { ...expected, connection: 'closes' }))
  }
})

t.test('chunks come in any shape; extensions and trailers end here', async (t) => {
  const mark = 'caller-was-here'
  const shapes = {
    'one byte each': chunkedCall([...body].map((byte) => chunk(byte)).join('')),
    'with an extension': chunkedCall(chunk(body, `;${mark}="a b"`)),
    'with trailers': chunkedCall(
      chunk(body),
      `0\r\nX-A: ${mark}\r\nAuthorization: Bearer ${mark}\r\nHost: ${mark}\r\n\r\n`,
    ),
  }
  for (const [name, bytes] of Object.entries(shapes)) {
    const before = stack.model.stats.requests
    const { replies } = await rawReplies(stack, bytes, { count: 1 })
    t.equal(replies[0]?.status, 200, name)
    const seen = stack.model.requests.slice(before)
    t.equal(seen.length, 1)
    t.notMatch(JSON.stringify(seen), mark)
    t.match(JSON.parse(seen[0]?.body ?? ''), { messages: [{ content: 'hi' }] })
  }
})

t.test('JSON that two parsers could read in two ways', async (t) => {
  const deep = `${'['.repeat(400_000)}${']'.repeat(400_000)}`.slice(0, BODY_BYTES_MAX - 100)
  const cases: Record<string, readonly [string, Expected['code']]> = {
    nothing: ['', 'invalid_json'],
    'a key twice': [body.replace('{', '{"model":"secret",'), 'invalid_json'],
    'a key twice, once escaped': [body.replace('{', '{"mod\\u0065l":"secret",'), 'invalid_json'],
    'a byte order mark': [`\xef\xbb\xbf${body}`, 'invalid_json'],
    'a lone surrogate': [body.replace('hi', '\\ud800'), 'invalid_json'],
    'bytes that are not UTF-8': [body.replace('hi', '\xff\xfe'), 'invalid_json'],
    'UTF-16': [Buffer.from(body, 'utf16le').toString('latin1'), 'invalid_json'],
    'two values': [`${body}${body}`, 'invalid_json'],
    'a number out of range': [body.replace('8}', '1e400}'), 'invalid_json'],
    __proto__: [body.replace('{', '{"__proto__":{"model":"secret"},'), 'unknown_parameter'],
    'brackets without end': [deep, 'json_too_complex'],
  }
  for (const [name, [text, code]] of Object.entries(cases)) {
    const bytes = `${head(`Content-Length: ${text.length}`)}${text}`
    await t.test(name, (t) => refuses(t, stack, bytes, { code, connection: 'stays' }))
  }
})

t.test('a body that never becomes whole', async (t) => {
  for (const bytes of [head(`Content-Length: ${body.length + 1}`) + body, chunkedCall(chunk(body), '')]) {
    const before = stack.model.stats.requests
    const caller = await openRaw(stack)
    caller.send(bytes).socket.end()
    t.same(await caller.cut(), [], 'no answer: nobody is there')
    t.equal(stack.model.stats.requests, before)
  }
})

/** Writes until the connection is cut; returns how many bytes were taken from us. */
async function flood(caller: RawConnection, piece: Buffer, bytesMax: number): Promise<number> {
  let taken = 0
  while (taken < bytesMax && !caller.isClosed) {
    const { promise, resolve } = Promise.withResolvers<boolean>()
    caller.socket.write(piece, (error) => resolve(!error))
    const written = await Promise.race([promise, caller.closed.then(() => false)])
    if (!written) break
    taken += piece.byteLength
  }
  return taken
}

t.test('who is refused cannot go on pushing, and still reads why', async (t) => {
  const pushMax = 100 << 20
  const piece = Buffer.alloc(1 << 18, 0x20)
  const chunkPiece = Buffer.concat([Buffer.from('40000\r\n'), piece, Buffer.from('\r\n')])
  const cases: Record<string, readonly [string, Expected['code'], Buffer]> = {
    'no token, a length': [
      requestText({ headers: [json, `Content-Length: ${pushMax}`] }),
      'missing_token',
      piece,
    ],
    'no token, chunks': [
      requestText({ headers: [json, 'Transfer-Encoding: chunked'] }),
      'missing_token',
      chunkPiece,
    ],
    'too large, a length': [head(`Content-Length: ${pushMax}`), 'request_too_large', piece],
    'too large, chunks': [head('Transfer-Encoding: chunked'), 'request_too_large', chunkPiece],
    'no such path': [
      requestText({ token, target: '/nope', headers: [json, `Content-Length: ${pushMax}`] }),
      'unknown_url',
      piece,
    ],
  }
  const push = async ([name, [bytes, code, pushed]]: [string, (typeof cases)[string]]): Promise<void> => {
    const caller = await openRaw(stack)
    const taken = await flood(caller.send(bytes), pushed, pushMax)
    const replies = await caller.cut()
    t.equal(replies.length, 1, `${name}: one answer`)
    if (replies[0]) sameRefusal(t, replies[0], code)
    t.ok(taken < 32 << 20, `${name}: the kernel and the gateway took ${taken >> 20} MiB of 100`)
  }
  await Promise.all(Object.entries(cases).map(push))
  const caller = await openRaw(stack)
  await stillServes(t, caller, stack)
  caller.destroy()
})

t.test('a small body that nobody wants is read, and the connection kept', async (t) => {
  const caller = await openRaw(stack)
  const padded = chatBody({ user: 'x'.repeat(60_000) })
  for (const bytes of [
    requestText({ body: padded }),
    requestText({ token, target: '/nope', body: padded }),
  ]) {
    const already = caller.replies.length
    const replies = await caller.send(bytes).answered(already + 1)
    t.not(replies[already]?.headers['connection'], 'close')
    await stillServes(t, caller, stack)
  }
  t.equal(caller.replies.length, 4)
  caller.destroy()
})
