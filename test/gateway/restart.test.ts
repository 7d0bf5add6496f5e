import { readFileSync } from 'node:fs'
import t from 'tap'
import type { Config } from '../../src/config/load.ts'
import { needingRestart } from '../../src/gateway/restart.ts'
import { configFolder } from './config-folder.ts'

const folder = await configFolder(t)
const config = await folder.load()
type Traffic = Config['gateway']['traffic']
const withTraffic = (changes: Partial<Traffic>): Config => ({
  ...config,
  gateway: { ...config.gateway, traffic: { ...config.gateway.traffic, ...changes } },
})

t.test('nothing changed, nothing to say', (t) => {
  t.same(needingRestart(config, config), [])
  t.same(needingRestart(config, structuredClone(config)), [])
  t.end()
})

t.test('what is read once is named; what takes effect is not', (t) => {
  const { bounds, stream, tls } = config.gateway.traffic
  t.same(needingRestart(config, withTraffic({ port: 1 })), ['traffic.port'])
  t.same(needingRestart(config, withTraffic({ serverName: ['a', 'b'] })), ['traffic.serverName'])
  t.same(needingRestart(config, withTraffic({ bounds: { ...bounds, connectionsMax: 1, bodyBytesMax: 1 } })), [
    'traffic.bounds.connectionsMax',
  ])
  t.same(needingRestart(config, withTraffic({ stream: { ...stream, idleTimeoutMs: 1 } })), [])
  t.same(needingRestart(config, withTraffic({ tls: { ...tls, minVersion: 'TLSv1.2' } })), [])
  const audit = { ...config.gateway.audit, directory: '/elsewhere', onWriteFailure: 'continue' as const }
  t.same(needingRestart(config, { ...config, gateway: { ...config.gateway, audit } }), ['audit.directory'])
  t.end()
})

t.test('the page for operators names each of them', (t) => {
  const everything: Config = {
    ...config,
    gateway: JSON.parse(JSON.stringify(config.gateway), (_, value) =>
      typeof value === 'number' ? value + 1 : typeof value === 'string' ? `${value}x` : value,
    ),
  }
  const page = readFileSync(new URL('../../docs/operations/reload-and-drain.md', import.meta.url), 'utf8')
  const fields = [...needingRestart(config, everything), 'traffic.serverName']
  t.equal(fields.length, 18)
  for (const field of fields) t.ok(page.includes(`\`${field}\``), field)
  t.end()
})
