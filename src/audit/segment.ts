/** Where the log keeps its bytes. Small, so that tests can put a disk with faults behind it. */
export interface SegmentStore {
  /** Segments in order of their first seq. */
  list(): Promise<readonly SegmentInfo[]>
  /** The bytes from `start` on, in chunks. */
  read(name: string, start?: number): AsyncIterable<Buffer>
  /** Makes a new, empty segment whose name survives a crash. Fails when there is one of that name. */
  create(name: string): Promise<SegmentFile>
  /** Opens a segment to write after its last byte, with all that can be read from it made durable first. */
  reopen(name: string): Promise<SegmentFile>
  /** Cuts a segment to its first `bytes`, durably. */
  truncate(name: string, bytes: number): Promise<void>
  /** Removes a segment if it is there, durably. */
  remove(name: string): Promise<void>
}

export interface SegmentFile {
  /** Appends some of the bytes and says how many: as with write(2), fewer than asked for is not an error. */
  write(bytes: Buffer): Promise<number>
  /** Resolves when everything written is on the disk. */
  sync(): Promise<void>
  close(): Promise<void>
}

export interface SegmentInfo {
  readonly name: string
  readonly firstSeq: number
  readonly bytes: number
}

const nameForm = /^audit-(\d{12})\.jsonl$/

/** `audit-000000000001.jsonl`: sorted by name is sorted by seq. */
export const segmentName = (firstSeq: number): string => `audit-${String(firstSeq).padStart(12, '0')}.jsonl`

/** The first seq that a segment name promises, or undefined for a file that is not a segment. */
export function firstSeqOf(name: string): number | undefined {
  const digits = nameForm.exec(name)?.[1]
  return digits === undefined ? undefined : Number(digits)
}

/** Writes all bytes, over as many short writes as the system makes of it. */
export async function writeAll(file: SegmentFile, bytes: Buffer): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const written = await file.write(bytes.subarray(done))
    if (written <= 0) throw new Error('a write to the audit segment made no progress')
    done += written
  }
}
