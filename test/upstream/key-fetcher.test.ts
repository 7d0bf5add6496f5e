import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { systemClock } from '../../src/clock.ts'
import { RemoteKeys } from '../../src/identity/jwks.ts'
import type { FetchFault } from '../../src/identity/key-fetching.ts'
import { createKeyFetcher } from '../../src/upstream/key-fetcher.ts'
import { jwksOf, makeKey } from '../identity/token-maker.ts'
import { makePair } from '../support/certificates.ts'

type Answer = (request: IncomingMessage, response: ServerResponse) => void

const { ca, server: identity } = await makePair(['spiffe://td.test/a'])
const good = jwksOf(makeKey('k1'))

const answerWith =
  (body: Uint8Array | string, headers: Record<string, string> = {}, status = 200): Answer =>
  (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body)
  }

interface Issuer extends AsyncDisposable {
  readonly url: string
  readonly state: { requests: number; answer: Answer }
}

async function serve(answer: Answer): Promise<Issuer> {
  const state = { requests: 0, answer }
  const server: Server = createServer({ cert: identity.cert, key: identity.key }, (request, response) => {
    state.requests += 1
    response.on('error', () => undefined)
    state.answer(request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `https://localhost:${(server.address() as AddressInfo).port}/jwks?p=1`
  const close = async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  return { url, state, [Symbol.asyncDispose]: close }
}

const limits = { signal: new AbortController().signal, bytesMax: 262_144, timeoutMs: 5000 }

async function fetchOnce(
  answer: Answer,
  more: Partial<typeof limits> = {},
): Promise<Uint8Array | FetchFault> {
  await using issuer = await serve(answer)
  const fetcher = createKeyFetcher({ ca: ca.cert })
  try {
    return await fetcher.fetchKeys(issuer.url, { ...limits, ...more })
  } finally {
    await fetcher.close()
  }
}

t.test('fetches the bytes, with either media type', async (t) => {
  t.same(await fetchOnce(answerWith(good)), good)
  const typed = answerWith(good, { 'content-type': 'Application/JWK-Set+json; charset=utf-8' })
  t.same(await fetchOnce(typed), good)
})

t.test('asks with GET, for the path and query of the configuration, uncompressed', async (t) => {
  const seen: unknown[] = []
  await fetchOnce((request, response) => {
    seen.push(request.method, request.url, request.headers['accept-encoding'], request.headers.authorization)
    answerWith(good)(request, response)
  })
  t.same(seen, ['GET', '/jwks?p=1', 'identity', undefined])
})

t.test('a redirect is refused and its target hears nothing', async (t) => {
  await using target = await serve(answerWith(good))
  for (const status of [301, 302, 303, 307, 308]) {
    const answer = answerWith('', { location: target.url }, status)
    t.equal(await fetchOnce(answer), 'fetch_status')
  }
  t.equal(target.state.requests, 0)
})

t.test('errors of the server, other media types and compression are refused', async (t) => {
  for (const status of [201, 204, 404, 500, 503]) {
    t.equal(await fetchOnce(answerWith(status === 204 ? '' : good, {}, status)), 'fetch_status')
  }
  for (const type of ['text/html', 'text/json', '', 'application/jsonx']) {
    t.equal(await fetchOnce(answerWith(good, { 'content-type': type })), 'fetch_content_type', type)
  }
  t.equal(await fetchOnce(answerWith(good, { 'content-encoding': 'gzip' })), 'fetch_content_type')
})

t.test('200 MB are cut off at the bound', async (t) => {
  let written = 0
  const endless: Answer = (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' })
    const chunk = Buffer.alloc(65_536, ' ')
    const push = (): void => {
      while (!response.destroyed && written < 200_000_000) {
        written += chunk.length
        if (!response.write(chunk)) {
          response.once('drain', push)
          return
        }
      }
    }
    push()
  }
  t.equal(await fetchOnce(endless), 'fetch_too_large')
  t.ok(written < 20_000_000, `the server could send only ${written} bytes`)
})

t.test('a server that hangs before the head or within the body is given up', async (t) => {
  t.equal(await fetchOnce(() => undefined, { timeoutMs: 200 }), 'fetch_timeout')
  const stalls: Answer = (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).write('{"keys":')
  }
  t.equal(await fetchOnce(stalls, { timeoutMs: 200 }), 'fetch_timeout')
})

t.test('a body that ends too early is refused', async (t) => {
  const cut: Answer = (_request, response) => {
    response
      .writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' })
      .write('{"keys":')
    setImmediate(() => response.destroy())
  }
  t.equal(await fetchOnce(cut), 'fetch_failed')
})

t.test('only https, and only an authority that is trusted', async (t) => {
  await using issuer = await serve(answerWith(good))
  const strict = createKeyFetcher() // without our test authority
  t.equal(await strict.fetchKeys(issuer.url, limits), 'fetch_failed')
  t.equal(await strict.fetchKeys(issuer.url.replace('https', 'http'), limits), 'fetch_failed')
  t.equal(issuer.state.requests, 0)
  await strict.close()
})

t.test('an aborted fetch ends', async (t) => {
  const controller = new AbortController()
  const fetching = fetchOnce(() => controller.abort(), { signal: controller.signal })
  t.equal(await fetching, 'fetch_failed')
})

t.test(
  '500 random key ids cost at most two fetches, and an outage serves the keys that are there',
  async (t) => {
    await using issuer = await serve(answerWith(good))
    const fetcher = createKeyFetcher({ ca: ca.cert })
    const results: string[] = []
    const onRefresh = (result: string, fault?: string) => results.push(fault ?? result)
    const keys = new RemoteKeys({ url: issuer.url, fetcher, clock: systemClock, onRefresh })
    await keys.refresh()
    const asked = await Promise.allSettled(
      Array.from({ length: 500 }, (_, index) => keys.find(`random-${index}`)),
    )
    t.ok(asked.every((each) => each.status === 'rejected' && each.reason.detail === 'unknown_key'))
    t.ok(issuer.state.requests <= 2)
    issuer.state.answer = answerWith('down', {}, 503)
    await keys.refresh()
    t.equal((await keys.find('k1')).key.kid, 'k1')
    t.same(results, ['changed', 'fetch_status'])
    await keys.close()
    await fetcher.close()
  },
)
