import { cpSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { openAuditLog } from '../../src/audit/open.ts'
import { systemClock } from '../../src/clock.ts'
import { checkAudit } from '../../src/commands/doctor/audit.ts'
import { checkWorkers } from '../../src/commands/doctor/workers.ts'
import type { Config } from '../../src/config/load.ts'
import { configFolder } from '../gateway/config-folder.ts'

const folder = await configFolder(t)
const loaded = await folder.load()
const directory = t.testdir()
const withWorkers = (workers: number): Config => ({
  ...loaded,
  gateway: { ...loaded.gateway, workers, audit: { ...loaded.gateway.audit, directory } },
})

t.test('more workers than cores are worth a word; one process is not', (t) => {
  t.same(checkWorkers(withWorkers(1), 1), [])
  t.match(checkWorkers(withWorkers(4), 4), [{ state: 'ok' }])
  t.match(checkWorkers(withWorkers(5), 4), [
    { state: 'warning', detail: /5 workers .+ 4 cores/, advice: /to 4 at most/ },
  ])
  t.end()
})

t.test('the chain of each worker is looked at', async (t) => {
  t.match(await checkAudit(withWorkers(2)), [{ state: 'ok', detail: /is empty/ }])
  const first = join(directory, 'worker-1')
  mkdirSync(first)
  const log = await openAuditLog({ directory: first, segmentBytesMax: 2 ** 20, clock: systemClock })
  await log.append({ event: 'gateway.stopped', time: new Date(1e12).toISOString() })
  await log.close()
  cpSync(first, join(directory, 'worker-2'), { recursive: true })
  const checks = await checkAudit(withWorkers(2))
  t.match(checks.slice(0, 2), [
    { state: 'ok', detail: /worker-1 is intact at its end \(record 1,/ },
    { state: 'ok', detail: /worker-2 is intact at its end \(record 1,/ },
  ])
})
