// How one request is told from the next: everything that two parsers could read in two ways is answered once with 400,
// the connection ends, and what was hidden behind it never runs.
import t from 'tap'
import { type Expected, goodCall, refuses } from '../support/hostile.ts'
import { chatBody, rawReplies } from '../support/raw-client.ts'
import { startStack } from '../support/stack.ts'

const stack = await startStack()
t.teardown(() => stack.stop())

const body = chatBody()
const length = body.length
const chunked = `${length.toString(16)}\r\n${body}\r\n0\r\n\r\n`
const start = 'POST /v1/chat/completions HTTP/1.1'
const own = ['Host: localhost', `Authorization: Bearer ${stack.token()}`, 'Content-Type: application/json']
/** Behind the request that is at fault, a good one that must not be answered. */
const hidden = goodCall(stack)

const post = (lines: readonly string[], content: string): string =>
  `${[start, ...own, ...lines].join('\r\n')}\r\n\r\n${content}`
const parsed = (reason: string): Expected => ({ code: 'malformed_request', reason, connection: 'closes' })
const closes = (code: Expected['code'], reason: string): Expected => ({ code, reason, connection: 'closes' })

const lengths: Record<string, readonly [string, Expected]> = {
  'a length and chunks (CL.TE)': [
    post(['Content-Length: 4', 'Transfer-Encoding: chunked'], `0\r\n\r\n${hidden}`),
    parsed('HPE_INVALID_TRANSFER_ENCODING'),
  ],
  'chunks and a length (TE.CL)': [
    post(['Transfer-Encoding: chunked', 'Content-Length: 4'], `0\r\n\r\n${hidden}`),
    parsed('HPE_INVALID_CONTENT_LENGTH'),
  ],
  'the same length twice': [
    post([`Content-Length: ${length}`, `Content-Length: ${length}`], body),
    parsed('HPE_UNEXPECTED_CONTENT_LENGTH'),
  ],
  'two lengths': [
    post([`Content-Length: ${length}`, 'Content-Length: 0'], body),
    parsed('HPE_UNEXPECTED_CONTENT_LENGTH'),
  ],
  'a length that no number holds exactly': [
    post(['Content-Length: 9007199254740993'], body),
    closes('malformed_request', 'content-length'),
  ],
  ...Object.fromEntries(
    [`${length}, ${length}`, `+${length}`, '-1', '0x4b', '18446744073709551623', '1e2', '7.0', '_7', ''].map(
      (value) => [
        `Content-Length: "${value}"`,
        [post([`Content-Length: ${value}`], `${body}${hidden}`), parsed('HPE_INVALID_CONTENT_LENGTH')],
      ],
    ),
  ),
}

const codings: Record<string, readonly [string, Expected]> = {
  'chunked twice': [
    post(['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'], chunked),
    parsed('HPE_INVALID_TRANSFER_ENCODING'),
  ],
  'chunked, identity': [
    post(['Transfer-Encoding: chunked, identity'], chunked),
    parsed('HPE_INVALID_TRANSFER_ENCODING'),
  ],
  'a space before the colon': [
    post(['Transfer-Encoding : chunked'], chunked),
    parsed('HPE_INVALID_HEADER_TOKEN'),
  ],
  'a vertical tab': [post(['Transfer-Encoding:\x0bchunked'], chunked), parsed('HPE_INVALID_HEADER_TOKEN')],
  'an empty coding': [post(['Transfer-Encoding: '], chunked), parsed('HPE_INVALID_TRANSFER_ENCODING')],
  ...Object.fromEntries(
    ['gzip, chunked', 'xchunked', 'identity', '"chunked"', 'chunked;q=1'].map((value) => [
      `Transfer-Encoding: ${value}`,
      [
        post([`Transfer-Encoding: ${value}`], `${chunked}${hidden}`),
        closes('malformed_request', 'transfer coding other than chunked'),
      ],
    ]),
  ),
}

const chunkSizes: Record<string, readonly [string, string]> = {
  'a bare LF in an extension': [`${length.toString(16)};a\nb\r\n${body}\r\n0\r\n\r\n`, 'HPE_CR_EXPECTED'],
  'a size with 0x': [`0x${chunked}`, 'HPE_INVALID_CHUNK_SIZE'],
  'a size that ends in a bare LF': [`${length.toString(16)}\n${body}\r\n0\r\n\r\n`, 'HPE_CR_EXPECTED'],
  'no line end behind the data': [`${length.toString(16)}\r\n${body}0\r\n\r\n`, 'HPE_STRICT'],
  'a size above 2^64': [`FFFFFFFFFFFFFFFFF\r\n${body}\r\n0\r\n\r\n`, 'HPE_INVALID_CHUNK_SIZE'],
  'a negative size': [`-1\r\n${body}\r\n0\r\n\r\n`, 'HPE_INVALID_CHUNK_SIZE'],
  'a trailer with a length': [
    `${chunked.slice(0, -2)}Content-Length: 5\r\n\r\n`,
    'HPE_INVALID_CONTENT_LENGTH',
  ],
  'a trailer with a coding': [
    `${chunked.slice(0, -2)}Transfer-Encoding: chunked\r\n\r\n`,
    'HPE_INVALID_TRANSFER_ENCODING',
  ],
}

const good = post([`Content-Length: ${length}`], body)
const lines: Record<string, readonly [string, Expected]> = {
  'bare LF everywhere': [good.replaceAll('\r\n', '\n'), parsed('HPE_INVALID_VERSION')],
  'one bare LF': [good.replace('\r\nContent-Type', '\nContent-Type'), parsed('HPE_CR_EXPECTED')],
  'a bare CR': [good.replace('\r\nContent-Type', '\rContent-Type'), parsed('HPE_LF_EXPECTED')],
  'a folded header': [
    post([`Content-Length: ${length}`, 'X-A: b', ' c'], body),
    parsed('HPE_INVALID_HEADER_TOKEN'),
  ],
  'a space before the first header': [good.replace('\r\nHost', '\r\n Host'), parsed('HPE_UNEXPECTED_SPACE')],
  'a NUL in a value': [
    post([`Content-Length: ${length}`, 'X-A: b\0c'], body),
    parsed('HPE_INVALID_HEADER_TOKEN'),
  ],
  'a NUL in a name': [
    post([`Content-Length: ${length}`, 'X\0A: b'], body),
    parsed('HPE_INVALID_HEADER_TOKEN'),
  ],
  'HTTP/1.0': [good.replace('HTTP/1.1', 'HTTP/1.0'), closes('malformed_request', 'not HTTP/1.1')],
  'HTTP/1.0 with chunks': [
    post(['Transfer-Encoding: chunked'], chunked).replace('HTTP/1.1', 'HTTP/1.0'),
    closes('malformed_request', 'not HTTP/1.1'),
  ],
  'HTTP/0.9': ['GET /v1/models\r\n\r\n', closes('malformed_request', 'not HTTP/1.1')],
  'HTTP/1.2': [good.replace('HTTP/1.1', 'HTTP/1.2'), parsed('HPE_INVALID_VERSION')],
  'HTTP/2.0': [good.replace('HTTP/1.1', 'HTTP/2.0'), closes('malformed_request', 'not HTTP/1.1')],
  'the HTTP/2 preface': ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', parsed('HPE_PAUSED_H2_UPGRADE')],
  'TLS inside TLS': ['\x16\x03\x01\x02\x00\x01\x00\x01', parsed('HPE_INVALID_METHOD')],
  'no HTTP at all': [`hello\r\n\r\n${hidden}`, parsed('HPE_INVALID_METHOD')],
}

for (const [title, cases] of Object.entries({ lengths, codings, lines })) {
  t.test(title, async (t) => {
    for (const [name, [bytes, expected]] of Object.entries(cases)) {
      await t.test(name, (t) => refuses(t, stack, bytes, expected))
    }
  })
}

t.test('chunks', async (t) => {
  for (const [name, [content, reason]] of Object.entries(chunkSizes)) {
    await t.test(name, (t) =>
      refuses(t, stack, post(['Transfer-Encoding: chunked'], content), closes('malformed_request', reason)),
    )
  }
})

t.test('what is well-formed is served', async (t) => {
  const fine: Record<string, string> = {
    'a length': good,
    'a length with a space behind it': post([`Content-Length: ${length} `], body),
    chunks: post(['Transfer-Encoding: chunked'], chunked),
    'Chunked in another case': post(['Transfer-Encoding: Chunked'], chunked),
    'empty lines before the request': `\r\n\r\n${good}`,
  }
  for (const [name, bytes] of Object.entries(fine)) {
    const { replies } = await rawReplies(stack, bytes, { count: 1 })
    t.same(
      replies.map(({ status }) => status),
      [200],
      name,
    )
  }
})
