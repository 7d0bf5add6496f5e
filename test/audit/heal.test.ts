// After a failure the log can be asked to write again although nothing is to be recorded.
import t from 'tap'
import type { AuditNotice } from '../../src/audit/log.ts'
import { startLog } from '../../src/audit/log.ts'
import { events, report } from './opened.ts'
import { fakeClock, sampleEvent } from './sample.ts'
import { SimulatedDisk } from './simulated-disk.ts'

async function failed() {
  const disk = new SimulatedDisk()
  const notices: AuditNotice[] = []
  const log = await startLog(disk.mount(), {
    segmentBytesMax: 1 << 20,
    clock: fakeClock,
    onNotice: (notice) => void notices.push(notice),
  })
  await log.append(sampleEvent(1))
  disk.fail('sync', 'ENOSPC')
  await log.append(sampleEvent(2)).catch(() => {})
  return { disk, log, kinds: () => notices.map(({ kind }) => kind) }
}

t.test('a healthy log is left alone', async (t) => {
  const disk = new SimulatedDisk()
  const log = await startLog(disk.mount(), { segmentBytesMax: 1 << 20, clock: fakeClock })
  await log.append(sampleEvent(1))
  await log.heal()
  t.same(events(disk), ['exchange.ended'])
  await log.close()
})

t.test('the record of the recovery goes alone, and the chain holds', async (t) => {
  const { disk, log, kinds } = await failed()
  t.equal(log.healthy, false)
  await log.heal()
  t.equal(log.healthy, true)
  t.same(events(disk), ['exchange.ended', 'log.recovered'])
  t.same(kinds(), ['write_failed', 'write_recovered'])
  await log.append(sampleEvent(3))
  t.match(await report(disk), { intact: true, records: 3 })
  await log.close()
})

t.test('an attempt that fails is no news, and counts no record as lost', async (t) => {
  const { disk, log, kinds } = await failed()
  disk.fail('create', 'ENOSPC', 'ENOSPC')
  await log.heal()
  await log.heal()
  t.equal(log.healthy, false)
  t.same(kinds(), ['write_failed'])
  await log.heal()
  t.equal(log.healthy, true)
  const [, recovered] = disk.whole().split('\n')
  t.match(JSON.parse(recovered as string), { event: 'log.recovered', rejected_records: 1 })
  await log.close()
})

t.test('attempts and appends at the same time', async (t) => {
  const { disk, log } = await failed()
  await Promise.all([log.heal(), log.append(sampleEvent(3)), log.heal(), log.append(sampleEvent(4))])
  t.equal(log.healthy, true)
  t.same(events(disk).toSorted(), ['exchange.ended', 'exchange.ended', 'exchange.ended', 'log.recovered'])
  t.match(await report(disk), { intact: true })
  await log.close()
  await log.heal()
  t.equal(events(disk).length, 4, 'not after the end')
})
