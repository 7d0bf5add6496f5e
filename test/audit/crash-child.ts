/**
 * A writer that is killed: appends without pause and says on stdout what was acknowledged. Argument: the
 * directory.
 */
import { writeSync } from 'node:fs'

import { openAuditLog } from '../../src/audit/open.ts'
import { systemClock } from '../../src/clock.ts'

const directory = String(process.argv[2])
const log = await openAuditLog({ directory, segmentBytesMax: 8192, clock: systemClock })

async function write(writer: number): Promise<void> {
  for (let n = 1; ; n++) {
    const record = await log.append({
      event: 'exchange.ended',
      time: new Date().toISOString(),
      request_id: `${process.pid}-${writer}-${n}`,
    })
    // One write(2) for a line: what the parent can read was acknowledged before the kill.
    writeSync(1, `${record.seq}:${record.hash}\n`)
  }
}

await Promise.all([1, 2, 3, 4, 5].map(write))
