/** A caller that sends bytes, not requests: one TLS connection, and every reply that comes back on it, counted. */
import { connect, type TLSSocket } from 'node:tls'
import type { Stack } from './stack.ts'

export interface RawReply {
  readonly status: number
  /** Status line and header lines as they came. */
  readonly head: string
  /** Lower-case names; a name that came twice is joined with a comma. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export interface RawOptions {
  /** SNI; `''` sends none. */
  readonly serverName?: string
}

interface Parsed {
  readonly reply: RawReply
  readonly rest: string
}

/** How long a reply or a close may take before the test fails: far above every bound that a test sets. */
const PATIENCE_MS = 10_000

/**
 * One connection with a good client certificate.
 * Replies are read as latin1 so that offsets are bytes; `rest` holds what does not make a whole reply (yet).
 */
export class RawConnection {
  readonly socket: TLSSocket
  readonly replies: RawReply[] = []
  /** Resolves when the connection is over, however it ended. */
  readonly closed: Promise<void>
  rest = ''
  isClosed = false
  readonly #changed = new EventTarget()

  constructor(socket: TLSSocket) {
    this.socket = socket
    const { promise, resolve } = Promise.withResolvers<void>()
    this.closed = promise
    // A gateway that cuts a caller resets the connection: that is an ending like any other here.
    socket.on('error', () => {})
    socket.on('close', () => {
      this.isClosed = true
      this.#changed.dispatchEvent(new Event('change'))
      resolve()
    })
    socket.on('data', (chunk: Buffer) => {
      this.rest += chunk.toString('latin1')
      for (let next = parseReply(this.rest); next !== undefined; next = parseReply(this.rest)) {
        this.replies.push(next.reply)
        this.rest = next.rest
      }
      this.#changed.dispatchEvent(new Event('change'))
    })
  }

  send(bytes: string | Uint8Array): this {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)
    return this
  }

  /** The replies so far, once there are `count` of them or the connection has ended. */
  async answered(count: number): Promise<readonly RawReply[]> {
    await this.when(() => this.replies.length >= count)
    return this.replies
  }

  /** Waits until `ready` holds or the connection has ended. */
  async when(ready: () => boolean): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const look = (): void => {
      if (ready() || this.isClosed) resolve()
    }
    const timer = setTimeout(() => reject(new Error('the gateway neither answered nor closed')), PATIENCE_MS)
    this.#changed.addEventListener('change', look)
    look()
    try {
      await promise
    } finally {
      clearTimeout(timer)
      this.#changed.removeEventListener('change', look)
    }
  }

  /** All replies, when the gateway has ended the connection by itself. */
  async cut(): Promise<readonly RawReply[]> {
    await this.when(() => false)
    return this.replies
  }

  destroy(): void {
    this.socket.destroy()
  }
}

/** Opens a connection to the traffic listener of a stack. */
export async function openRaw(
  stack: Stack,
  { serverName = 'localhost' }: RawOptions = {},
): Promise<RawConnection> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const socket = connect(
    {
      host: '127.0.0.1',
      port: stack.port,
      servername: serverName,
      ca: stack.serverCa.cert,
      cert: stack.client.cert,
      key: stack.client.key,
      checkServerIdentity: () => undefined,
    },
    resolve,
  )
  socket.once('error', reject)
  await promise
  return new RawConnection(socket)
}

/** Sends bytes on a connection of their own and waits for so many replies, or for the end where none is given. */
export async function rawReplies(
  stack: Stack,
  bytes: string | Uint8Array,
  options: RawOptions & { readonly count?: number } = {},
): Promise<{ readonly replies: readonly RawReply[]; readonly isClosed: boolean; readonly rest: string }> {
  const connection = await openRaw(stack, options)
  try {
    connection.send(bytes)
    await (options.count === undefined ? connection.cut() : connection.answered(options.count))
    const { replies, isClosed, rest } = connection
    return { replies: [...replies], isClosed, rest }
  } finally {
    connection.destroy()
  }
}

export interface RequestParts {
  readonly method?: string
  readonly target?: string
  /** Header lines in the order they are sent; `Host` and `Authorization` are put before them unless left out. */
  readonly headers?: readonly string[]
  readonly body?: string
  readonly token?: string | undefined
  readonly host?: string | undefined
  /** `false` leaves `content-type` and `content-length` to `headers`. */
  readonly framed?: boolean
}

/** A request, one character for each byte (a body is UTF-8): good unless the parts make it bad. */
export function requestText(parts: RequestParts): string {
  const { method = 'POST', target = '/v1/chat/completions', headers = [], body = '' } = parts
  const { host = 'localhost', token, framed = body !== '' } = parts
  const lines = [
    `${method} ${target} HTTP/1.1`,
    ...('host' in parts && parts.host === undefined ? [] : [`Host: ${host}`]),
    ...(token === undefined ? [] : [`Authorization: Bearer ${token}`]),
    ...(framed ? ['Content-Type: application/json', `Content-Length: ${Buffer.byteLength(body)}`] : []),
    ...headers,
  ]
  return `${lines.join('\r\n')}\r\n\r\n${Buffer.from(body).toString('latin1')}`
}

export const chatBody = (fields: Record<string, unknown> = {}): string =>
  JSON.stringify({ model: 'demo', messages: [{ role: 'user', content: 'hi' }], max_tokens: 8, ...fields })

const headEnd = '\r\n\r\n'

function parseReply(text: string): Parsed | undefined {
  const end = text.indexOf(headEnd)
  if (end === -1) return undefined
  const head = text.slice(0, end)
  const [statusLine = '', ...lines] = head.split('\r\n')
  const headers: Record<string, string> = {}
  for (const line of lines) {
    const colon = line.indexOf(':')
    const name = line.slice(0, colon).toLowerCase()
    const value = line.slice(colon + 1).trim()
    headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`
  }
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(statusLine)?.[1] ?? Number.NaN)
  const after = text.slice(end + headEnd.length)
  const body = status < 200 ? { body: '', rest: after } : bodyOf(headers, after)
  return body && { reply: { status, head, headers, body: body.body }, rest: body.rest }
}

function bodyOf(
  headers: Readonly<Record<string, string>>,
  text: string,
): { readonly body: string; readonly rest: string } | undefined {
  if (headers['transfer-encoding'] === 'chunked') return dechunk(text)
  const length = Number(headers['content-length'] ?? '0')
  return text.length < length ? undefined : { body: text.slice(0, length), rest: text.slice(length) }
}

function dechunk(text: string): { readonly body: string; readonly rest: string } | undefined {
  let body = ''
  for (let at = 0; ; ) {
    const lineEnd = text.indexOf('\r\n', at)
    if (lineEnd === -1) return undefined
    const size = Number.parseInt(text.slice(at, lineEnd), 16)
    const next = lineEnd + 2 + size + 2
    if (text.length < next) return undefined
    if (size === 0) return { body, rest: text.slice(next) }
    body += text.slice(lineEnd + 2, next - 2)
    at = next
  }
}
