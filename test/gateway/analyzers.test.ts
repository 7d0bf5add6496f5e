import t from 'tap'
import { systemClock } from '../../src/clock.ts'
import type { Config } from '../../src/config/load.ts'
import { Analyzers } from '../../src/gateway/analyzers.ts'
import { json, startSimulatedAnalyzer } from '../support/simulated-analyzer.ts'
import { configFolder } from './config-folder.ts'

const folder = await configFolder(t)
const service = { url: 'http://127.0.0.1:1/analyze', entities: ['PERSON'], apiKeyFile: 'service.key' }
folder.put('service.key', 'a-key')
folder.edit('redaction.yaml', (redaction) => {
  Object.assign(redaction, { recognizerService: service })
})
const config = await folder.load()

type Service = NonNullable<Config['redaction']['recognizerService']>
const withService = (changes: Partial<Service>): Config => ({
  ...config,
  redaction: {
    ...config.redaction,
    recognizerService: { ...(config.redaction.recognizerService as Service), ...changes },
  },
})
const without: Config = { ...config, redaction: { profiles: config.redaction.profiles } }

function make() {
  const told: string[] = []
  const analyzers = new Analyzers({
    clock: systemClock,
    metrics: {
      recognizerAnswered: () => void told.push('answered'),
      recognizerFailed: (reason) => void told.push(reason),
    },
    events: {
      recognizerDown: (reason) => void told.push(`down: ${reason}`),
      recognizerUp: () => void told.push('up'),
    },
  })
  return { told, analyzers }
}
const calm = new AbortController().signal

t.test('kept while nothing changes, made anew by its configuration or its files', async (t) => {
  const { analyzers } = make()
  const first = analyzers.prepare(config)
  t.ok(first.analyzer)
  await first.takeOver()()
  t.equal(analyzers.prepare(await folder.load()).analyzer, first.analyzer)
  t.not(analyzers.prepare(withService({ timeoutMs: 99 })).analyzer, first.analyzer)
  t.equal(analyzers.prepare(config).analyzer, first.analyzer, 'what is only prepared changes nothing')
  folder.put('service.key', 'another-key')
  t.not(analyzers.prepare(config).analyzer, first.analyzer)
  t.equal(analyzers.prepare(without).analyzer, undefined)
  await analyzers.close()
})

t.test('files that cannot be used make none', (t) => {
  const { analyzers } = make()
  folder.put('service.key', '')
  t.throws(() => analyzers.prepare(config), /service\.key: /)
  folder.put('service.key', 'a-key')
  const tls = { ca: `${folder.source.directory}/service.key` }
  t.throws(() => analyzers.prepare(withService({ url: 'https://a/', tls })), /is not a PEM file/)
  t.end()
})

t.test('one that is replaced is closed, and failures are told over all of them', async (t) => {
  await using running = await startSimulatedAnalyzer()
  const honest = running.answer
  const { analyzers, told } = make()
  const old = analyzers.prepare(withService({ url: running.url }))
  old.takeOver()
  t.match(await old.analyzer?.analyze('Zaphod', calm), [{ entity: 'PERSON' }])
  running.answer = json('', 500)
  for (let call = 0; call < 2; call++) await t.rejects(old.analyzer?.analyze('x', calm) as Promise<unknown>)
  await t.rejects(old.analyzer?.analyze('x'.repeat(1_048_577), calm) as Promise<unknown>)
  running.answer = honest
  const next = analyzers.prepare(withService({ url: running.url, scoreMin: 0.6 }))
  const retire = next.takeOver()
  t.same(await next.analyzer?.analyze('x', calm), [])
  await retire()
  await t.rejects(old.analyzer?.analyze('x', calm) as Promise<unknown>, /unreachable/)
  t.same(await next.analyzer?.analyze('x', calm), [], 'the one in service is not closed')
  t.same(told.slice(0, 7), [
    'answered',
    'status',
    'down: status',
    'status',
    'text_too_long',
    'answered',
    'up',
  ])
  await analyzers.close()
})
