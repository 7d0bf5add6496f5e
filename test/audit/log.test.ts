import t from 'tap'

import { genesis } from '../../src/audit/chain.ts'
import { type AuditNotice, startLog } from '../../src/audit/log.ts'
import type { AuditLog } from '../../src/audit/record.ts'
import { segmentName } from '../../src/audit/segment.ts'
import { verifyLines } from '../../src/audit/verify.ts'
import { fakeClock, sampleEvent, sampleLog } from './sample.ts'
import { SimulatedDisk } from './simulated-disk.ts'

interface Opened {
  readonly disk: SimulatedDisk
  readonly log: AuditLog
  readonly notices: AuditNotice[]
}

async function start(
  disk = new SimulatedDisk(),
  options: { segmentBytesMax?: number; queueRecordsMax?: number } = {},
): Promise<Opened> {
  const notices: AuditNotice[] = []
  const onNotice = (notice: AuditNotice): void => {
    notices.push(notice)
  }
  const log = await startLog(disk.mount(), {
    segmentBytesMax: 1 << 20,
    clock: fakeClock,
    onNotice,
    ...options,
  })
  return { disk, log, notices }
}

const appendAll = (log: AuditLog, count: number, from = 1) =>
  Promise.all(Array.from({ length: count }, (_, index) => log.append(sampleEvent(from + index))))

const report = (disk: SimulatedDisk) => verifyLines(disk.whole().split('\n').slice(0, -1))
const events = (disk: SimulatedDisk): string[] =>
  disk
    .whole()
    .split('\n')
    .slice(0, -1)
    .map((line) => (JSON.parse(line) as { event: string }).event)

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

t.test('an orderly restart continues the chain in the same segment', async (t) => {
  const { disk, log } = await start()
  await appendAll(log, 3)
  await log.close()
  const again = await start(disk)
  t.same(again.log.head, log.head)
  t.equal((await again.log.append(sampleEvent(4))).seq, 4)
  t.same(again.notices, [])
  t.match(await report(disk), { intact: true, records: 4, head: again.log.head })
  await again.log.close()
})

t.test('a torn last frame is cut, said and recorded', async (t) => {
  const { disk, log } = await start()
  await appendAll(log, 3)
  await log.close()
  const file = disk.files.get(segmentName(1))
  t.ok(file)
  if (file) file.bytes = Buffer.concat([file.bytes, Buffer.from('{"event":"exch')])
  const again = await start(disk)
  t.match(again.notices, [{ kind: 'torn_frame_cut', segment: segmentName(1), seq: 3 }])
  t.same(events(disk).at(-1), 'log.recovered')
  t.match(disk.whole(), /"cut_bytes":14/)
  t.match(await report(disk), { intact: true, records: 4 })
  await again.log.close()
})

t.test('a segment that holds nothing but a torn frame', async (t) => {
  for (const earlier of [0, 2]) {
    const { disk, log } = await start(new SimulatedDisk(), { segmentBytesMax: 1 })
    await appendAll(log, earlier)
    await log.close()
    disk.files.set(segmentName(earlier + 1), { bytes: Buffer.from('{"e'), durableBytes: 3, poisoned: false })
    const again = await start(disk)
    t.equal(again.log.head.seq, earlier + 1, 'log.recovered follows the last whole record')
    t.match(await report(disk), { intact: true, records: earlier + 1 })
    await again.log.close()
  }
})

t.test('a broken log is not continued and not changed, and the message says what to do', async (t) => {
  const whole = sampleLog(6).map(({ line }) => line)
  const first = whole.slice(0, 3).join('')
  const broken: readonly (readonly [
    name: string,
    segments: readonly (readonly [number, string])[],
    seq: number,
  ])[] = [
    ['a field changed', [[1, whole.join('').replace('req-4', 'req-9')]], 4],
    ['a record deleted', [[1, whole.toSpliced(3, 1).join('')]], 4],
    ['garbage at the end', [[1, `${first}garbage`]], 4],
    ['a garbage line', [[1, `${first}garbage\n`]], 4],
    [
      'a segment missing',
      [
        [1, first],
        [5, whole.slice(4).join('')],
      ],
      4,
    ],
    [
      'the segment before is torn',
      [
        [1, first.slice(0, -5)],
        [4, whole.slice(3).join('')],
      ],
      4,
    ],
    [
      'the segment before is garbage',
      [
        [1, 'x\n'],
        [4, whole.slice(3).join('')],
      ],
      3,
    ],
    [
      'the segment before was replaced',
      [
        [
          1,
          sampleLog(3, { model: 'other' })
            .map(({ line }) => line)
            .join(''),
        ],
        [4, whole.slice(3).join('')],
      ],
      4,
    ],
    ['an empty segment whose past is gone', [[4, '']], 4],
    ['archived past, unreadable first record', [[4, 'x\n']], 4],
    ['archived past, first record of another number', [[4, whole.slice(4).join('')]], 4],
  ]
  for (const [name, segments, seq] of broken) {
    const disk = new SimulatedDisk()
    for (const [firstSeq, text] of segments) {
      disk.files.set(segmentName(firstSeq), {
        bytes: Buffer.from(text),
        durableBytes: text.length,
        poisoned: false,
      })
    }
    const before = disk.whole()
    await t.rejects(
      start(disk),
      { name: 'AuditChainError', seq, message: /Nothing was changed.*audit verify/s },
      name,
    )
    t.equal(disk.whole(), before)
  }
})

t.test('earlier segments may be archived elsewhere', async (t) => {
  const disk = new SimulatedDisk()
  const text = sampleLog(6)
    .slice(3)
    .map(({ line }) => line)
    .join('')
  disk.files.set(segmentName(4), { bytes: Buffer.from(text), durableBytes: text.length, poisoned: false })
  const { log } = await start(disk)
  t.equal((await log.append(sampleEvent(7))).seq, 7)
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

t.test('a failure when the cut is to be recorded stops the start', async (t) => {
  const disk = new SimulatedDisk()
  disk.files.set(segmentName(1), { bytes: Buffer.from('{"e'), durableBytes: 3, poisoned: false })
  disk.fail('write', 'EIO')
  await t.rejects(start(disk), { code: 'audit_unavailable' })
  const again = await start(disk)
  t.equal((await again.log.append(sampleEvent(1))).seq, 1, 'nothing was left to cut or to record')
  await again.log.close()
})
