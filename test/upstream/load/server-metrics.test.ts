import t from 'tap'
import { servers } from '../../../src/openai/upstream-body.ts'
import { SeriesReader } from '../../../src/upstream/load/prometheus-text.ts'
import { type LoadSeries, loadOf, loadSeries, wantedOf } from '../../../src/upstream/load/server-metrics.ts'

const load = (server: keyof typeof loadSeries, body: string): unknown => {
  const series = loadSeries[server] as LoadSeries
  const reader = new SeriesReader(wantedOf(series))
  reader.push(Buffer.from(body))
  return loadOf(reader.end(), series, 7)
}

t.test('each kind of server has its names, or none', (t) => {
  t.same(
    servers.filter((server) => loadSeries[server] !== undefined),
    ['vllm', 'sglang', 'llamacpp', 'tgi'],
  )
  t.end()
})

t.test('vLLM: engines add up, their caches are averaged', (t) => {
  const body = [0, 1]
    .map(
      (engine) => `vllm:num_requests_running{engine="${engine}",model_name="m"} ${engine + 2}.0
vllm:num_requests_waiting{engine="${engine}",model_name="m"} 4.0
vllm:num_requests_waiting_by_reason{engine="${engine}",model_name="m",reason="deferred"} 90.0
vllm:kv_cache_usage_perc{engine="${engine}",model_name="m"} 0.${engine + 2}
vllm:gpu_cache_usage_perc{engine="${engine}",model_name="m"} 0.9
`,
    )
    .join('')
  t.same(load('vllm', body), { running: 5, waiting: 8, kvUse: 0.25, at: 7 })
  t.same(load('vllm', body.replaceAll('kv_cache_usage_perc', 'x')), {
    running: 5,
    waiting: 8,
    kvUse: 0.9,
    at: 7,
  })
  t.end()
})

t.test('SGLang: ranks and priorities repeat, data-parallel ranks add up', (t) => {
  const body = `sglang:num_running_reqs{dp_rank="0",model_name="m",priority="",tp_rank="0"} 14.0
sglang:num_running_reqs{dp_rank="0",model_name="m",priority="-1",tp_rank="0"} 4.0
sglang:num_running_reqs{dp_rank="0",model_name="m",priority="0",tp_rank="0"} 10.0
sglang:num_running_reqs{dp_rank="1",model_name="m",priority="",tp_rank="1"} 2.0
sglang:num_queue_reqs{dp_rank="0",model_name="m",tp_rank="0"} 3.0
sglang:num_queue_reqs{dp_rank="0",model_name="m",tp_rank="1"} 3.0
sglang:token_usage{model_name="m"} 0.5
`
  t.same(load('sglang', body), { running: 16, waiting: 3, kvUse: 0.5, at: 7 })
  t.end()
})

t.test('llama.cpp and TGI', (t) => {
  t.same(load('llamacpp', 'llamacpp:requests_processing 2\nllamacpp:requests_deferred 46\n'), {
    running: 2,
    waiting: 46,
    at: 7,
  })
  t.same(load('tgi', 'tgi_batch_current_size 8\ntgi_queue_size 1\n'), { running: 8, waiting: 1, at: 7 })
  t.end()
})

t.test('half a reading is none', (t) => {
  t.equal(load('vllm', 'vllm:num_requests_running 2\n'), undefined)
  t.equal(load('vllm', 'vllm:num_requests_waiting 2\nvllm:kv_cache_usage_perc 0.1\n'), undefined)
  t.equal(load('vllm', 'vllm:num_requests_running 2\nvllm:num_requests_waiting 2e9\n'), undefined, 'absurd')
  t.same(
    load('vllm', 'vllm:num_requests_running 2\nvllm:num_requests_waiting 0\nvllm:kv_cache_usage_perc 41\n'),
    { running: 2, waiting: 0, at: 7 },
    'percent is not a share',
  )
  t.end()
})
