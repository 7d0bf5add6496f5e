import { join } from 'node:path'
import t from 'tap'
import type { Config } from '../../src/config/load.ts'
import { needingRestart } from '../../src/gateway/restart.ts'
import { type WorkerPlace, workerPart } from '../../src/gateway/worker-part.ts'
import { configFolder } from './config-folder.ts'

const folder = await configFolder(t)
const config = await folder.load()
const place = (index: number, count: number, started: Config = config): WorkerPlace =>
  ({ index, count, settings: JSON.parse(JSON.stringify({ gateway: started.gateway })) }) as WorkerPlace

t.test('a process that is nobody’s worker has the configuration as it is', (t) => {
  t.equal(workerPart(config, undefined), config)
  t.end()
})

t.test('its own folder, its part of what is shared, everything else as it is', (t) => {
  const { audit, traffic } = config.gateway
  const part = workerPart(config, place(3, 4))
  t.equal(part.gateway.audit.directory, join(audit.directory, 'worker-3'))
  t.equal(part.gateway.traffic.bounds.connectionsMax, Math.floor(traffic.bounds.connectionsMax / 4))
  t.equal(part.gateway.traffic.bounds.bodiesBytesMax, Math.floor(traffic.bounds.bodiesBytesMax / 4))
  const pools = Object.entries(config.models.pools)
  t.ok(pools.length > 0)
  for (const [name, { connectionsMax, queue }] of pools) {
    const { waitingMax, waitingPerTenantMax } = queue
    t.match(part.models.pools[name], {
      connectionsMax: Math.floor(connectionsMax / 4),
      queue: {
        waitingMax: Math.floor(waitingMax / 4),
        waitingPerTenantMax: Math.floor(waitingPerTenantMax / 4),
      },
    })
  }
  const back: Config = {
    ...part,
    models: config.models,
    gateway: { ...part.gateway, audit, traffic: { ...part.gateway.traffic, bounds: traffic.bounds } },
  }
  t.same(JSON.parse(JSON.stringify(back)), JSON.parse(JSON.stringify(config)))
  t.equal(part.hash, config.hash)
  t.equal(
    workerPart(config, place(1, 256)).gateway.traffic.bounds.connectionsMax,
    Math.floor(traffic.bounds.connectionsMax / 256),
  )
  const nobodyWaits = pools.map(([name, pool]) => [
    name,
    { ...pool, queue: { ...pool.queue, waitingMax: 0 } },
  ])
  const impatient = { ...config, models: { ...config.models, pools: Object.fromEntries(nobodyWaits) } }
  for (const { queue } of Object.values(workerPart(impatient, place(1, 4)).models.pools))
    t.equal(queue.waitingMax, 0)
  const few = { ...traffic, bounds: { ...traffic.bounds, connectionsMax: 2 } }
  const tight: Config = { ...config, gateway: { ...config.gateway, traffic: few } }
  t.equal(workerPart(tight, place(1, 8, tight)).gateway.traffic.bounds.connectionsMax, 1)
  t.end()
})

t.test('what is read once is as the primary read it, also for a worker that starts later', (t) => {
  const next: Config = {
    ...config,
    gateway: {
      ...config.gateway,
      workers: 9,
      traffic: {
        ...config.gateway.traffic,
        port: 1,
        serverName: ['new'],
        stream: { ...config.gateway.traffic.stream, idleTimeoutMs: 123 },
      },
      audit: { ...config.gateway.audit, directory: '/elsewhere', onWriteFailure: 'continue' },
    },
  }
  const part = workerPart(next, place(2, 2))
  t.equal(part.gateway.traffic.port, config.gateway.traffic.port)
  t.equal(part.gateway.traffic.serverName, config.gateway.traffic.serverName)
  t.equal(part.gateway.audit.directory, join(config.gateway.audit.directory, 'worker-2'))
  t.equal(part.gateway.traffic.stream.idleTimeoutMs, 123, 'what takes effect at a reload does')
  t.equal(part.gateway.audit.onWriteFailure, 'continue')
  t.same(needingRestart(config, next), ['workers', 'traffic.port', 'traffic.serverName', 'audit.directory'])
  t.end()
})
