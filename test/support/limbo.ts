/** Runs one x509-limbo chain against a real mutual TLS server with our rules on top, or offline where it must be. */
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, request } from 'node:https'
import type { AddressInfo } from 'node:net'
import { guardConnections, secureServerOptions } from '../../plugins/mutual-tls.ts'
import { loadTlsMaterial, type TlsMaterial } from '../../src/identity/tls-material.ts'
import { TlsMaterialRefused } from '../../src/identity/tls-problems.ts'
import * as trust from '../../src/identity/trust.ts'
import { Refusal } from '../../src/refusal.ts'
import type { Identity } from './certificates.ts'

export interface LimboCase {
  readonly id: string
  readonly trusted_certs: readonly string[]
  readonly untrusted_intermediates: readonly string[]
  readonly peer_certificate: string
  readonly peer_certificate_key: string | null
  readonly validation_time: string | null
  readonly expected_result: 'SUCCESS' | 'FAILURE'
  readonly max_chain_depth: number | null
  readonly crls: readonly string[]
}

/** `accept`, or where it was refused: `load` (the authority), `tls` (OpenSSL), or the fault of our own rules. */
export interface LimboVerdict {
  readonly verdict: string
  /** Whether TLS was spoken; a case that needs another date, or has no key, is run through our rules alone. */
  readonly live: boolean
}

const folder = new URL('../vectors/x509-limbo/', import.meta.url)
const read = (name: string): unknown => JSON.parse(readFileSync(new URL(name, folder), 'utf8'))

export const limboCases = (): readonly LimboCase[] =>
  (read('limbo-client.json') as { testcases: readonly LimboCase[] }).testcases

/** What a plain Node 26.10 server without our rules said: id, limbo's expectation, verdict. */
export const plainNodeVerdicts = (): readonly (readonly [string, string, string])[] =>
  read('result-client.json') as (readonly [string, string, string])[]

/** `server` must be valid at every date of the cases. */
export async function runLimbo(limbo: LimboCase, server: Identity): Promise<LimboVerdict> {
  const time = limbo.validation_time === null ? Date.now() : Date.parse(limbo.validation_time)
  const live = limbo.peer_certificate_key !== null && isTimeless(limbo, time)
  let material: TlsMaterial
  try {
    material = materialOf(limbo, server, live ? Date.now() : time)
  } catch (error) {
    if (error instanceof TlsMaterialRefused) return { verdict: 'load', live: false }
    throw error
  }
  if (!live) return { verdict: offline(limbo, material, time), live }
  return { verdict: await overTls(limbo, material, server), live }
}

function materialOf(limbo: LimboCase, server: Identity, now: number): TlsMaterial {
  const bytes = (text: string): Buffer => Buffer.from(text)
  return loadTlsMaterial(
    {
      certificate: bytes(server.cert),
      key: bytes(server.key),
      clientCa: bytes(limbo.trusted_certs.join('')),
      ...(limbo.crls.length > 0 ? { crl: limbo.crls.map(bytes) } : {}),
    },
    // limbo counts the certificates between leaf and authority, we count the leaf as well.
    { minVersion: 'TLSv1.3', sessionTickets: false, chainDepthMax: (limbo.max_chain_depth ?? 8) + 1, now },
  )
}

/** Whether today is as good a date as the one of the case. */
function isTimeless(limbo: LimboCase, time: number): boolean {
  if (limbo.validation_time === null) return true
  const all = [limbo.peer_certificate, ...limbo.untrusted_intermediates, ...limbo.trusted_certs]
  return all.every((pem) => isSameAt(new X509Certificate(pem), time, Date.now()))
}

const isSameAt = ({ validFrom, validTo }: X509Certificate, a: number, b: number): boolean => {
  const inside = (time: number): boolean => Date.parse(validFrom) <= time && time <= Date.parse(validTo)
  return inside(a) && inside(b)
}

function offline(limbo: LimboCase, material: TlsMaterial, time: number): string {
  const presented = limbo.untrusted_intermediates.map((pem) => new X509Certificate(pem))
  try {
    trust.verifyPeer(material.trust, new X509Certificate(limbo.peer_certificate), presented, time)
    return 'accept'
  } catch (error) {
    if (error instanceof Refusal) return error.detail
    throw error
  }
}

async function overTls(limbo: LimboCase, material: TlsMaterial, identity: Identity): Promise<string> {
  const server = createServer(secureServerOptions(material, { handshakeTimeoutMs: 5_000 }))
  const guard = guardConnections(server, {
    material,
    trust,
    connectionsMax: 10,
    serverNames: undefined,
    now: Date.now,
    handshakeFailed: () => {},
  })
  server.on('request', (incoming, outgoing) => {
    try {
      guard.peerOf(incoming.socket)
      outgoing.end('accept')
    } catch (error) {
      outgoing.end(error instanceof Refusal ? error.detail : 'failure')
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  try {
    return await ask((server.address() as AddressInfo).port, limbo, identity)
  } finally {
    server.close()
    server.closeAllConnections()
  }
}

function ask(port: number, limbo: LimboCase, identity: Identity): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>()
  const { peer_certificate: leaf, peer_certificate_key: key, untrusted_intermediates: rest } = limbo
  try {
    request({
      port,
      host: '127.0.0.1',
      ca: identity.cert,
      cert: [leaf, ...rest].join(''),
      key: key ?? '',
      agent: false,
      rejectUnauthorized: false,
      // A caller may use what it likes; only the server's answer is of interest.
      ciphers: 'DEFAULT:@SECLEVEL=0',
    })
      .on('error', () => resolve('tls'))
      .on('response', (response) => response.setEncoding('utf8').on('data', resolve))
      .end()
  } catch {
    // OpenSSL does not even load it at the caller's side.
    resolve('client')
  }
  return promise
}
