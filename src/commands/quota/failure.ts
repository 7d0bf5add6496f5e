import { plain } from '../plain-text.ts'
import { CommandFailed } from '../surroundings.ts'

export interface OpsAnswer {
  readonly status: number
  /** As it came, with its quotes. */
  readonly etag: string | undefined
  readonly requestId: string | undefined
  /** Of a 429. */
  readonly retryAfterMs: number | undefined
  /** Undefined when the body was empty or no JSON. */
  readonly body: unknown
}

/** An answer that is no success, or none at all. The message says what to do next. */
export class OpsFailure extends CommandFailed {
  /** HTTP status; 0 when there was no answer. */
  readonly status: number
  /** `error.code` of the answer, when there is one. */
  readonly reason: string

  constructor(message: string, { status = 0, reason = '' } = {}) {
    super(message)
    this.status = status
    this.reason = reason
  }
}

interface Sent {
  readonly origin: string
  readonly method: string
  readonly path: string
}

/** Why there was no answer. */
export function connectFailure(
  error: Error,
  { origin, method, path, timeoutMs }: Sent & { readonly timeoutMs?: number },
): OpsFailure {
  const { code = '', message } = error as NodeJS.ErrnoException
  if (timeoutMs !== undefined) {
    const unknown = method === 'GET' ? '' : ` ${unknownOutcome(path)}`
    return new OpsFailure(`${origin} does not answer within ${timeoutMs / 1000} s.${unknown}`)
  }
  const [what, advice] = connectText(code, message, origin)
  return new OpsFailure(`${what} (${plain(code || message)}). ${advice}`)
}

const unknownOutcome = (path: string): string =>
  path.includes('/quotas/')
    ? 'Whether the change was made is not known: `sallyport quota get` shows it.'
    : 'Whether the change was made is not known: look before you send it again.'

const notTrusted =
  /^(UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|CERT_(UNTRUSTED|SIGNATURE)|ERR_TLS_CERT_SIGNATURE|INVALID_CA)/
const refusedCertificate =
  /ALERT_(CERTIFICATE|BAD_CERTIFICATE|UNKNOWN_CA|UNSUPPORTED_CERT|HANDSHAKE|ACCESS)|CERTIFICATE_REQUIRED|UNKNOWN_CA/

function connectText(code: string, message: string, origin: string): readonly [string, string] {
  if (notTrusted.test(code))
    return [
      `The certificate of ${origin} is not signed by the authority in --ca`,
      'Name the authority of its server certificate.',
    ]
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return [`The certificate of ${origin} is for another name`, 'Write --url with a name that it has.']
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID')
    return [`The certificate of ${origin} is out of date`, "Renew it, or look at this machine's clock."]
  if (refusedCertificate.test(`${code} ${message}`))
    return [
      `${origin} refuses the client certificate`,
      '--cert must be current and of an authority that the gateway trusts (clientCa in gateway.yaml).',
    ]
  // A chain that Node.js does not like is closed after the handshake, without an alert.
  if (code === 'ECONNRESET' || code === 'EPIPE')
    return [
      `${origin} closed the connection without a word`,
      'So it does with a client certificate of an authority that it does not trust: look at --cert.',
    ]
  if (/^(EPROTO|ERR_SSL_)/.test(code))
    return [`${origin} does not speak this TLS`, "Is it the operators' port (ops.port in gateway.yaml)?"]
  return [
    `Cannot connect to ${origin}`,
    "Does the gateway run, and is that its operators' listener (ops.host and ops.port in gateway.yaml)?",
  ]
}

export const tokenFailure = (): OpsFailure =>
  new OpsFailure('The token of --token-file is empty, too long or not one line of plain characters.', {
    status: 401,
  })

/** What an answer that is no success means, and what to do next. */
export function answerFailure(answer: OpsAnswer, sent: Sent & { readonly token: string }): OpsFailure {
  const { status, requestId } = answer
  const { code, message, param } = errorOf(answer.body)
  const id = requestId === undefined ? '' : ` Request id: ${plain(requestId)}.`
  const text = `${answerText(status, { code, message, param, ...sent })}${id}`
  return new OpsFailure(text, { status, reason: code })
}

interface ErrorParts {
  readonly code: string
  readonly message: string
  readonly param: string
}

/** The parts of OpenAI's error shape, safe to print. */
function errorOf(body: unknown): ErrorParts {
  const error = (body as { error?: unknown } | null | undefined)?.error as Record<string, unknown> | undefined
  const part = (name: string): string => (typeof error?.[name] === 'string' ? plain(error[name]) : '')
  return { code: part('code'), message: part('message'), param: part('param') }
}

const noRights =
  'An operator needs role ops, or one of ops.operatorRoles; an auditor (ops.auditorRoles) may only read.'

function answerText(status: number, told: ErrorParts & Sent & { readonly token: string }): string {
  const { code, message, param, origin, method } = told
  const said = [message, param === '' ? '' : `Field: ${param}.`].filter((part) => part !== '').join(' ')
  const named = `${code || 'no code'}${said === '' ? '' : `: ${said}`}`
  switch (status) {
    case 401:
      return `The token is refused (401 ${code}). ${tokenAdvice(told.token)}`
    case 403:
      return code === 'invalid_certificate' || code === 'certificate_expired'
        ? `The client certificate is refused (403 ${named})`
        : `This token may not ${method === 'GET' ? 'read here' : 'change anything here'} (403 ${code}). ${noRights}`
    case 404:
      return `Not found (404 ${named})`
    case 412:
      return 'It was changed meanwhile, by somebody else (412). Nothing was changed now: read it again, then decide.'
    case 428:
      return 'The gateway wants to know which version is changed (428): this version of sallyport may be older than the gateway.'
    case 429:
      return `The gateway takes no more requests of operators right now (429 ${code}): try again in a moment.`
    case 503:
      return `The gateway cannot do it right now (503 ${named})`
    default:
      return status >= 300 && status <= 399
        ? `${origin} redirects (${status}), which is not followed: write --url of the operators' listener itself.`
        : `${origin} answers ${status} ${named}`
  }
}

/** Looks into a JWT without trusting it: most tokens that are refused have run out. */
function tokenAdvice(token: string): string {
  const expiry = expiryOf(token)
  if (expiry !== undefined && expiry * 1000 <= Date.now())
    return `It expired at ${new Date(expiry * 1000).toISOString()}: get a new one. For a gateway of npm start: sallyport token --role ops > .sallyport/ops.token`
  return 'It must be current, of an issuer of gateway.yaml, and not bound to another certificate. The reason stands in the audit log.'
}

/** Seconds since the epoch, at most the year 9999. */
function expiryOf(token: string): number | undefined {
  try {
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'))
    const exp = (claims as { exp?: unknown } | null)?.exp
    return typeof exp === 'number' && exp > 0 && exp < 253_402_300_800 ? exp : undefined
  } catch {
    return undefined
  }
}
