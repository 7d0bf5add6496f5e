// A deploy, small: two gateways as processes behind a real HAProxy, restarted one after the other under load.
// `npm run load:rolling-restart` is the same with 200 streams, five times.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { makeSecrets } from '../../loadtest/deploy/certificates.ts'
import { missed, rollingRun } from '../../loadtest/deploy/rolling-run.ts'

const parent = mkdtempSync(join(tmpdir(), 'sallyport-deploy-'))
t.teardown(() => rmSync(parent, { recursive: true, force: true }))

t.test('a rolling restart: no stream cut, no call failed, no record missing', async (t) => {
  const secrets = join(parent, 'secrets')
  await makeSecrets(secrets, 'test')
  const result = await rollingRun({ secrets, streams: 20, callsPerSecond: 10, words: 5, delayMs: 2_000 })
  t.same(missed(result), [])
  t.equal(result.drains.length, 2)
  t.ok(result.calls.made > 20)
  t.ok(result.streams.made > 20, 'streams that ended were followed by others')
})
