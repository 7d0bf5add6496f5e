import t from 'tap'
import { parserReason } from '../../src/telemetry/parser-reason.ts'

t.test("the codes of Node's HTTP parser fall into the closed set", (t) => {
  const expected: Record<string, string | undefined> = {
    HPE_HEADER_OVERFLOW: 'too_large',
    HPE_CHUNK_EXTENSIONS_OVERFLOW: 'too_large',
    ERR_HTTP_REQUEST_TIMEOUT: 'timeout',
    HPE_INVALID_EOF_STATE: 'reset',
    ECONNRESET: 'reset',
    HPE_INVALID_TRANSFER_ENCODING: 'framing',
    HPE_UNEXPECTED_CONTENT_LENGTH: 'framing',
    HPE_INVALID_CHUNK_SIZE: 'framing',
    HPE_INVALID_METHOD: 'syntax',
    HPE_INVALID_HEADER_TOKEN: 'syntax',
    unknown: undefined,
  }
  for (const [code, reason] of Object.entries(expected)) t.equal(parserReason(code), reason, code)
  for (const odd of [undefined, null, 5, {}]) t.equal(parserReason(odd), undefined)
  t.end()
})
