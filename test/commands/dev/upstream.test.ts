import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { findUpstream } from '../../../src/commands/dev/upstream.ts'
import { freePorts } from '../../support/stack.ts'

async function serverWith(t: Test, listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const modelsOf =
  (data: unknown): RequestListener =>
  (_request, response) =>
    void response.end(JSON.stringify({ object: 'list', data }))

t.test('the models that a server lists, and what it is by how it lists them', async (t) => {
  for (const owner of ['vllm', 'sglang', 'llamacpp'] as const) {
    const origin = await serverWith(t, modelsOf([{ id: 'org/model-7b', owned_by: owner }]))
    t.same(await findUpstream(`${origin}/v1`), {
      origin,
      server: owner,
      models: [{ name: 'org/model-7b', upstreamModel: 'org/model-7b' }],
      secured: 'none',
    })
  }
})

t.test('llama.cpp names a model by the path of its file: callers use the last part', async (t) => {
  const origin = await serverWith(t, modelsOf([{ id: '/srv/models/tiny.gguf', owned_by: 'llamacpp' }]))
  const { models } = await findUpstream(origin)
  t.same(models, [{ name: 'tiny.gguf', upstreamModel: '/srv/models/tiny.gguf' }])
})

t.test('names that nobody could call are left out, and a list without others is refused', async (t) => {
  const odd = [{ id: 'two words' }, { id: 7 }, null, {}, { id: 'x'.repeat(600) }]
  const some = await serverWith(t, modelsOf([...odd, { id: 'good' }]))
  t.same((await findUpstream(some)).models, [{ name: 'good', upstreamModel: 'good' }])
  const none = await serverWith(t, modelsOf(odd))
  await t.rejects(findUpstream(none), { message: /names no model that a caller could use/ })
})

t.test('answers that are no list of models', async (t) => {
  const answers: readonly (readonly [RequestListener, RegExp])[] = [
    [(_request, response) => void response.writeHead(401).end(), /asks for a key \(401\)\. For that, write/],
    [(_request, response) => void response.writeHead(404).end(), /answers 404, not a list/],
    [(_request, response) => void response.writeHead(302, { location: 'http://a/' }).end(), /answers 302/],
    [(_request, response) => void response.end('<html>'), /does not answer with a list/],
    [(_request, response) => void response.end('{"data":{}}'), /does not answer with a list/],
    [(_request, response) => void response.end('null'), /does not answer with a list/],
  ]
  for (const [listener, message] of answers) {
    await t.rejects(findUpstream(await serverWith(t, listener)), { name: 'CommandFailed', message })
  }
})

t.test('addresses that are none, and a server that is not there', async (t) => {
  for (const address of ['', 'localhost:8000', 'ftp://host', 'http://user:secret@host:8000']) {
    const failure = await findUpstream(address).catch((error: Error) => error)
    t.match(failure, { name: 'CommandFailed', message: /not an address such as http:\/\/localhost:8000/ })
    t.notMatch((failure as Error).message, 'secret')
  }
  await t.rejects(findUpstream('https://localhost:8000'), { message: /For https write a configuration/ })
  const [closed] = (await freePorts(1)) as [number]
  await t.rejects(findUpstream(`http://localhost:${closed}`), { message: /\(ECONNREFUSED\)\. Start it/ })
})
