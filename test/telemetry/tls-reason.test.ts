import t from 'tap'
import { tlsReasons } from '../../src/telemetry/label-values.ts'
import { tlsReason } from '../../src/telemetry/tls-reason.ts'

t.test("Node's and OpenSSL's codes fall into the closed set", (t) => {
  const expected: Record<string, string | undefined> = {
    ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE: 'no_certificate',
    SELF_SIGNED_CERT_IN_CHAIN: 'untrusted',
    DEPTH_ZERO_SELF_SIGNED_CERT: 'untrusted',
    UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'untrusted',
    CERT_HAS_EXPIRED: 'expired',
    CERT_REVOKED: 'revoked',
    CERT_NOT_YET_VALID: 'not_yet_valid',
    INVALID_PURPOSE: 'purpose',
    ERR_SSL_UNSUPPORTED_PROTOCOL: 'protocol',
    ERR_SSL_NO_SHARED_CIPHER: 'protocol',
    ERR_TLS_HANDSHAKE_TIMEOUT: 'timeout',
    ECONNRESET: 'reset',
    EWHATEVER: undefined,
  }
  for (const [code, reason] of Object.entries(expected)) t.equal(tlsReason(code), reason, code)
  for (const odd of [undefined, null, 5, {}, '']) t.equal(tlsReason(odd), undefined)
  for (const reason of Object.values(expected))
    t.ok(reason === undefined || tlsReasons.some((known) => known === reason))
  t.end()
})
