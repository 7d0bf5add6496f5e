import t from 'tap'

import { segmentName } from '../../src/audit/segment.ts'
import { appendAll, events, report, start } from './opened.ts'
import { sampleEvent, sampleLog } from './sample.ts'
import { SimulatedDisk } from './simulated-disk.ts'

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

t.test('a failure when the cut is to be recorded stops the start', async (t) => {
  const disk = new SimulatedDisk()
  disk.files.set(segmentName(1), { bytes: Buffer.from('{"e'), durableBytes: 3, poisoned: false })
  disk.fail('write', 'EIO')
  await t.rejects(start(disk), { code: 'audit_unavailable' })
  const again = await start(disk)
  t.equal((await again.log.append(sampleEvent(1))).seq, 1, 'nothing was left to cut or to record')
  await again.log.close()
})
