// A disk that neither answers nor fails.
import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { withDeadline } from '../../src/audit/deadline.ts'
import type { HealingAuditLog } from '../../src/audit/record.ts'
import { segmentName } from '../../src/audit/segment.ts'
import type { Clock } from '../../src/clock.ts'
import { appendAll, events, report, start } from './opened.ts'
import { fakeClock, sampleEvent } from './sample.ts'
import { SimulatedDisk } from './simulated-disk.ts'

/** A clock whose sleepers wake when the test says so. */
function fakeAlarm() {
  const sleepers = new Set<() => void>()
  const asked: number[] = []
  let nowMs = 0
  const clock: Clock = {
    ...fakeClock,
    monotonic: () => nowMs,
    sleep: (ms) => {
      asked.push(ms)
      const { promise, resolve } = Promise.withResolvers<void>()
      sleepers.add(resolve)
      return promise
    },
  }
  const ring = async (): Promise<void> => {
    await turn()
    nowMs += asked.at(-1) ?? 0
    for (const wake of [...sleepers]) {
      sleepers.delete(wake)
      wake()
    }
    await turn()
  }
  return { clock, ring, asked, sleepers }
}

async function hung() {
  const { clock, ring, asked, sleepers } = fakeAlarm()
  const opened = await start(new SimulatedDisk(), { clock, syncTimeoutMs: 700 })
  const log = opened.log as HealingAuditLog
  await appendAll(log, 2)
  const gate = Promise.withResolvers<void>()
  opened.disk.syncGate = gate.promise
  return { ...opened, log, ring, asked, sleepers, gate }
}

const failed = { code: 'audit_unavailable', cause: { code: 'ETIMEDOUT' } }

t.test('a sync that hangs is a sync that failed, and all that waits is told', async (t) => {
  const { log, ring, asked, sleepers, gate, disk, notices } = await hung()
  const first = t.rejects(log.append(sampleEvent(3)), failed)
  await turn()
  const second = t.rejects(log.append(sampleEvent(4)), failed)
  t.equal(log.healthy, true)
  await ring()
  await Promise.all([first, second])
  t.equal(log.healthy, false)
  t.equal(log.queued, 0)
  t.same([...new Set(asked)], [700])
  t.equal(sleepers.size, 0, 'no alarm is left')
  t.match(notices[0], { kind: 'write_failed', seq: 2 })

  const calls = ['write', 'sync', 'truncate', 'create', 'close'] as const
  const before = calls.map((call) => disk.count(call))
  await t.rejects(log.append(sampleEvent(5)), failed, 'at once, without an alarm')
  await log.heal()
  t.equal(log.healthy, false)
  t.same(
    calls.map((call) => disk.count(call)),
    before,
    'nothing is asked of a disk that has not answered yet',
  )

  disk.syncGate = undefined
  gate.resolve()
  await turn()
  t.equal(disk.count('close'), 1, 'its file is closed')
  await log.heal()
  t.equal(log.healthy, true)
  const record = await log.append(sampleEvent(6))
  t.equal(record.seq, 4)
  t.same(
    [...disk.files.keys()],
    [segmentName(1), segmentName(3)],
    'the segment was unsafe, though its sync went well',
  )
  t.same(events(disk), ['exchange.ended', 'exchange.ended', 'log.recovered', 'exchange.ended'])
  t.match(JSON.parse(String(disk.text(segmentName(3)).split('\n')[0])), {
    error: 'ETIMEDOUT',
    durable_seq: 2,
    rejected_records: 3,
  })
  t.match(await report(disk), { intact: true, records: 4 })
  await log.close()
})

t.test('one alarm watches all operations, and goes off for the one that is late', async (t) => {
  const { clock, ring, asked, sleepers } = fakeAlarm()
  const opened = await start(new SimulatedDisk(), { clock, syncTimeoutMs: 700 })
  const log = opened.log as HealingAuditLog
  await appendAll(log, 20)
  t.same(asked, [700])
  await ring()
  t.equal(sleepers.size, 0, 'a disk that has nothing to do is not watched')
  await appendAll(log, 20)
  t.same(asked, [700, 700])
  t.equal(log.healthy, true)
  await log.close()
})

t.test('a log whose disk hangs can be closed', async (t) => {
  const { log, ring, gate, disk } = await hung()
  const append = t.rejects(log.append(sampleEvent(3)), failed)
  const closed = log.close()
  await ring()
  await Promise.all([append, closed])
  gate.resolve()
  await turn()
  t.equal(disk.count('close'), 1)
})

t.test('a file that was opened too late is closed', async (t) => {
  const { clock, ring } = fakeAlarm()
  const disk = new SimulatedDisk().mount()
  const gate = Promise.withResolvers<void>()
  let closes = 0
  const create = async (name: string) => {
    await gate.promise
    const file = await disk.create(name)
    return { ...file, close: () => file.close().then(() => void closes++) }
  }
  const store = withDeadline({ ...disk, create }, clock, 5)
  const created = t.rejects(store.create(segmentName(1)), { code: 'ETIMEDOUT' })
  await ring()
  await created
  await t.rejects(store.remove(segmentName(1)), { code: 'ETIMEDOUT' })
  gate.resolve()
  await turn()
  t.equal(closes, 1)
  await store.remove(segmentName(1))
  t.same(await store.list(), [])
})
