import { readFile } from 'node:fs/promises'
import fc from 'fast-check'
import t from 'tap'
import type { RefusalCode } from '../../src/refusal.ts'
import type { ExchangeSummary } from '../../src/telemetry/exchange-summary.ts'
import { GapHistogram } from '../../src/telemetry/histogram.ts'
import { KnownNames } from '../../src/telemetry/known-names.ts'
import type { MetricRow } from '../../src/telemetry/metric-row.ts'
import { metricTable, processMetrics } from '../../src/telemetry/metric-table.ts'
import { Metrics } from '../../src/telemetry/metrics.ts'
import type { Outcome } from '../../src/telemetry/outcome.ts'
import { namingFaults, parseExposition, sampleOf } from './exposition.ts'

function make(models: string[] = ['demo', 'large']) {
  const names = new KnownNames()
  names.learn('model', models)
  names.learn('pool', ['gpu'])
  names.learn('issuer', ['idp'])
  names.learn('entity', ['EMAIL_ADDRESS'])
  names.learn('reason', ['certificate_expired', 'wrong_audience'])
  const metrics = new Metrics(names, { version: '0.1.0', node: process.versions.node })
  return { names, metrics, read: async () => parseExposition(await metrics.render()) }
}

const summary = (over: Partial<ExchangeSummary> = {}): ExchangeSummary => ({
  endpoint: 'chat.completions',
  method: 'POST',
  model: 'demo',
  status: 200,
  outcome: 'completed',
  durationMs: 1200,
  ...over,
})

t.test('the text is what a scraper accepts, and the names follow the rules', async (t) => {
  const { metrics, read } = make()
  const gaps = new GapHistogram()
  for (const gap of [1, 20, 20_000]) gaps.add(gap)
  const open = metrics.exchangeStarted()
  open.streamBegan()
  open.ended(
    summary({
      gaps,
      firstTokenMs: 200,
      overheadMs: 2,
      usage: { inputTokens: 10, outputTokens: 11, cachedInputTokens: 4 },
      findings: [
        { entity: 'EMAIL_ADDRESS', direction: 'reply', action: 'mask', count: 2 },
        { entity: 'EMAIL_ADDRESS', direction: 'prompt', action: 'shadow', count: 3 },
      ],
      injection: [{ kind: 'template_tokens', count: 5 }],
      pseudonyms: { restored: 4, unknown: 1 },
      heldCharsMax: 40,
    }),
  )
  metrics.ofPool('gpu').answered(200, 12)
  metrics.ofPool('gpu').connected(3)
  metrics.configRuns('0123456789abcdef')
  const families = await read()
  t.same(namingFaults(families), [])
  const model = { gen_ai_request_model: 'demo' }
  t.equal(sampleOf(families, 'gen_ai_server_time_to_first_token_seconds_sum', model), 0.2)
  t.equal(sampleOf(families, 'gen_ai_server_time_per_output_token_seconds_sum', model), 0.1)
  t.equal(sampleOf(families, 'sallyport_inter_token_gap_seconds_count', model), 3)
  t.equal(sampleOf(families, 'sallyport_inter_token_gap_seconds_bucket', { le: '0.025' }), 2)
  t.equal(sampleOf(families, 'gen_ai_client_token_usage_sum', { gen_ai_token_type: 'output' }), 11)
  t.equal(
    sampleOf(families, 'gen_ai_client_token_usage_sum', { gen_ai_token_type: 'reasoning' }),
    undefined,
    'unknown: absent',
  )
  t.equal(sampleOf(families, 'sallyport_redactions_total', { entity: 'EMAIL_ADDRESS', action: 'mask' }), 2)
  t.equal(sampleOf(families, 'sallyport_redactions_total', { direction: 'prompt', action: 'shadow' }), 3)
  t.equal(sampleOf(families, 'sallyport_pseudonyms_total', { result: 'restored' }), 4)
  t.equal(sampleOf(families, 'sallyport_pseudonyms_total', { result: 'unknown' }), 1)
  t.equal(sampleOf(families, 'sallyport_injection_signals_total', { kind: 'template_tokens' }), 5)
  t.equal(sampleOf(families, 'sallyport_stream_end_total', { reason: 'done' }), 1)
  t.equal(sampleOf(families, 'sallyport_upstream_requests_total', { pool: 'gpu', code: '200' }), 1)
  t.equal(sampleOf(families, 'sallyport_config_info', { hash: '0123456789abcdef' }), 1)
})

t.test('each metric of the table and of the allow-list is shown, nothing else is', async (t) => {
  const { read } = make()
  t.same(new Set((await read()).keys()), new Set([...Object.keys(metricTable), ...processMetrics]))
})

t.test('the reference page names each metric with its type and labels, and no other', async (t) => {
  const page = await readFile(new URL('../../docs/reference/metrics.md', import.meta.url), 'utf8')
  const rows = [...page.matchAll(/^\| `([a-z_0-9]+)` \| (\w+) \| ([^|]*) \|/gm)].map(
    ([, name, type, labels]) => [
      name,
      type,
      [...(labels ?? '').matchAll(/`([a-z_]+)`/g)].map(([, label]) => label).sort(),
    ],
  )
  const table = Object.entries<MetricRow>(metricTable).map(([name, row]) => [
    name,
    row.type,
    Object.keys(row.labels).sort(),
  ])
  t.same(
    rows.filter(([name]) => String(name) in metricTable),
    table,
  )
  const rest = rows.map(([name]) => String(name)).filter((name) => !(name in metricTable))
  t.same(rest, [...processMetrics])
})

t.test('odd label values fold, so the number of series stays bounded', async (t) => {
  const { metrics, read } = make()
  for (let index = 0; index < 10_000; index++) {
    const odd = `m${index}"\n{le="${index}`
    metrics.exchangeStarted().ended(
      summary({
        model: odd,
        method: odd,
        status: index,
        endpoint: odd as 'models',
        outcome: odd as Outcome,
        injection: [{ kind: odd as 'encoded_payload', count: 1 }],
      }),
    )
    metrics.ofPool(odd).answered(index, 1)
    metrics.authFailed('jwt', odd as RefusalCode)
    metrics.tlsClientError(odd)
    metrics.malformedRequest(odd)
  }
  const families = await read()
  const samples = [...families.values()].reduce((sum, family) => sum + family.samples.length, 0)
  t.ok(samples < 600, `${samples} samples`)
  t.equal(sampleOf(families, 'sallyport_auth_failures_total', { reason: '_other' }), 10_000)
  t.equal(sampleOf(families, 'sallyport_injection_signals_total', { kind: '_other' }), 10_000)
  t.equal(
    sampleOf(families, 'gen_ai_server_request_duration_seconds_count', { gen_ai_request_model: '_other' }),
    10_000,
  )
})

t.test('no metric can grow beyond a bound that its label sets give', (t) => {
  for (const [name, row] of Object.entries<MetricRow>(metricTable)) {
    const sizes = Object.values(row.labels).map((domain) => (Array.isArray(domain) ? domain.length + 1 : 1))
    // Names from configuration count once here: they multiply by at most 200, by the operator's choice.
    t.ok(sizes.reduce((product, size) => product * size, 1) <= 5_000, name)
  }
  t.end()
})

t.test('an exchange counts once, and the gauges never drift (property)', async (t) => {
  const { metrics, read } = make()
  let counted = 0
  const actions = fc.array(fc.constantFrom('streamBegan', 'ended'), { maxLength: 6 })
  await fc.assert(
    fc.asyncProperty(fc.array(actions, { maxLength: 8 }), async (exchanges) => {
      const open = exchanges.map(() => metrics.exchangeStarted())
      for (const [index, list] of exchanges.entries()) {
        for (const action of list) open[index]?.[action as 'ended'](summary())
      }
      const live = exchanges.filter((list) => !list.includes('ended'))
      counted += exchanges.length - live.length
      const families = await read()
      t.equal(sampleOf(families, 'sallyport_requests_in_flight'), live.length)
      const streams = live.filter((list) => list.includes('streamBegan'))
      t.equal(sampleOf(families, 'sallyport_active_streams'), streams.length)
      t.equal(sampleOf(families, 'sallyport_requests_total') ?? 0, counted)
      for (const one of open) one.ended(summary())
      counted += live.length
    }),
    { numRuns: 25 },
  )
})

t.test('broken numbers neither throw nor spoil a histogram', async (t) => {
  const { metrics, read } = make()
  for (const broken of [Number.NaN, -1, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    metrics.exchangeStarted().ended(
      summary({
        durationMs: broken,
        firstTokenMs: broken,
        usage: { inputTokens: broken, outputTokens: broken },
      }),
    )
  }
  const families = await read()
  t.equal(sampleOf(families, 'sallyport_requests_total'), 4)
  t.equal(sampleOf(families, 'gen_ai_server_request_duration_seconds_count'), undefined)
  t.equal(sampleOf(families, 'gen_ai_client_token_usage_count'), undefined)
})

t.test('gauges are read from the parts at each scrape', async (t) => {
  const { metrics, read } = make()
  const audit = { healthy: true, queued: 3, head: { seq: 41 } }
  let certificates: { role: 'traffic'; notAfter: number }[] = [
    { role: 'traffic', notAfter: 2_000_000 },
    { role: 'traffic', notAfter: 9_000_000 },
  ]
  metrics.watch({ audit, certificates: () => certificates, keySets: () => [{ issuer: 'idp', ageMs: 1500 }] })
  let families = await read()
  t.equal(sampleOf(families, 'sallyport_audit_queue_depth'), 3)
  t.equal(sampleOf(families, 'sallyport_audit_last_seq'), 41)
  t.equal(
    sampleOf(families, 'sallyport_tls_certificate_not_after_seconds', { role: 'traffic' }),
    2000,
    'the earliest',
  )
  t.equal(sampleOf(families, 'sallyport_jwks_age_seconds', { issuer: 'idp' }), 1.5)
  audit.healthy = false
  certificates = []
  families = await read()
  t.equal(sampleOf(families, 'sallyport_audit_healthy'), 0)
  t.equal(
    sampleOf(families, 'sallyport_tls_certificate_not_after_seconds'),
    undefined,
    'gone with the certificate',
  )
})

t.test('one policy hash is shown at a time', async (t) => {
  const { metrics, read } = make()
  for (const hash of ['aa', 'bb', 'cc']) metrics.configRuns(hash)
  metrics.configReloaded('applied')
  metrics.configReloaded('rejected')
  const families = await read()
  t.same(
    families.get('sallyport_config_info')?.samples.map(({ labels }) => labels),
    [{ hash: 'cc' }],
  )
  t.equal(sampleOf(families, 'sallyport_config_reloads_total', { result: 'rejected' }), 1)
})

t.test('scrapes at the same time share one rendering', (t) => {
  const { metrics } = make()
  t.equal(metrics.render(), metrics.render())
  return metrics.render()
})

t.test('counters for the small events', async (t) => {
  const { metrics, read } = make()
  metrics.limitDecided('requests', 'deny')
  metrics.auditWritten('exchange.ended')
  metrics.auditWriteFailed()
  metrics.ofPool('gpu').retried('hedge')
  metrics.ofPool('gpu').answered(undefined)
  metrics.recognizerAnswered(20)
  metrics.recognizerFailed('timeout')
  metrics.logLinesDropped(2)
  metrics.authFailed('mtls', 'certificate_expired')
  metrics.authFailed('jwt', 'never learned')
  metrics.keysRefreshed('idp', 'failed')
  metrics.tlsClientError('ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE')
  metrics
    .exchangeStarted()
    .ended(summary({ outcome: 'refused', refusal: 'invalid_token', status: 401, model: undefined }))
  const families = await read()
  t.equal(
    sampleOf(families, 'sallyport_ratelimit_decisions_total', { limit: 'requests', decision: 'deny' }),
    1,
  )
  t.equal(sampleOf(families, 'sallyport_audit_records_total', { event: 'exchange.ended' }), 1)
  t.equal(sampleOf(families, 'sallyport_audit_write_failures_total'), 1)
  t.equal(sampleOf(families, 'sallyport_upstream_retries_total', { pool: 'gpu' }), 1)
  t.equal(sampleOf(families, 'sallyport_upstream_requests_total', { code: 'none' }), 1)
  t.equal(sampleOf(families, 'sallyport_recognizer_seconds_sum'), 0.02)
  t.equal(sampleOf(families, 'sallyport_recognizer_failures_total', { reason: 'timeout' }), 1)
  t.equal(sampleOf(families, 'sallyport_log_lines_dropped_total'), 2)
  t.equal(
    sampleOf(families, 'sallyport_auth_failures_total', { stage: 'mtls', reason: 'certificate_expired' }),
    1,
  )
  t.equal(sampleOf(families, 'sallyport_auth_failures_total', { stage: 'jwt', reason: '_other' }), 1)
  t.equal(sampleOf(families, 'sallyport_jwks_refresh_total', { issuer: 'idp', result: 'failed' }), 1)
  t.equal(sampleOf(families, 'sallyport_tls_client_errors_total', { reason: 'no_certificate' }), 1)
  t.equal(sampleOf(families, 'sallyport_refusals_total', { refusal: 'invalid_token' }), 1)
  t.equal(
    sampleOf(families, 'gen_ai_server_request_duration_seconds_count'),
    undefined,
    'no model, no inference',
  )
})
