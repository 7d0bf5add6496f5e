// Files toward the model servers change under a gateway that serves: a wrong one is refused and the old one serves on.
import { chmodSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { issueServer } from '../support/certificates.ts'
import { callerOf, linesOf, put } from '../support/flow.ts'
import { startStack } from '../support/stack.ts'

const stack = await startStack({ model: { script: () => ({ content: ['word'] }) } })
t.teardown(() => stack.stop())
const read = (file: string): string => readFileSync(join(stack.folder, 'config', file), 'utf8')
const good = new Map(
  ['tls/upstream-ca.crt', 'tls/upstream.crt', 'tls/upstream.key', 'upstream.key'].map((file) => [
    file,
    read(file),
  ]),
)

const wrong: readonly (readonly [string, string, string])[] = [
  ['an empty bundle', 'tls/upstream-ca.crt', ''],
  [
    'half a bundle',
    'tls/upstream-ca.crt',
    String(good.get('tls/upstream-ca.crt')).slice(0, String(good.get('tls/upstream-ca.crt')).length >> 1),
  ],
  ['a key that is none', 'tls/upstream.key', 'garbage'],
  ['an empty API key', 'upstream.key', ''],
]
for (const [name, file, text] of wrong) {
  t.test(`${name} is refused, the old one serves on`, async (t) => {
    const caller = callerOf(stack)
    t.teardown(() => caller.close())
    t.equal((await caller.chat()).status, 200)
    const rejected = linesOf(stack, 'config.rejected').length
    const refused = linesOf(stack, 'upstreams.rejected').length
    put(stack, file, text)
    await stack.gateway.reload()
    t.ok(linesOf(stack, 'config.rejected').length > rejected)
    t.ok(linesOf(stack, 'upstreams.rejected').length > refused)
    t.equal((await caller.chat()).status, 200)
    put(stack, file, good.get(file) ?? '')
    await stack.gateway.reload()
    t.equal((await caller.chat()).status, 200)
  })
}

t.test('a key pair whose key everybody can read is not put into service', async (t) => {
  const reloaded = linesOf(stack, 'tls.reloaded').length
  const refused = linesOf(stack, 'tls.rejected').length
  const next = await issueServer(stack.serverCa)
  const key = join(stack.folder, 'config/tls/server.key')
  chmodSync(key, 0o644)
  put(stack, 'tls/server.key', next.key)
  put(stack, 'tls/server.crt', next.cert)
  await stack.gateway.reload()
  t.equal(linesOf(stack, 'tls.reloaded').length, reloaded)
  t.ok(linesOf(stack, 'tls.rejected').length > refused)
  chmodSync(key, 0o600)
  await stack.gateway.reload()
  t.equal(linesOf(stack, 'tls.reloaded').length, reloaded + 1)
})
