import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { draftOf, genesis, type Position, type Sealed, seal } from '../../src/audit/chain.ts'
import type { AuditEvent } from '../../src/audit/record.ts'
import { segmentName } from '../../src/audit/segment.ts'
import type { Clock } from '../../src/clock.ts'

export const fakeClock: Clock = {
  now: () => Date.UTC(2026, 0, 2, 3, 4, 5),
  monotonic: () => 0,
  // It stands still, so nothing that waits for it ever wakes.
  sleep: () => new Promise(() => undefined),
}

/** The n-th event of a sample log: one second apart, so that no clock warning hides another finding. */
export const sampleEvent = (n: number, fields: Partial<AuditEvent> = {}): AuditEvent => ({
  event: 'exchange.ended',
  request_id: `req-${n}`,
  time: new Date(Date.UTC(2026, 0, 1) + n * 1000).toISOString(),
  tokens: { input: n, output: 2 * n },
  ...fields,
})

/** Seals events one after the other. */
export function sealed(events: readonly AuditEvent[], after: Position = genesis): Sealed[] {
  let head = after
  return events.map((event) => {
    const next = seal(draftOf(event), head)
    head = { seq: next.record.seq, hash: next.record.hash }
    return next
  })
}

/** A log of `count` records. */
export const sampleLog = (count: number, fields: Partial<AuditEvent> = {}): Sealed[] =>
  sealed(Array.from({ length: count }, (_, index) => sampleEvent(index + 1, fields)))

/** Lines without their newlines. */
export const linesOf = (log: readonly Sealed[]): string[] => log.map(({ line }) => line.slice(0, -1))

export async function inDirectory<T>(use: (directory: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'audit-test-'))
  try {
    return await use(directory)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

/** Writes a log as segments of `perSegment` records. */
export async function writeSegments(
  directory: string,
  log: readonly Sealed[],
  perSegment: number,
): Promise<void> {
  for (let at = 0; at < log.length; at += perSegment) {
    const text = log.slice(at, at + perSegment).map(({ line }) => line)
    await writeFile(join(directory, segmentName(at + 1)), text.join(''))
  }
}
