import t from 'tap'
import { probePathOf, probeVerdictOf } from '../../../src/upstream/health/probe-verdict.ts'
import type { ServerKind } from '../../../src/upstream/pool.ts'

const local: readonly ServerKind[] = ['vllm', 'sglang', 'llamacpp', 'tgi']

t.test('servers of our own are asked for their health', (t) => {
  for (const server of local) {
    t.equal(probePathOf(server), '/health')
    const verdicts = [200, 204, 301, 401, 404, 429, 500, 503, 599].map((status) =>
      probeVerdictOf(server, status),
    )
    t.same(verdicts, [
      ...['alive', 'alive', 'undecided', 'undecided', 'undecided', 'undecided'],
      ...['down', 'down', 'down'],
    ])
  }
  t.end()
})

t.test('a provider is alive when it wants a key or lists no models', (t) => {
  t.equal(probePathOf('openai'), '/v1/models')
  const verdicts = [200, 302, 401, 403, 404, 429, 500, 503].map((status) => probeVerdictOf('openai', status))
  t.same(verdicts, ['alive', 'undecided', 'alive', 'alive', 'alive', 'alive', 'down', 'down'])
  t.end()
})
