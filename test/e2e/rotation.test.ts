// Certificate, client authority, token keys and configuration are replaced under load on two gateways behind a real
// HAProxy. `npm run load:rotation` is the same with 200 streams, five times; what a replacement may do is in reload-*.test.ts.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { makeSecrets } from '../../loadtest/deploy/certificates.ts'
import { missed } from '../../loadtest/deploy/rolling-run.ts'
import { rotationRun } from '../../loadtest/deploy/rotation-run.ts'

const parent = mkdtempSync(join(tmpdir(), 'sallyport-rotation-'))
t.teardown(() => rmSync(parent, { recursive: true, force: true }))

t.test(
  'certificate, client authority, token keys and configuration: nothing is cut, nothing fails',
  async (t) => {
    const [secrets, next] = [join(parent, 'old'), join(parent, 'new')]
    await Promise.all([makeSecrets(secrets, 'old'), makeSecrets(next, 'new')])
    const load = { secrets, streams: 10, callsPerSecond: 10, words: 5, delayMs: 0 }
    const result = await rotationRun(load, next)
    t.same(missed(result), [])
    t.same(
      result.steps.map(({ name }) => name),
      ['server certificate', 'client CA', 'JWKS', 'configuration'],
    )
  },
)
