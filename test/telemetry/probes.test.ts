import t from 'tap'
import {
  livez,
  type ProbeAnswer,
  type ReadyState,
  readyz,
  readyzOfWorkers,
} from '../../src/telemetry/probes.ts'

const now = Date.UTC(2026, 0, 2)
const day = 86_400_000
const good: ReadyState = {
  now,
  config: '0123456789abcdef',
  certificates: [{ role: 'traffic', notBefore: now - day, notAfter: now + day }],
  issuers: [{ issuer: 'idp', keys: 2 }],
  auditHealthy: true,
  quota: { available: true, replicas: 1, backlog: 0 },
  draining: false,
}

t.test('live as long as it answers', (t) => {
  t.same(livez(), { status: 200, body: { status: 'ok' } })
  t.end()
})

t.test('ready, and says why', (t) => {
  const { status, body } = readyz(good)
  t.equal(status, 200)
  t.equal(body.status, 'ok')
  t.equal(body.checks?.['config']?.detail, '0123456789abcdef')
  t.equal(body.checks?.['certificates']?.detail, 'valid until 2026-01-03T00:00:00.000Z')
  t.end()
})

const bad: [string, string, Partial<ReadyState>][] = [
  ['no configuration', 'config', { config: undefined }],
  ['no certificate', 'certificates', { certificates: [] }],
  ['certificate expired', 'certificates', { now: now + day }],
  ['certificate not yet valid', 'certificates', { now: now - 2 * day }],
  [
    'one of two certificates expired',
    'certificates',
    {
      certificates: [...good.certificates, { role: 'ops', notBefore: 0, notAfter: 1 }],
    },
  ],
  ['no issuer', 'keys', { issuers: [] }],
  ['no keys at all', 'keys', { issuers: [{ issuer: 'idp', keys: 0 }] }],
  ['audit log broken', 'audit', { auditHealthy: false }],
  ['draining', 'drain', { draining: true }],
]
for (const [name, failing, over] of bad) {
  t.test(`not ready: ${name}`, (t) => {
    const { status, body } = readyz({ ...good, ...over })
    t.equal(status, 503)
    t.equal(body.status, 'unavailable')
    const unready = Object.entries(body.checks ?? {}).filter(([, check]) => !check.ready)
    t.same(
      unready.map(([check]) => check),
      [failing],
    )
    t.end()
  })
}

t.test('a store of limits that is away is told, and no reason to send callers elsewhere', (t) => {
  const detailOf = (quota: ReadyState['quota']) => {
    const { status, body } = readyz({ ...good, quota })
    t.equal(status, 200)
    return body.checks?.['quota']?.detail
  }
  t.equal(detailOf({ available: true, replicas: 1, backlog: 0 }), 'available')
  t.equal(detailOf({ available: true, replicas: 3, backlog: 0 }), 'shared by 3 gateways')
  t.equal(
    detailOf({ available: false, replicas: 3, backlog: 7, awaySince: now }),
    "away since 2026-01-02T00:00:00.000Z: limits by this gateway's share, 7 settlements wait",
  )
  t.end()
})

t.test('an issuer without keys is named, yet the others are served', (t) => {
  const { status, body } = readyz({ ...good, issuers: [...good.issuers, { issuer: 'cluster', keys: 0 }] })
  t.equal(status, 200)
  t.equal(body.checks?.['keys']?.detail, 'without keys: cluster')
  t.end()
})

t.test('with workers: one that is ready is enough, unless all drain', (t) => {
  const answer = (status: 200 | 503, detail: string): ProbeAnswer => ({
    status,
    body: {
      status: status === 200 ? 'ok' : 'unavailable',
      checks: { audit: { ready: status === 200, detail } },
    },
  })
  const [good, bad] = [answer(200, 'writable'), answer(503, 'full')]
  const accepting = { wanted: 3, draining: false }
  t.match(readyzOfWorkers([bad, good, undefined], accepting), {
    status: 200,
    body: {
      status: 'ok',
      checks: { audit: { detail: 'writable' }, workers: { ready: true, detail: '1 of 3 are ready' } },
    },
  })
  t.match(readyzOfWorkers([bad, undefined], accepting), {
    status: 503,
    body: { status: 'unavailable', checks: { audit: { detail: 'full' }, workers: { ready: false } } },
  })
  t.match(readyzOfWorkers([], accepting), { status: 503, body: { checks: { workers: { ready: false } } } })
  t.match(readyzOfWorkers([good, good, good], { wanted: 3, draining: true }), {
    status: 503,
    body: { checks: { drain: { ready: false, detail: 'shutting down' }, workers: { ready: true } } },
  })
  t.end()
})
