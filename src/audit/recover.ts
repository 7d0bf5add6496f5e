import { type Flaw, follow, genesis, type Position, readRecord, recordBytesMax } from './chain.ts'
import { frames, isTorn } from './frames.ts'
import type { SegmentInfo, SegmentStore } from './segment.ts'

/** Where a log stands when it is opened. Nothing has been changed yet. */
export interface Standing {
  /** The last whole record. */
  readonly head: Position
  /** The segment to go on with; none for a new log. */
  readonly last: SegmentInfo | undefined
  /** Bytes of `last` that hold whole records. */
  readonly soundBytes: number
}

/** The log cannot be continued, because what is there is not a chain. */
export class AuditChainError extends Error {
  readonly segment: string
  readonly seq: number

  constructor(segment: string, seq: number, why: string) {
    super(
      `the audit log is broken at seq ${seq} in ${segment}: ${why}. Nothing was changed. ` +
        'Keep the directory as evidence, see "sallyport audit verify DIR", and start with an empty one.',
    )
    this.name = 'AuditChainError'
    this.segment = segment
    this.seq = seq
  }
}

const reasons: Record<Flaw | 'torn' | 'garbage', string> = {
  unreadable: 'a line is not JSON text',
  malformed: 'a line lacks the fields of a record',
  not_canonical: 'a record is not in canonical form',
  edited: 'a record does not have the hash that it states',
  broken_link: 'a record does not follow the one before it',
  duplicate_seq: 'a record has a number that was used before',
  seq_gap: 'records are missing before this one',
  torn: 'a segment that is not the last ends in the middle of a record',
  garbage: 'the bytes after the last record were not written by the log',
}

/** The last record of a segment that is not the last one. */
async function endOf(store: SegmentStore, segment: SegmentInfo, nextSeq: number): Promise<Position> {
  const start = Math.max(0, segment.bytes - recordBytesMax - 1)
  let line: Buffer = Buffer.alloc(0)
  for await (const frame of frames(store.read(segment.name, start))) {
    if (!frame.ended) throw new AuditChainError(segment.name, nextSeq, reasons.torn)
    line = frame.bytes
  }
  const reading = readRecord(line)
  if (!('record' in reading)) throw new AuditChainError(segment.name, nextSeq - 1, reasons[reading.flaw])
  return { seq: reading.record.seq, hash: reading.record.hash }
}

/**
 * The position before a segment's first record, or undefined when earlier segments were archived elsewhere.
 */
async function before(
  store: SegmentStore,
  segment: SegmentInfo,
  earlier: SegmentInfo | undefined,
): Promise<Position | undefined> {
  if (earlier !== undefined) {
    const end = await endOf(store, earlier, segment.firstSeq)
    if (end.seq + 1 !== segment.firstSeq)
      throw new AuditChainError(segment.name, end.seq + 1, reasons.seq_gap)
    return end
  }
  return segment.firstSeq === 1 ? genesis : undefined
}

/** With its predecessor archived, a segment's first record can only vouch for itself. */
function firstLink(line: Buffer, segment: SegmentInfo): Position {
  const reading = readRecord(line)
  if ('record' in reading) return { seq: segment.firstSeq - 1, hash: reading.record.prev }
  throw new AuditChainError(segment.name, segment.firstSeq, reasons[reading.flaw])
}

async function scan(store: SegmentStore, last: SegmentInfo, start: Position | undefined): Promise<Standing> {
  let head = start
  let soundBytes = 0
  for await (const { bytes, ended } of frames(store.read(last.name))) {
    const after: Position = head ?? firstLink(bytes, last)
    if (!ended && !isTorn(bytes)) throw new AuditChainError(last.name, after.seq + 1, reasons.garbage)
    if (!ended) break
    const reading = follow(after, bytes)
    if (!('record' in reading)) throw new AuditChainError(last.name, after.seq + 1, reasons[reading.flaw])
    head = { seq: reading.record.seq, hash: reading.record.hash }
    soundBytes += bytes.length + 1
  }
  if (head === undefined) throw new AuditChainError(last.name, last.firstSeq, reasons.seq_gap)
  return { head, last, soundBytes }
}

/**
 * Reads the last segment, checks its chain and its link to the segment before, and says where to go on. A
 * frame cut short by a crash is left out of `soundBytes`; anything else that is not a chain throws
 * AuditChainError.
 */
export async function standingOf(store: SegmentStore): Promise<Standing> {
  const segments = await store.list()
  const last = segments.at(-1)
  if (last === undefined) return { head: genesis, last: undefined, soundBytes: 0 }
  return scan(store, last, await before(store, last, segments.at(-2)))
}
