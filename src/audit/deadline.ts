/**
 * A deadline around every operation of a store: a disk may neither answer nor fail (a stalled network volume, a dying
 * controller), and nothing may wait for it without end. Invariants:
 *
 * 1. Every operation that changes something settles within `timeoutMs`; it rejects with `ETIMEDOUT` when it has not come
 *    back by then.
 * 2. Until an operation that is overdue has come back, every further one rejects at once and does not reach the disk: what
 *    is late may still write, so nothing may be cut or written behind its back, and no thread is spent on waiting.
 * 3. A file that nobody holds any more is closed, however late its operation comes back.
 */
import type { Clock } from '../clock.ts'
import type { SegmentFile, SegmentStore } from './segment.ts'

const overdue = (what: string): Error =>
  Object.assign(new Error(`the audit disk did not answer in time (${what})`), { code: 'ETIMEDOUT' })

const tooLate = Symbol('too late')

/** An operation that the disk works on. */
interface UnderWay {
  readonly startedAtMs: number
  overdue(): void
}

class Deadline {
  readonly #clock: Clock
  readonly #timeoutMs: number
  /** Settles when all that is overdue has come back. */
  #late: Promise<void> | undefined
  #underWay: UnderWay | undefined
  #watching: Promise<void> | undefined

  constructor(clock: Clock, timeoutMs: number) {
    this.#clock = clock
    this.#timeoutMs = timeoutMs
  }

  /** `unwanted` is given the result that came too late. */
  async run<T>(what: string, act: () => Promise<T>, unwanted?: (result: T) => Promise<void>): Promise<T> {
    if (this.#late !== undefined) throw overdue(what)
    const { promise, resolve } = Promise.withResolvers<typeof tooLate>()
    const operation: UnderWay = { startedAtMs: this.#clock.monotonic(), overdue: () => resolve(tooLate) }
    this.#underWay = operation
    this.#watching ??= this.#watch()
    const work = act()
    try {
      const first = await Promise.race([work, promise])
      if (first !== tooLate) return first as T
    } finally {
      if (this.#underWay === operation) this.#underWay = undefined
    }
    this.#hold(unwanted === undefined ? work : work.then(unwanted))
    throw overdue(what)
  }

  /** One timer for all operations, which are thousands a second: it sleeps until the one under way may be overdue. */
  async #watch(): Promise<void> {
    while (this.#underWay !== undefined) {
      const { startedAtMs } = this.#underWay
      await this.#clock.sleep(startedAtMs + this.#timeoutMs - this.#clock.monotonic())
      const operation = this.#underWay
      if (operation !== undefined && this.#clock.monotonic() - operation.startedAtMs >= this.#timeoutMs) {
        this.#underWay = undefined
        operation.overdue()
      }
    }
    this.#watching = undefined
  }

  /** Closes a file now, or when what is overdue has come back. */
  async close(file: SegmentFile): Promise<void> {
    if (this.#late === undefined) return this.run('close', () => file.close())
    this.#hold(this.#late.then(() => file.close()))
    throw overdue('close')
  }

  #hold(work: Promise<unknown>): void {
    const held: Promise<void> = work
      .catch(() => {})
      .then(() => {
        if (this.#late === held) this.#late = undefined
      })
    this.#late = held
  }
}

const bounded = (file: SegmentFile, deadline: Deadline): SegmentFile => ({
  write: (bytes) => deadline.run('write', () => file.write(bytes)),
  sync: () => deadline.run('sync', () => file.sync()),
  close: () => deadline.close(file),
})

/** The same store, never waited for longer than `timeoutMs`. For one writer that does one thing at a time. */
export function withDeadline(store: SegmentStore, clock: Clock, timeoutMs: number): SegmentStore {
  const deadline = new Deadline(clock, timeoutMs)
  const opening = async (what: string, open: () => Promise<SegmentFile>): Promise<SegmentFile> =>
    bounded(await deadline.run(what, open, (file) => file.close()), deadline)
  return {
    list: () => store.list(),
    read: (name, start) => store.read(name, start),
    create: (name) => opening('create', () => store.create(name)),
    reopen: (name) => opening('reopen', () => store.reopen(name)),
    truncate: (name, bytes) => deadline.run('truncate', () => store.truncate(name, bytes)),
    remove: (name) => deadline.run('remove', () => store.remove(name)),
  }
}
