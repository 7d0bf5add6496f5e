// CVE-2025-66405 (Portkey, `x-portkey-custom-host`), CVE-2024-6587 (LiteLLM, `api_base`): the caller chose the server,
// and got the provider's key sent there. Here where a call goes is decided by the configuration alone.
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import t from 'tap'
import { chatBody, openRaw, rawReplies, requestText } from '../support/raw-client.ts'
import { startStack } from '../support/stack.ts'

const stack = await startStack()
t.teardown(() => stack.stop())
const token = stack.token()

let visits = 0
const listener = createServer((socket) => {
  visits += 1
  socket.destroy()
}).listen(0, '127.0.0.1')
await once(listener, 'listening')
t.teardown(() => listener.close())
const address = `127.0.0.1:${(listener.address() as AddressInfo).port}`
const origin = `http://${address}`

const headerNames = [
  'x-portkey-custom-host',
  'x-portkey-provider',
  'x-portkey-config',
  'x-portkey-forward-headers',
  'x-litellm-api-base',
  'api-base',
  'x-api-base',
  'base-url',
  'x-base-url',
  'x-target-url',
  'x-upstream-url',
  'x-proxy-url',
  'x-original-host',
  'x-forwarded-host',
  'x-forwarded-server',
  'x-host',
  'forwarded',
  'x-gateway-destination-endpoint',
  'x-gateway-destination-endpoint-subset',
  'x-prefiller-host-port',
  'x-encoder-hosts-ports',
  'x-data-parallel-host-port',
  'helicone-target-url',
  'helicone-openai-api-base',
  'openai-base-url',
  'x-callback-url',
  'proxy',
  'http-proxy',
  'location',
  'destination',
]

t.test('headers that name a server name nothing', async (t) => {
  for (const value of [
    origin,
    address,
    JSON.stringify({ custom_host: origin, provider: 'openai', api_key: 'x' }),
  ]) {
    const headers = headerNames.map((name) => `${name}: ${value}`)
    const { replies } = await rawReplies(stack, requestText({ token, body: chatBody(), headers }), {
      count: 1,
    })
    t.equal(replies[0]?.status, 200)
    t.notMatch(JSON.stringify(stack.model.requests.at(-1)), address, 'and are not passed on')
  }
  t.equal(stack.model.stats.requests, 3, 'the configured server answered')
})

t.test('nor do fields', async (t) => {
  const before = stack.model.stats.requests
  const names = [
    'api_base',
    'base_url',
    'custom_host',
    'server_url',
    'endpoint',
    'proxy',
    'custom_llm_provider',
    'litellm_params',
  ]
  const caller = await openRaw(stack)
  for (const [place, name] of names.entries()) {
    const bytes = requestText({ token, body: chatBody({ [name]: origin }) })
    const replies = await caller.send(bytes).answered(place + 1)
    t.match(
      JSON.parse(replies[place]?.body ?? ''),
      { error: { code: /^un(known|supported)_parameter$/ } },
      name,
    )
  }
  for (const [place, model] of [
    `openai/${origin}`,
    `${origin}/v1`,
    `demo@${address}`,
    `//${address}/demo`,
  ].entries()) {
    const bytes = requestText({ token: stack.token({ roles: ['admin'] }), body: chatBody({ model }) })
    const replies = await caller.send(bytes).answered(names.length + place + 1)
    t.equal(replies.at(-1)?.status, 404, model)
  }
  caller.destroy()
  t.equal(stack.model.stats.requests, before)
})

t.test('nobody was visited', (t) => {
  t.equal(visits, 0)
  t.end()
})
