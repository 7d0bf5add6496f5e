/**
 * A simulated operators' listener: real mutual TLS and the rules of the admin API for versions and rights, over state in
 * memory that a test sets up. What a gateway would say of limits is whatever the test says.
 */
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { issueServer, makeAuthority } from './certificates.ts'

type Json = Record<string, unknown>

export interface SimulatedQuota {
  readonly rule: Json
  readonly source: 'config' | 'role' | 'operator'
  readonly version: number
  readonly configured: Json | null
}

export interface SimulatedAnswer {
  readonly status: number
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

export interface AskedOfOps {
  readonly method: string
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly body: unknown
}

export interface SimulatedOps {
  /** Holds `ops.json`, which names all that is needed. */
  readonly folder: string
  readonly profile: string
  readonly url: string
  readonly quotas: Map<string, SimulatedQuota>
  readonly asked: AskedOfOps[]
  /** Bodies that are answered as they are, by method and path without its query. */
  readonly answers: Map<string, SimulatedAnswer | ((asked: AskedOfOps) => SimulatedAnswer)>
  /** Called before each answer: a colleague who changes something at the same time. */
  meanwhile: (asked: AskedOfOps) => void | Promise<void>
  write(file: string, text: string): string
  stop(): Promise<void>
}

export const operatorToken = 'simulated-operator-token'

export async function startSimulatedOps(): Promise<SimulatedOps> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-ops-'))
  const write = (file: string, text: string): string => {
    writeFileSync(join(folder, file), text, { mode: 0o600 })
    return join(folder, file)
  }
  const [serverCa, clientCa, otherCa] = await Promise.all(
    ['server', 'client', 'other'].map((name) => makeAuthority(`test ${name} CA`)),
  )
  if (!serverCa || !clientCa || !otherCa) throw new Error('no authority')
  const [server, client, other] = await Promise.all([
    issueServer(serverCa),
    clientCa.issue({ uris: ['spiffe://td.test/operator'] }),
    otherCa.issue({ uris: ['spiffe://td.test/operator'] }),
  ])
  const listener = createServer({
    cert: server.cert,
    key: server.key,
    ca: clientCa.cert,
    requestCert: true,
    rejectUnauthorized: true,
    minVersion: 'TLSv1.3',
  })
  const ops: SimulatedOps = {
    folder,
    profile: join(folder, 'ops.json'),
    url: '',
    quotas: new Map(),
    asked: [],
    answers: new Map(),
    meanwhile: () => {},
    write,
    stop: async () => {
      listener.closeAllConnections()
      listener.close()
      await once(listener, 'close')
      rmSync(folder, { recursive: true, force: true })
    },
  }
  listener.on('request', (request, response) => void serve(ops, request, response))
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const url = `https://localhost:${(listener.address() as AddressInfo).port}`
  for (const [file, text] of Object.entries({
    'ca.crt': serverCa.cert,
    'client.crt': client.cert,
    'client.key': client.key,
    'other-ca.crt': otherCa.cert,
    'other.crt': other.cert,
    'other.key': other.key,
    token: `${operatorToken}\n`,
  }))
    write(file, text)
  const profile = { url, ca: 'ca.crt', cert: 'client.crt', key: 'client.key', tokenFile: 'token' }
  write('ops.json', JSON.stringify(profile))
  return Object.assign(ops, { url })
}

async function serve(ops: SimulatedOps, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const text = Buffer.concat(chunks).toString('utf8')
  const asked: AskedOfOps = {
    method: request.method ?? '',
    path: request.url ?? '',
    headers: request.headers,
    body: text === '' ? undefined : JSON.parse(text),
  }
  ops.asked.push(asked)
  await ops.meanwhile(asked)
  const { status, body, headers = {} } = answerOf(ops, asked)
  response.writeHead(status, { 'content-type': 'application/json', 'x-request-id': 'req-1', ...headers })
  response.end(body === undefined ? undefined : JSON.stringify(body))
}

function answerOf(ops: SimulatedOps, asked: AskedOfOps): SimulatedAnswer {
  const { method, path, headers } = asked
  if (headers.authorization !== `Bearer ${operatorToken}`) return refusal(401, 'invalid_token')
  const [place = ''] = path.split('?')
  const given = ops.answers.get(`${method} ${place}`)
  if (given !== undefined) return typeof given === 'function' ? given(asked) : given
  if (method === 'GET' && place === '/admin/v1/quotas')
    return { status: 200, body: { quotas: [...ops.quotas.keys()].map((name) => quotaBody(ops, name)) } }
  const name = /^\/admin\/v1\/quotas\/([^/]+)$/.exec(place)?.[1]
  return name === undefined ? refusal(404, 'unknown_url') : quotaAnswer(ops, decodeURIComponent(name), asked)
}

export const refusal = (status: number, code: string, message = 'No.', param?: string): SimulatedAnswer => ({
  status,
  body: { error: { message, type: 'invalid_request_error', code, param: param ?? null } },
})

const quotaBody = (ops: SimulatedOps, name: string): Json => {
  const { version, ...quota } = ops.quotas.get(name) as SimulatedQuota
  return {
    name,
    ...quota,
    version: String(version),
    changed_by: version === 0 ? null : 'alice',
    changed_at: version === 0 ? null : '2026-08-01T12:00:00.000Z',
  }
}

function quotaAnswer(ops: SimulatedOps, name: string, asked: AskedOfOps): SimulatedAnswer {
  const found = ops.quotas.get(name)
  if (asked.method === 'PUT') return putAnswer(ops, name, asked)
  if (found === undefined) return refusal(404, 'unknown_limit')
  if (asked.method === 'DELETE') return deleteAnswer(ops, { name, found }, asked)
  return { status: 200, headers: { etag: `"${found.version}"` }, body: quotaBody(ops, name) }
}

function putAnswer(ops: SimulatedOps, name: string, { headers, body }: AskedOfOps): SimulatedAnswer {
  const { version = 0, configured = null } = ops.quotas.get(name) ?? {}
  const match = headers['if-match']
  const none = headers['if-none-match']
  if (match === undefined && none === undefined) return refusal(428, 'precondition_required')
  if (none === '*' ? version > 0 : match !== `"${version}"`) return refusal(412, 'version_changed')
  ops.quotas.set(name, { rule: body as Json, source: 'operator', version: version + 1, configured })
  const etag = `"${version + 1}"`
  return { status: version === 0 ? 201 : 200, headers: { etag }, body: quotaBody(ops, name) }
}

function deleteAnswer(
  ops: SimulatedOps,
  { name, found }: { readonly name: string; readonly found: SimulatedQuota },
  { headers }: AskedOfOps,
): SimulatedAnswer {
  const { configured, version } = found
  if (headers['if-match'] !== `"${version}"`) return refusal(412, 'version_changed')
  if (configured === null) ops.quotas.delete(name)
  else ops.quotas.set(name, { rule: configured, source: 'config', version: 0, configured })
  return { status: 204 }
}
