// The floor that Sallyport is measured against: an HTTPS server that hands each request to a model server with undici
// and copies the answer back. It authenticates by client certificate and does nothing else: no token, no limits, no
// redaction, no audit, no metrics.
//   node loadtest/bench/bare-relay.ts PORT UPSTREAM CERT KEY CA
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import { pipeline } from 'node:stream/promises'
import { Pool } from 'undici'

const [port, upstream, cert, key, ca] = process.argv.slice(2) as [string, string, string, string, string]
const pool = new Pool(upstream, { connections: 256, keepAliveTimeout: 4_000 })

const server = createServer(
  {
    cert: readFileSync(cert),
    key: readFileSync(key),
    ca: readFileSync(ca),
    requestCert: true,
    rejectUnauthorized: true,
  },
  async (request, response) => {
    const answer = await pool.request({
      method: 'POST',
      path: request.url ?? '/',
      headers: { 'content-type': 'application/json' },
      body: request,
    })
    response.writeHead(answer.statusCode, { 'content-type': String(answer.headers['content-type']) })
    await pipeline(answer.body, response).catch(() => response.destroy())
  },
)
server.listen(Number(port), '127.0.0.1', () => process.stdout.write('ready\n'))
process.once('SIGTERM', () => {
  server.close()
  server.closeAllConnections()
  void pool.destroy()
})
