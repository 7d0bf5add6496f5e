import fc from 'fast-check'
import t from 'tap'
import { orcaLoad } from '../../../src/upstream/load/orca.ts'

const load = (header: string | undefined): unknown => orcaLoad(header, { at: 5, runningElse: 3 })

t.test('as vLLM sends it', (t) => {
  t.same(load('TEXT named_metrics.kv_cache_usage_perc=0.4, named_metrics.num_requests_waiting=2.0'), {
    running: 3,
    waiting: 2,
    kvUse: 0.4,
    at: 5,
  })
  t.same(load('JSON {"named_metrics": {"kv_cache_usage_perc": 0.4, "num_requests_waiting": 2.0}}'), {
    running: 3,
    waiting: 2,
    kvUse: 0.4,
    at: 5,
  })
  t.end()
})

t.test('a server that says what runs, and one of several engines', (t) => {
  t.match(
    load(
      'TEXT cpu_utilization=0.3,named_metrics.num_requests_running=7,named_metrics.num_requests_waiting=0',
    ),
    {
      running: 7,
      waiting: 0,
    },
  )
  const twice = 'named_metrics.num_requests_waiting=1.0, named_metrics.kv_cache_usage_perc=0.25'
  t.match(load(`text ${twice}, ${twice.replace('0.25', '0.75').replace('1.0', '4.0')}`), {
    waiting: 5,
    kvUse: 0.5,
  })
  t.end()
})

t.test('headers that say nothing', (t) => {
  for (const header of [
    undefined,
    '',
    'TEXT',
    'TEXT ',
    'TEXT named_metrics.kv_cache_usage_perc=0.4',
    'TEXT num_requests_waiting=2',
    'TEXT named_metrics.num_requests_waiting_by_reason=2',
    'TEXT named_metrics.num_requests_waiting=-2',
    'TEXT named_metrics.num_requests_waiting=NaN',
    'TEXT named_metrics.num_requests_waiting=1e300',
    'TEXT named_metrics.num_requests_waiting',
    'BIN CgYIARACGAM=',
    'JSON {"named_metrics": {"num_requests_waiting": "2"}}',
    'JSON {"named_metrics": {"num_requests_waiting": -2}}',
    'JSON {"named_metrics": [2]}',
    'JSON {"named_metrics": null}',
    'JSON {"num_requests_waiting": 2}',
    'JSON {"__proto__": {"named_metrics": {"num_requests_waiting": 2}}}',
    'JSON {',
    'JSON null',
    `TEXT ${'x'.repeat(4_096)}, named_metrics.num_requests_waiting=2`,
  ])
    t.equal(load(header), undefined, String(header).slice(0, 80))
  t.end()
})

t.test('no header makes it throw, or say what is not plausible', (t) => {
  const piece = fc.constantFrom(
    'TEXT ',
    'JSON ',
    'named_metrics.',
    'num_requests_waiting',
    'num_requests_running',
    'kv_cache_usage_perc',
    '=',
    ',',
    '"',
    ':',
    '{',
    '}',
    '7',
    '-1',
    '1e9',
    '0.5',
    '[',
  )
  const header = fc.oneof(
    fc.array(piece, { maxLength: 20 }).map((pieces) => pieces.join('')),
    fc.json().map((json) => `JSON ${json}`),
    fc.string(),
  )
  fc.assert(
    fc.property(header, (header) => {
      const said = orcaLoad(header, { at: 5, runningElse: 3 })
      const { running = 0, waiting = 0, kvUse = 0 } = said ?? {}
      t.ok(running >= 0 && waiting >= 0 && waiting <= 1_000_000 && kvUse >= 0 && kvUse <= 1)
    }),
    { numRuns: 500 },
  )
  t.end()
})
