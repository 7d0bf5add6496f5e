import { type Flaw, follow, genesis, type Position, readRecord } from './chain.ts'
import { type Frame, frames, isTorn } from './frames.ts'
import type { SegmentInfo } from './segment.ts'
import { segmentFiles } from './segment-files.ts'

export type FindingCode =
  | Flaw
  | 'out_of_order'
  | 'missing_segment'
  | 'trailing_garbage'
  | 'head_mismatch'
  | 'truncated'
  | 'torn_tail'
  | 'clock_backwards'
  | 'empty_log'

/** One thing that is wrong (`Report.error`) or worth a look (`Report.warnings`). Never quotes the log. */
export interface Finding {
  readonly code: FindingCode
  /** The first seq that does not hold. */
  readonly seq: number
  /** Segment file, empty when the log came as lines. */
  readonly segment: string
  /** Line in the segment, from 1; 0 when the finding is about the segment or the log. */
  readonly line: number
  readonly detail: string
}

/** The outcome of a verification. Plain data: `JSON.stringify` is its machine form. */
export interface Report {
  readonly source: string
  readonly intact: boolean
  /** Records that hold, before the first error. */
  readonly records: number
  readonly segments: number
  readonly bytes: number
  /** Position after the last record that holds. */
  readonly head: Position
  /** A head from outside was given, and the log contains it. */
  readonly anchored: boolean
  /** The first error. What comes after it is not judged. */
  readonly error: Finding | null
  /** The first hundred warnings. */
  readonly warnings: readonly Finding[]
  readonly warningCount: number
}

export interface VerifyOptions {
  /** A head noted earlier in another place: the log must contain it. The only thing that shows a cut end. */
  readonly head?: Position
  /**
   * How far a record's time may lie before that of the record before it; 2 s, as callers set the time before
   * they queue.
   */
  readonly clockToleranceMs?: number
}

const warningsMax = 100

interface Place {
  readonly segment: string
  readonly line: number
}

type Problem = Omit<Finding, 'segment' | 'line'>

function details(flaw: Flaw, seq: number, found: number | undefined): string {
  const before = seq - 1
  const texts: Record<Flaw, string> = {
    unreadable:
      "the line is not JSON text in UTF-8 of a record's size: bytes were changed, or it is not ours",
    malformed: 'the line is JSON but lacks the fields of a record',
    not_canonical: 'the record is not in canonical form (RFC 8785): it was rewritten',
    edited: 'the content does not have the hash that the record states: it was changed',
    broken_link: `the record does not follow record ${before}: one was replaced, or comes from elsewhere`,
    duplicate_seq: `record ${found} stands where ${seq} belongs: it was repeated, or one was inserted before`,
    seq_gap: `records ${seq} to ${Number(found) - 1} are missing`,
  }
  return texts[flaw]
}

/** Follows the chain record by record; stops at the first error. Holds nothing but its position. */
class Walk {
  position = genesis
  records = 0
  segments = 0
  bytes = 0
  anchored = false
  error: Finding | null = null
  readonly warnings: Finding[] = []
  warningCount = 0
  readonly #options: VerifyOptions
  #timeMs = Number.NEGATIVE_INFINITY
  /** A gap that may turn out to be two records that changed places. */
  #gap: Finding | undefined

  constructor(options: VerifyOptions) {
    this.#options = options
  }

  get next(): number {
    return this.position.seq + 1
  }

  /** Takes one line; false when the walk is over. */
  accept(line: Buffer, place: Place): boolean {
    this.bytes += line.length + 1
    if (this.#gap !== undefined) return this.#settleGap(line)
    const reading = follow(this.position, line)
    if ('record' in reading) return this.#advance(reading.record, place)
    const { flaw, seq } = reading
    const finding = { code: flaw, seq: this.next, ...place, detail: details(flaw, this.next, seq) }
    if (flaw !== 'seq_gap') return this.#stop(finding)
    this.#gap = finding
    return true
  }

  fail(problem: Problem, place: Place): false {
    if (this.#gap !== undefined) this.#stop(this.#gap)
    return this.#stop({ ...problem, ...place })
  }

  warn(problem: Problem, place: Place): void {
    this.warningCount += 1
    if (this.warnings.length < warningsMax) this.warnings.push({ ...problem, ...place })
  }

  /** No more lines: what is left to say about the end. */
  end(place: Place): void {
    if (this.#gap !== undefined) this.#stop(this.#gap)
    const { head } = this.#options
    if (this.error !== null || head === undefined || this.anchored) return
    const detail = `the log ends at record ${this.position.seq}, the given head is record ${head.seq}`
    this.fail({ code: 'truncated', seq: this.next, detail }, place)
  }

  #advance({ seq, hash, time }: { seq: number; hash: string; time: string }, place: Place): boolean {
    const { head, clockToleranceMs = 2000 } = this.#options
    if (head?.seq === seq && head.hash !== hash) {
      return this.fail(
        { code: 'head_mismatch', seq, detail: 'the record is not the head given from outside' },
        place,
      )
    }
    this.anchored ||= head?.seq === seq
    this.position = { seq, hash }
    this.records += 1
    const timeMs = Date.parse(time)
    const backMs = this.#timeMs - timeMs
    this.#timeMs = timeMs
    if (backMs > clockToleranceMs) {
      this.warn(
        { code: 'clock_backwards', seq, detail: `the time is ${backMs} ms before that of the record before` },
        place,
      )
    }
    return true
  }

  #settleGap(line: Buffer): false {
    const gap = this.#gap as Finding
    this.#gap = undefined
    const reading = readRecord(line)
    if (!('record' in reading) || reading.record.seq !== gap.seq) return this.#stop(gap)
    return this.#stop({
      ...gap,
      code: 'out_of_order',
      detail: `record ${gap.seq} stands after the one that follows it`,
    })
  }

  #stop(error: Finding): false {
    this.error ??= error
    return false
  }

  report(source: string): Report {
    const { records, segments, bytes, position: head, anchored, error, warnings, warningCount } = this
    return {
      source,
      intact: error === null,
      records,
      segments,
      bytes,
      head,
      anchored,
      error,
      warnings,
      warningCount,
    }
  }
}

/** What follows the last newline of a segment. */
function acceptTail(walk: Walk, tail: Buffer, place: Place, position: 'last' | 'inner'): false {
  const seq = walk.next
  walk.bytes += tail.length
  if (position === 'last' && isTorn(tail)) {
    const detail =
      'the last line is unfinished and was never acknowledged: a crash, or a write that is under way'
    walk.warn({ code: 'torn_tail', seq, detail }, place)
  } else {
    const detail = 'the bytes after the last record were not written by the log'
    walk.fail({ code: 'trailing_garbage', seq, detail }, place)
  }
  return false
}

async function acceptFrames(
  walk: Walk,
  source: AsyncIterable<Frame>,
  segment: string,
  position: 'last' | 'inner',
): Promise<boolean> {
  let line = 0
  for await (const { bytes, ended } of source) {
    line += 1
    const going = ended
      ? walk.accept(bytes, { segment, line })
      : acceptTail(walk, bytes, { segment, line }, position)
    if (!going) return false
  }
  return true
}

/** The name of a segment promises its first seq; a gap between two names is a file that is gone. */
function acceptName(walk: Walk, { name, firstSeq }: SegmentInfo): boolean {
  walk.segments += 1
  if (firstSeq === walk.next) return true
  const missing = firstSeq > walk.next
  const detail = missing
    ? `records ${walk.next} to ${firstSeq - 1} are missing before ${name}`
    : `${name} begins again at record ${firstSeq}`
  const code = missing ? 'missing_segment' : 'duplicate_seq'
  return walk.fail({ code, seq: walk.next, detail }, { segment: name, line: 0 })
}

function finish(walk: Walk, source: string, segment: string): Report {
  const place = { segment, line: 0 }
  walk.end(place)
  if (walk.records === 0 && walk.error === null) {
    walk.warn(
      {
        code: 'empty_log',
        seq: 1,
        detail: 'there are no records; only a head from outside can tell whether there were',
      },
      place,
    )
  }
  return walk.report(source)
}

async function* framesOf(lines: Iterable<string> | AsyncIterable<string>): AsyncGenerator<Frame> {
  for await (const line of lines) yield { bytes: Buffer.from(line), ended: true }
}

/** Verifies records that come one per line, without their newlines, as from an export. */
export async function verifyLines(
  lines: Iterable<string> | AsyncIterable<string>,
  options: VerifyOptions = {},
): Promise<Report> {
  const walk = new Walk(options)
  await acceptFrames(walk, framesOf(lines), '', 'last')
  return finish(walk, 'lines', '')
}

/**
 * Verifies the audit log in a directory, from its first record to its last, in memory that does not grow with
 * it. Reports; throws only when the directory cannot be read.
 */
export async function verifyLog(directory: string, options: VerifyOptions = {}): Promise<Report> {
  const store = segmentFiles(directory)
  const segments = await store.list()
  const walk = new Walk(options)
  for (const segment of segments) {
    if (!acceptName(walk, segment)) break
    const going = await acceptFrames(
      walk,
      frames(store.read(segment.name)),
      segment.name,
      segment === segments.at(-1) ? 'last' : 'inner',
    )
    if (!going) break
  }
  return finish(walk, directory, segments.at(-1)?.name ?? '')
}
