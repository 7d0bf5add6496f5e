/**
 * The writer of the audit log: group commit over segments, and recovery from a disk that fails. Invariants:
 *
 * 1. An append resolves only after a sync that covers its record; a resolved record is never cut, moved or
 *    renumbered.
 * 2. At most one batch is being written; records are numbered when their batch is, in the order of the
 *    appends.
 * 3. `head` is the last durable record. Whatever lies behind it in a segment was never acknowledged.
 * 4. After a failed write or sync the segment is unsafe: the kernel may have dropped dirty pages and report
 *    the next sync as good. Its handle is closed and never written again. Before anything else is written it
 *    is cut back to `head` (removed, when nothing in it is durable), and the chain goes on in a new segment
 *    that begins with `log.recovered`. So the files on the disk hold one unbroken chain and nothing besides,
 *    at every moment that something is acknowledged.
 *    A disk that does not answer within `syncTimeoutMs` has failed (deadline.ts); cutting waits until it answers.
 * 5. The queue is bounded: an append beyond it is refused, never dropped or blocked.
 */
import type { Clock } from '../clock.ts'
import { Refusal } from '../refusal.ts'
import { type Draft, draftOf, type Position, type Sealed, seal } from './chain.ts'
import { withDeadline } from './deadline.ts'
import type { AuditEvent, AuditRecord, HealingAuditLog } from './record.ts'
import { type Standing, standingOf } from './recover.ts'
import { type SegmentFile, type SegmentStore, segmentName, writeAll } from './segment.ts'

const batchRecordsMax = 512
const batchBytesMax = 1 << 20
const retryAfterMs = 1000
const syncTimeoutMsDefault = 10_000

/** Something that the operator should hear of. */
export interface AuditNotice {
  readonly kind: 'torn_frame_cut' | 'write_failed' | 'write_recovered' | 'lock_taken_over'
  readonly segment?: string
  readonly seq: number
  readonly cause?: unknown
}

export interface LogOptions {
  readonly segmentBytesMax: number
  readonly clock: Clock
  /** Appends that may wait for their sync. */
  readonly queueRecordsMax?: number
  /** How long the disk may take for one write or sync before it counts as failed. */
  readonly syncTimeoutMs?: number
  readonly onNotice?: (notice: AuditNotice) => void
}

interface Waiting {
  readonly draft: Draft
  resolve(record: AuditRecord): void
  reject(error: Error): void
}

interface OpenSegment {
  readonly name: string
  readonly file: SegmentFile
  durableBytes: number
}

const unavailable = (detail: string, cause?: unknown): Refusal =>
  new Refusal('audit_unavailable', detail, { retryAfterMs, cause })

const codeOf = (cause: unknown): string => {
  const { code } = cause as NodeJS.ErrnoException
  return typeof code === 'string' ? code : 'UNKNOWN'
}

class SegmentedLog implements HealingAuditLog {
  readonly #store: SegmentStore
  readonly #options: LogOptions
  readonly #queue: Waiting[] = []
  #head: Position
  #batchRecords = 0
  #running: Promise<void> | undefined
  #closed = false
  // Owned by the one batch that is being written:
  #segment: OpenSegment | undefined
  /** The segment that a failed write left behind, until it has been cut back. */
  #unsafe: { readonly name: string; readonly durableBytes: number } | undefined
  #failure: { readonly code: string; rejected: number } | undefined

  constructor(store: SegmentStore, head: Position, segment: OpenSegment | undefined, options: LogOptions) {
    this.#store = store
    this.#head = head
    this.#segment = segment
    this.#options = options
  }

  get healthy(): boolean {
    return this.#failure === undefined
  }

  get queued(): number {
    return this.#queue.length + this.#batchRecords
  }

  get head(): Position {
    return this.#head
  }

  async append(event: AuditEvent): Promise<AuditRecord> {
    if (this.#closed) throw unavailable('the audit log is closed')
    if (this.queued >= (this.#options.queueRecordsMax ?? 4096)) throw unavailable('the audit queue is full')
    const draft = draftOf(event)
    const { promise, resolve, reject } = Promise.withResolvers<AuditRecord>()
    this.#queue.push({ draft, resolve, reject })
    this.#running ??= this.#drain()
    return promise
  }

  async heal(): Promise<void> {
    if (this.#closed || this.healthy) return
    this.#running ??= this.#drain()
    await this.#running
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#running
    const segment = this.#segment
    this.#segment = undefined
    await segment?.file.close()
    // A last try: the next writer would take an unacknowledged tail for part of the log.
    await this.#cutBack().catch(() => undefined)
  }

  async #drain(): Promise<void> {
    try {
      // The turn that brought one append may bring more; they share its sync.
      await Promise.resolve()
      do {
        const batch = this.#takeBatch()
        this.#batchRecords = batch.length
        // An empty batch is an attempt to write again: the record of the recovery goes alone.
        if (batch.length > 0 || !this.healthy) await this.#commit(batch)
        this.#batchRecords = 0
      } while (this.#queue.length > 0)
    } finally {
      this.#running = undefined
    }
  }

  #takeBatch(): Waiting[] {
    let bytes = 0
    const bytesMax = Math.min(batchBytesMax, this.#options.segmentBytesMax)
    const beyond = this.#queue.findIndex(({ draft }, index) => {
      bytes += draft.bytesMax
      return index > 0 && (index === batchRecordsMax || bytes > bytesMax)
    })
    return this.#queue.splice(0, beyond < 0 ? this.#queue.length : beyond)
  }

  async #commit(batch: readonly Waiting[]): Promise<void> {
    const drafts = batch.map(({ draft }) => draft)
    let sealed: readonly Sealed[]
    try {
      sealed = await this.#write(this.#failure === undefined ? drafts : [this.#recovered(), ...drafts])
    } catch (cause) {
      await this.#fail(cause, batch)
      return
    }
    const own = sealed.slice(sealed.length - batch.length)
    batch.forEach(({ resolve }, index) => {
      resolve((own[index] as Sealed).record)
    })
  }

  async #write(drafts: readonly Draft[]): Promise<readonly Sealed[]> {
    let head = this.#head
    const sealed = drafts.map((draft) => {
      const next = seal(draft, head)
      head = { seq: next.record.seq, hash: next.record.hash }
      return next
    })
    const bytes = Buffer.from(sealed.map(({ line }) => line).join(''))
    const segment = await this.#segmentFor(bytes.length)
    await writeAll(segment.file, bytes)
    await segment.file.sync()
    segment.durableBytes += bytes.length
    this.#head = head
    if (this.#failure !== undefined) this.#notice('write_recovered', segment.name)
    this.#failure = undefined
    return sealed
  }

  /** The open segment, or a new one when there is none or no room in it. */
  async #segmentFor(bytes: number): Promise<OpenSegment> {
    const open = this.#segment
    if (open !== undefined) {
      if (open.durableBytes === 0 || open.durableBytes + bytes <= this.#options.segmentBytesMax) return open
      this.#segment = undefined
      await open.file.close()
    }
    await this.#cutBack()
    const name = segmentName(this.#head.seq + 1)
    this.#segment = { name, file: await this.#create(name), durableBytes: 0 }
    return this.#segment
  }

  async #create(name: string): Promise<SegmentFile> {
    try {
      return await this.#store.create(name)
    } catch (cause) {
      // It may be there all the same, empty. One that was there before is not ours to remove.
      if (codeOf(cause) !== 'EEXIST') this.#unsafe = { name, durableBytes: 0 }
      throw cause
    }
  }

  async #cutBack(): Promise<void> {
    if (this.#unsafe === undefined) return
    const { name, durableBytes } = this.#unsafe
    if (durableBytes === 0) await this.#store.remove(name)
    else await this.#store.truncate(name, durableBytes)
    this.#unsafe = undefined
  }

  async #fail(cause: unknown, batch: readonly Waiting[]): Promise<void> {
    const segment = this.#segment
    this.#segment = undefined
    if (segment !== undefined) {
      this.#unsafe = { name: segment.name, durableBytes: segment.durableBytes }
      await segment.file.close().catch(() => undefined)
    }
    const rejected = (this.#failure?.rejected ?? 0) + batch.length
    this.#failure = { code: codeOf(cause), rejected }
    for (const { reject } of batch) reject(unavailable('the audit log could not be written', cause))
    // An attempt to write again that fails is no news.
    if (batch.length > 0) this.#notice('write_failed', segment?.name, cause)
  }

  /** The first record after a failure: what was durable, and how many appends were rejected since. */
  #recovered(): Draft {
    return recoveredDraft(this.#options.clock, this.#head, {
      reason: 'write_failed',
      error: this.#failure?.code,
      rejected_records: this.#failure?.rejected,
    })
  }

  #notice(kind: AuditNotice['kind'], segment: string | undefined, cause?: unknown): void {
    this.#options.onNotice?.({
      kind,
      seq: this.#head.seq,
      ...(segment && { segment }),
      ...(cause ? { cause } : {}),
    })
  }
}

type RecoveryFields = { readonly [field: string]: string | number | undefined }

const recoveredEvent = (clock: Clock, head: Position, fields: RecoveryFields): AuditEvent => ({
  event: 'log.recovered',
  time: new Date(clock.now()).toISOString(),
  durable_seq: head.seq,
  durable_hash: head.hash,
  ...fields,
})

const recoveredDraft = (clock: Clock, head: Position, fields: RecoveryFields): Draft =>
  draftOf(recoveredEvent(clock, head, fields))

async function resume(store: SegmentStore, { last, soundBytes }: Standing): Promise<OpenSegment | undefined> {
  if (last === undefined) return undefined
  if (soundBytes < last.bytes) await store.truncate(last.name, soundBytes)
  const file = await store.reopen(last.name)
  return { name: last.name, file, durableBytes: soundBytes }
}

/**
 * Opens the log that a store holds and continues its chain. Cuts a torn last frame and records that it did;
 * throws AuditChainError when the last segment is not a chain. The caller sees to it that there is one
 * writer.
 */
export async function startLog(disk: SegmentStore, options: LogOptions): Promise<HealingAuditLog> {
  const store = withDeadline(disk, options.clock, options.syncTimeoutMs ?? syncTimeoutMsDefault)
  const standing = await standingOf(store)
  const log = new SegmentedLog(store, standing.head, await resume(store, standing), options)
  const { last, soundBytes, head } = standing
  if (last === undefined || soundBytes === last.bytes) return log
  options.onNotice?.({ kind: 'torn_frame_cut', segment: last.name, seq: head.seq })
  const cut = { reason: 'torn_frame', cut_bytes: last.bytes - soundBytes }
  try {
    await log.append(recoveredEvent(options.clock, head, cut))
  } catch (error) {
    await log.close()
    throw error
  }
  return log
}
