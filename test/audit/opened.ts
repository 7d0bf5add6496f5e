import { type AuditNotice, type LogOptions, startLog } from '../../src/audit/log.ts'
import type { AuditLog } from '../../src/audit/record.ts'
import { verifyLines } from '../../src/audit/verify.ts'
import { fakeClock, sampleEvent } from './sample.ts'
import { SimulatedDisk } from './simulated-disk.ts'

interface Opened {
  readonly disk: SimulatedDisk
  readonly log: AuditLog
  readonly notices: AuditNotice[]
}

/** Opens a log on a simulated disk. */
export async function start(disk = new SimulatedDisk(), options: Partial<LogOptions> = {}): Promise<Opened> {
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

/** Appends sample events at once. */
export const appendAll = (log: AuditLog, count: number, from = 1) =>
  Promise.all(Array.from({ length: count }, (_, index) => log.append(sampleEvent(from + index))))

/** Verifies what is on the disk. */
export const report = (disk: SimulatedDisk) => verifyLines(disk.whole().split('\n').slice(0, -1))
/** Kinds of the records on the disk, in order. */
export const events = (disk: SimulatedDisk): string[] =>
  disk
    .whole()
    .split('\n')
    .slice(0, -1)
    .map((line) => (JSON.parse(line) as { event: string }).event)
