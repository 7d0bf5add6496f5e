/** What operators see of the pools: the admin API and `sallyport pools`, against a gateway that serves. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { runOps } from '../commands/run-ops.ts'
import { type Stack, startStack } from '../support/stack.ts'

const stack: Stack = await startStack()
t.teardown(() => stack.stop())

const folder = join(stack.folder, 'operator')
mkdirSync(folder)
const files = {
  'ca.crt': stack.serverCa.cert,
  'me.crt': stack.client.cert,
  'me.key': stack.client.key,
  'ops.token': stack.token({ roles: ['auditor'] }),
  'ops.json': JSON.stringify({
    ...{ url: stack.ops, ca: 'ca.crt', cert: 'me.crt', key: 'me.key', tokenFile: 'ops.token' },
  }),
}
for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text, { mode: 0o600 })
const profile = join(folder, 'ops.json')

t.test('an auditor sees each server: state, share, calls, limit, load', async (t) => {
  const reply = await stack.admin('GET', '/pools', { token: stack.token({ roles: ['auditor'] }) })
  t.equal(reply.status, 200)
  t.match(await reply.json(), {
    pools: [
      {
        ...{
          name: 'gpu',
          server: 'vllm',
          models: ['demo', 'secret'],
          in_flight: 0,
          waiting: 0,
          panic: false,
        },
        endpoints: [{ state: 'healthy', held_by: 'none', share: 1, in_flight: 0, load_tokens: 0 }],
      },
    ],
  })
  const stranger = await stack.admin('GET', '/pools', { token: stack.token() })
  t.equal(stranger.status, 403)
  await stranger.text()
})

t.test('sallyport pools: a table for people, JSON for programs', async (t) => {
  const { code, out } = await runOps({ profile }, ['pools'])
  t.equal(code, 0)
  t.match(out, /^POOL +SERVER +STATE/)
  t.match(out, /\ngpu +https:\/\/localhost:\d+ +healthy +.* 100 % +0 +\d+ +0 +0 x +0\n$/)
  const json = await runOps({ profile }, ['pools', '--json'])
  t.match(JSON.parse(json.out), { pools: [{ name: 'gpu' }] })
})
