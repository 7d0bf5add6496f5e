import t from 'tap'

import { genesis } from '../../src/audit/chain.ts'
import { segmentName } from '../../src/audit/segment.ts'
import { appendAll, events, report, start } from './opened.ts'
import { sampleEvent, sampleLog } from './sample.ts'
import { SimulatedDisk } from './simulated-disk.ts'

t.test('a new log starts at 1 and links every record', async (t) => {
  const { disk, log } = await start()
  t.same(log.head, genesis)
  const records = await appendAll(log, 5)
  t.same(
    records.map(({ seq }) => seq),
    [1, 2, 3, 4, 5],
  )
  t.same(log.head, { seq: 5, hash: records[4]?.hash })
  t.match(await report(disk), { intact: true, records: 5, head: log.head })
  t.equal(
    disk.whole(),
    sampleLog(5)
      .map(({ line }) => line)
      .join(''),
  )
  await log.close()
})

t.test('group commit: what gathers during one sync shares the next', async (t) => {
  const { disk, log } = await start()
  const gate = Promise.withResolvers<void>()
  disk.syncGate = gate.promise
  const first = log.append(sampleEvent(1))
  await new Promise(setImmediate)
  const rest = appendAll(log, 99, 2)
  t.equal(log.queued, 100)
  gate.resolve()
  await Promise.all([first, rest])
  t.equal(disk.count('sync'), 2)
  t.equal(disk.count('write'), 2)
  t.equal(log.queued, 0)
  await log.close()
})

t.test('no append resolves before its sync', async (t) => {
  const { disk, log } = await start()
  const gate = Promise.withResolvers<void>()
  disk.syncGate = gate.promise
  let resolved = false
  const append = log.append(sampleEvent(1)).then(() => {
    resolved = true
  })
  for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate)
  t.equal(disk.count('write'), 1)
  t.equal(resolved, false)
  t.same(log.head, genesis)
  gate.resolve()
  await append
  t.equal(resolved, true)
  await log.close()
})

t.test('the queue is bounded: what is beyond it is refused at once, and the rest is kept', async (t) => {
  const { disk, log } = await start(new SimulatedDisk(), { queueRecordsMax: 3 })
  const three = appendAll(log, 3)
  await t.rejects(log.append(sampleEvent(4)), {
    code: 'audit_unavailable',
    detail: 'the audit queue is full',
  })
  t.equal(log.healthy, true, 'a full queue is not a broken disk')
  await three
  await log.append(sampleEvent(4))
  t.match(await report(disk), { intact: true, records: 4 })
  await log.close()
})

t.test('an event that cannot be recorded rejects alone', async (t) => {
  const { disk, log } = await start()
  const good = log.append(sampleEvent(1))
  await t.rejects(log.append(sampleEvent(2, { latency_ms: Number.NaN })), TypeError)
  await good
  t.match(await report(disk), { intact: true, records: 1 })
  await log.close()
})

t.test('short writes are continued', async (t) => {
  const { disk, log } = await start()
  disk.writeBytesMax = 7
  await appendAll(log, 3)
  t.ok(disk.count('write') > 50)
  t.match(await report(disk), { intact: true, records: 3 })
  disk.writeBytesMax = 0
  await t.rejects(
    log.append(sampleEvent(4)),
    { code: 'audit_unavailable' },
    'a write without progress is a failure',
  )
  await log.close()
})

t.test('segments are named by their first seq and stay within their bound', async (t) => {
  const segmentBytesMax = 700
  const { disk, log } = await start(new SimulatedDisk(), { segmentBytesMax })
  for (let n = 1; n <= 10; n++) await log.append(sampleEvent(n))
  await appendAll(log, 10, 11)
  const names = [...disk.files.keys()]
  t.ok(names.length > 5)
  for (const name of names) {
    t.ok(disk.text(name).length <= segmentBytesMax)
    t.equal(name, segmentName((JSON.parse(String(disk.text(name).split('\n')[0])) as { seq: number }).seq))
  }
  t.match(await report(disk), { intact: true, records: 20 })
  await log.close()
})

for (const operation of ['write', 'sync'] as const) {
  t.test(`a failed ${operation} rejects its batch; the next append goes on in a new segment`, async (t) => {
    const { disk, log, notices } = await start()
    await appendAll(log, 2)
    const durable = log.head
    disk.fail(operation, 'EIO')
    const failed = [log.append(sampleEvent(3)), log.append(sampleEvent(4))]
    for (const append of failed)
      await t.rejects(append, { code: 'audit_unavailable', cause: { code: 'EIO' }, retryAfterMs: 1000 })
    t.equal(log.healthy, false)
    t.same(log.head, durable)
    const record = await log.append(sampleEvent(5))
    t.equal(log.healthy, true)
    t.equal(record.seq, 4)
    t.same([...disk.files.keys()], [segmentName(1), segmentName(3)])
    t.same(events(disk), ['exchange.ended', 'exchange.ended', 'log.recovered', 'exchange.ended'])
    t.match(JSON.parse(String(disk.text(segmentName(3)).split('\n')[0])), {
      durable_seq: 2,
      durable_hash: durable.hash,
      reason: 'write_failed',
      error: 'EIO',
      rejected_records: 2,
    })
    t.match(await report(disk), { intact: true, records: 4 })
    t.match(notices, [
      { kind: 'write_failed', seq: 2 },
      { kind: 'write_recovered', seq: 4 },
    ])
    await log.close()
  })
}

t.test('a disk that stays full: every append is a try, nothing acknowledged is lost', async (t) => {
  const { disk, log } = await start()
  await log.append(sampleEvent(1))
  disk.fail('write', 'ENOSPC', 'ENOSPC', 'ENOSPC')
  for (const n of [2, 3, 4]) {
    await t.rejects(log.append(sampleEvent(n)), { cause: { code: 'ENOSPC' } })
    t.equal(log.healthy, false)
  }
  await log.append(sampleEvent(5))
  t.match(await report(disk), { intact: true, records: 3 })
  t.match(disk.whole(), /"rejected_records":3/)
  await log.close()
})

t.test('failures of the repair itself: cutting back, removing, creating', async (t) => {
  for (const operation of ['truncate', 'create'] as const) {
    const { disk, log } = await start()
    await log.append(sampleEvent(1))
    disk.fail('sync', 'EIO')
    await t.rejects(log.append(sampleEvent(2)))
    disk.fail(operation, 'EIO', 'EROFS')
    await t.rejects(log.append(sampleEvent(3)), { cause: { code: 'EIO' } }, operation)
    await t.rejects(log.append(sampleEvent(4)), { cause: { code: 'EROFS' } }, operation)
    await log.append(sampleEvent(5))
    t.match(await report(disk), { intact: true, records: 3 }, operation)
    await log.close()
  }
})

t.test('the very first write fails: the empty segment is made anew', async (t) => {
  const { disk, log } = await start()
  disk.fail('sync', 'EIO')
  await t.rejects(log.append(sampleEvent(1)))
  disk.fail('remove', 'EIO')
  await t.rejects(log.append(sampleEvent(2)))
  await log.append(sampleEvent(3))
  t.same([...disk.files.keys()], [segmentName(1)])
  t.match(await report(disk), { intact: true, records: 2 })
  await log.close()
})

t.test('a segment of the next name that we did not make is never removed', async (t) => {
  const { disk, log } = await start(new SimulatedDisk(), { segmentBytesMax: 1 })
  await log.append(sampleEvent(1))
  disk.files.set(segmentName(2), { bytes: Buffer.from('foreign'), durableBytes: 7, poisoned: false })
  await t.rejects(log.append(sampleEvent(2)), { cause: { code: 'EEXIST' } })
  await t.rejects(log.append(sampleEvent(2)), { cause: { code: 'EEXIST' } })
  t.equal(disk.text(segmentName(2)), 'foreign')
  await log.close()
})

t.test('close waits for what is queued, then refuses', async (t) => {
  const { disk, log } = await start()
  const appends = appendAll(log, 3)
  await log.close()
  t.equal((await appends).length, 3)
  await t.rejects(log.append(sampleEvent(4)), {
    code: 'audit_unavailable',
    detail: 'the audit log is closed',
  })
  await log.close()
  t.equal(disk.count('close'), 1)
})

t.test('close after a failure cuts the unacknowledged tail', async (t) => {
  const { disk, log } = await start()
  await log.append(sampleEvent(1))
  disk.fail('sync', 'EIO')
  await t.rejects(log.append(sampleEvent(2)))
  await log.close()
  t.match(await report(disk), { intact: true, records: 1 })
})
