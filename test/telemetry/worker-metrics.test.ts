import fc from 'fast-check'
import t from 'tap'
import { KnownNames } from '../../src/telemetry/known-names.ts'
import { Metrics } from '../../src/telemetry/metrics.ts'
import { merged, ofPrimary, type Snapshot } from '../../src/telemetry/snapshot.ts'
import { WorkerMetrics } from '../../src/telemetry/worker-metrics.ts'
import { namingFaults, parseExposition, sampleOf } from './exposition.ts'

const build = { version: '0.1.0', node: process.versions.node }
const json = <Value>(value: Value): Value => JSON.parse(JSON.stringify(value))

function simulatedProcess() {
  const names = new KnownNames()
  names.learn('model', ['demo'])
  names.learn('pool', ['gpu'])
  const metrics = new Metrics(names, build)
  return { metrics, read: async (): Promise<Snapshot> => json(await metrics.snapshot()) }
}

function exchange({ metrics }: { readonly metrics: Metrics }, durationMs: number): void {
  metrics.exchangeStarted().ended({
    endpoint: 'chat.completions',
    method: 'POST',
    model: 'demo',
    status: 200,
    outcome: 'completed',
    durationMs,
    overheadMs: 1,
  })
}

function whole(workers: readonly { read(): Promise<Snapshot> }[]) {
  const primary = simulatedProcess()
  let missed = 0
  const metrics = new WorkerMetrics({
    own: async () => ofPrimary(await primary.metrics.snapshot()),
    missed: () => {
      missed += 1
      primary.metrics.workerScrapeMissed()
    },
  })
  const leaves = workers.map(({ read }) => metrics.add(read))
  return {
    primary,
    leaves,
    add: (read: () => Promise<Snapshot>) => metrics.add(read),
    missed: () => missed,
    scrape: async () => parseExposition(await metrics.render()),
    text: () => metrics.render(),
  }
}

t.test('counters and histograms are summed, gauges as their meaning says, info once', async (t) => {
  const workers = [simulatedProcess(), simulatedProcess()] as const
  for (const [index, worker] of workers.entries()) {
    worker.metrics.configRuns('0123456789abcdef')
    for (let count = 0; count <= index; count += 1) exchange(worker, 10 * (count + 1))
    worker.metrics.exchangeStarted()
    worker.metrics.watch({
      audit: { healthy: index === 0, queued: 2, head: { seq: 10 } },
      quota: { size: { buckets: 7, leases: 1 }, health: { available: true, replicas: 1, backlog: 1 } },
      certificates: () => [{ role: 'traffic', notAfter: (index + 1) * 1_000_000 }],
      keySets: () => [],
    })
  }
  const { scrape, primary } = whole(workers)
  primary.metrics.workersNow(2, 0)
  const families = await scrape()
  t.same(namingFaults(families), [])
  const of = (name: string, labels = {}) => sampleOf(families, name, labels)
  t.equal(of('sallyport_requests_total', { outcome: 'completed' }), 3)
  t.equal(of('sallyport_request_duration_seconds_count'), 3)
  t.ok(Math.abs(Number(of('sallyport_request_duration_seconds_sum')) - 0.04) < 1e-9)
  t.equal(of('sallyport_requests_in_flight'), 2)
  t.equal(of('sallyport_config_info', { hash: '0123456789abcdef' }), 1)
  t.equal(of('sallyport_build_info'), 1)
  t.equal(of('sallyport_audit_healthy'), 0, 'one of them cannot write')
  t.equal(of('sallyport_audit_last_seq'), 20)
  t.equal(of('sallyport_audit_queue_depth'), 4)
  t.equal(of('sallyport_quota_buckets'), 7, 'one store')
  t.equal(of('sallyport_quota_settlements_waiting'), 2)
  t.equal(of('sallyport_tls_certificate_not_after_seconds', { role: 'traffic' }), 1_000)
  t.equal(of('sallyport_workers', { state: 'serving' }), 2)
  t.ok(Number(of('process_resident_memory_bytes')) > 2 * process.memoryUsage().rss, 'all three processes')
})

t.test('buckets of a histogram stay in order, also those of a series that only one has', async (t) => {
  const [one, other] = [simulatedProcess(), simulatedProcess()]
  one.metrics.ofPool('gpu').connected(3)
  exchange(other, 5)
  exchange(one, 5_000)
  const text = await whole([one, other]).text()
  const bounds = [...text.matchAll(/^sallyport_request_duration_seconds_bucket\{le="([^"]+)".* (\d+)$/gm)]
  const counts = bounds.map((match) => Number(match[2]))
  t.ok(bounds.length > 5)
  t.same(
    counts,
    counts.toSorted((a, b) => a - b),
  )
  t.equal(counts.at(-1), 2)
})

t.test('a worker that ends, or does not answer, takes nothing away from a counter', async (t) => {
  const act = fc.record({
    worker: fc.nat({ max: 2 }),
    act: fc.constantFrom('call', 'call', 'scrape', 'die', 'hang', 'wake'),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(act, { maxLength: 60 }), async (acts) => {
      const { scrape, add } = whole([])
      const join = () => {
        const worker = { ...simulatedProcess(), hangs: false }
        const read = async (): Promise<Snapshot> => {
          if (worker.hangs) throw new Error('no answer')
          return await worker.read()
        }
        return { worker, leave: add(read) }
      }
      const places = [join(), join(), join()]
      let shown = 0
      const look = async (): Promise<void> => {
        const count = sampleOf(await scrape(), 'sallyport_requests_total', {}) ?? 0
        t.ok(count >= shown, `${count} after ${shown}`)
        shown = count
      }
      for (const { worker: place, act } of acts) {
        const { worker, leave } = places[place] as ReturnType<typeof join>
        if (act === 'call') exchange(worker, 1)
        else if (act === 'scrape') await look()
        else if (act === 'hang') worker.hangs = true
        else if (act === 'wake') worker.hangs = false
        else {
          leave()
          places[place] = join()
        }
      }
      await look()
    }),
    { numRuns: 20 },
  )
})

t.test('who does not answer is counted, and its gauges are left out', async (t) => {
  const [one, other] = [simulatedProcess(), simulatedProcess()]
  other.metrics.exchangeStarted()
  one.metrics.exchangeStarted()
  let hangs = false
  const { scrape, missed } = whole([
    one,
    { read: () => (hangs ? Promise.reject(new Error('late')) : other.read()) },
  ])
  t.equal(sampleOf(await scrape(), 'sallyport_requests_in_flight', {}), 2)
  hangs = true
  const families = await scrape()
  t.equal(sampleOf(families, 'sallyport_requests_in_flight', {}), 1)
  t.equal(sampleOf(families, 'sallyport_worker_scrapes_missed_total', {}), 1)
  t.equal(missed(), 1)
})

t.test('scrapes at the same time are one', async (t) => {
  let reads = 0
  const { text } = whole([
    {
      read: async () => {
        reads += 1
        return []
      },
    },
  ])
  await Promise.all([text(), text(), text()])
  t.equal(reads, 1)
})

t.test('what is no number counts nowhere', (t) => {
  const lag = (value: number | null): Snapshot => [
    { name: 'nodejs_eventloop_lag_seconds', help: 'h', type: 'gauge', values: [{ value, labels: {} }] },
  ]
  t.match(merged([lag(null), lag(0.5), lag(0.25)]), [{ values: [{ value: 0.5 }] }])
  t.same(merged([lag(null)])[0]?.values, [])
  t.end()
})
