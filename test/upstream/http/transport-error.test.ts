import t from 'tap'
import { Refusal } from '../../../src/refusal.ts'
import { classifyTransportError } from '../../../src/upstream/http/transport-error.ts'

const withCode = (code: unknown): Error => Object.assign(new Error('who 10.0.0.7 said what'), { code })

const table = {
  UND_ERR_HEADERS_TIMEOUT: 'upstream_timeout',
  UND_ERR_BODY_TIMEOUT: 'upstream_timeout',
  UND_ERR_CONNECT_TIMEOUT: 'upstream_unavailable',
  ECONNREFUSED: 'upstream_unavailable',
  ENOTFOUND: 'upstream_unavailable',
  EHOSTUNREACH: 'upstream_unavailable',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'upstream_unavailable',
  ERR_TLS_CERT_ALTNAME_INVALID: 'upstream_unavailable',
  ERR_SSL_WRONG_VERSION_NUMBER: 'upstream_unavailable',
  UND_ERR_SOCKET: 'upstream_truncated',
  ECONNRESET: 'upstream_truncated',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'upstream_truncated',
  UND_ERR_HEADERS_OVERFLOW: 'upstream_protocol',
  HPE_INVALID_CONSTANT: 'upstream_protocol',
  ERR_ASSERTION: 'upstream_protocol',
} as const

for (const [code, expected] of Object.entries(table)) {
  t.test(code, (t) => {
    const error = withCode(code)
    const refusal = classifyTransportError(error, 'unanswered')
    t.match(refusal, { code: expected, cause: error })
    t.match(refusal.detail, code, 'the code is for us')
    t.notMatch(refusal.message, '10.0.0.7', 'and nothing of the message is kept')
    t.end()
  })
}

t.test('a call that was not sent found no server, whatever its connection died of', (t) => {
  for (const code of ['ECONNRESET', 'UND_ERR_SOCKET', 'HPE_INVALID_CONSTANT', 'ECONNREFUSED']) {
    const refusal = classifyTransportError(withCode(code), 'unsent')
    t.match(refusal, { code: 'upstream_unavailable', reach: 'unsent' })
  }
  t.end()
})

t.test('whatever is thrown becomes a refusal', (t) => {
  for (const thrown of [undefined, null, 'text', 7, {}, withCode(7), withCode(undefined), new Error('x')]) {
    t.equal(classifyTransportError(thrown, 'unanswered').code, 'upstream_protocol')
  }
  const refusal = new Refusal('caller_gone', 'x')
  t.equal(classifyTransportError(refusal, 'answered'), refusal, 'a refusal stays what it is')
  t.end()
})
