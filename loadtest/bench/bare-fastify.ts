// The bare relay, the floor that Sallyport is measured against: Fastify over mutual TLS hands each request to a model server
// with undici and copies the answer back. It authenticates by client certificate and does nothing else: no token, no limits,
// no redaction, no audit, no metrics, no log.
//   node loadtest/bench/bare-fastify.ts PORT UPSTREAM CERT KEY CA
import { readFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import Fastify from 'fastify'
import { Pool } from 'undici'

const [port, upstream, cert, key, ca] = process.argv.slice(2) as [string, string, string, string, string]
const pool = new Pool(upstream, { connections: 256, keepAliveTimeout: 4_000 })
const BODY_BYTES_MAX = 8 * 1024 * 1024

const app = Fastify({
  bodyLimit: BODY_BYTES_MAX,
  forceCloseConnections: true,
  https: {
    cert: readFileSync(cert),
    key: readFileSync(key),
    ca: readFileSync(ca),
    requestCert: true,
    rejectUnauthorized: true,
  },
})
app.removeAllContentTypeParsers()
// The body is handed on as it comes, unread.
app.addContentTypeParser('*', (_request, payload, done) => done(null, payload))
app.post('/*', async (request, reply) => {
  const answer = await pool.request({
    method: 'POST',
    path: request.url,
    headers: { 'content-type': 'application/json' },
    body: request.body as IncomingMessage,
  })
  return reply
    .code(answer.statusCode)
    .header('content-type', answer.headers['content-type'])
    .send(answer.body)
})
await app.listen({ port: Number(port), host: '127.0.0.1' })
process.stdout.write('ready\n')
process.once('SIGTERM', () => {
  void app.close()
  void pool.destroy()
})
