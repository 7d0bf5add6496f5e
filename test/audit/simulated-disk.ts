/**
 * A disk in memory behind the `SegmentStore` interface, with a page cache that a crash loses and faults on
 * demand. What a sync has covered survives a crash; of the rest a prefix may survive, as on a real disk.
 */
import { firstSeqOf, type SegmentFile, type SegmentInfo, type SegmentStore } from '../../src/audit/segment.ts'

export type Operation = 'write' | 'sync' | 'create' | 'truncate' | 'remove' | 'close'

interface SimulatedFile {
  bytes: Buffer
  durableBytes: number
  /** A sync failed: later ones report success and save nothing. */
  poisoned: boolean
}

const failure = (code: string): Error => Object.assign(new Error(`simulated ${code}`), { code })

export class SimulatedDisk {
  readonly files = new Map<string, SimulatedFile>()
  /** Error codes for the next calls of an operation; '' lets one call through. */
  readonly faults = new Map<Operation, string[]>()
  /** Most bytes that one write takes; a failing write takes half of what it was given. */
  writeBytesMax = Number.POSITIVE_INFINITY
  readonly calls = new Map<Operation, number>()
  /** While set, syncs wait for it. */
  syncGate: Promise<void> | undefined
  #process = 0

  fail(operation: Operation, ...codes: string[]): void {
    this.faults.set(operation, [...(this.faults.get(operation) ?? []), ...codes])
  }

  /**
   * Power loss: unsynced bytes survive only as far as `keep` (0 to 1) says. Whoever had it mounted is dead.
   */
  crash(keep: number): void {
    this.kill()
    for (const file of this.files.values()) {
      const left = file.durableBytes + Math.floor((file.bytes.length - file.durableBytes) * keep)
      file.bytes = file.bytes.subarray(0, left)
      file.durableBytes = left
      file.poisoned = false
    }
  }

  /** The process dies, the machine lives: what was written stays in the page cache. */
  kill(): void {
    this.#process += 1
    this.faults.clear()
  }

  count(operation: Operation): number {
    return this.calls.get(operation) ?? 0
  }

  text(name: string): string {
    return this.#file(name).bytes.toString()
  }

  /** All bytes of the log, in order. */
  whole(): string {
    return [...this.files.keys()]
      .sort()
      .map((name) => this.text(name))
      .join('')
  }

  /** The disk as one process sees it; fails for ever once that process is dead. */
  mount(): SegmentStore {
    const owner = this.#process
    return {
      list: async () => this.#list(),
      read: (name, start = 0) => this.#read(name, start),
      create: async (name) => {
        this.#alive(owner)
        if (this.files.has(name)) throw failure('EEXIST')
        // The file is there even when the sync of its directory fails.
        this.files.set(name, { bytes: Buffer.alloc(0), durableBytes: 0, poisoned: false })
        await this.#enter('create', owner)
        return this.#handle(name, owner)
      },
      reopen: async (name) => {
        await this.#enter('sync', owner, () => {
          const file = this.#file(name)
          file.durableBytes = file.bytes.length
          file.poisoned = false
        })
        return this.#handle(name, owner)
      },
      truncate: (name, bytes) =>
        this.#enter('truncate', owner, () => {
          const file = this.#file(name)
          file.bytes = file.bytes.subarray(0, bytes)
          file.durableBytes = Math.min(file.durableBytes, bytes)
          file.poisoned &&= file.durableBytes < bytes
        }),
      remove: (name) => this.#enter('remove', owner, () => void this.files.delete(name)),
    }
  }

  #list(): readonly SegmentInfo[] {
    return [...this.files.keys()].sort().map((name) => ({
      name,
      firstSeq: Number(firstSeqOf(name)),
      bytes: this.#file(name).bytes.length,
    }))
  }

  async *#read(name: string, start: number): AsyncGenerator<Buffer> {
    const { bytes } = this.#file(name)
    for (let at = start; at < bytes.length; at += 100) yield bytes.subarray(at, at + 100)
  }

  #file(name: string): SimulatedFile {
    const file = this.files.get(name)
    if (file === undefined) throw failure('ENOENT')
    return file
  }

  #alive(owner: number): void {
    if (owner !== this.#process) throw failure('EBADF')
  }

  /** Runs an operation's effect, if its process still lives then, in the same turn as that check. */
  async #enter(operation: Operation, owner: number, effect: () => void = () => undefined): Promise<void> {
    await Promise.resolve()
    this.#alive(owner)
    this.calls.set(operation, this.count(operation) + 1)
    const code = this.faults.get(operation)?.shift()
    if (code) throw failure(code)
    effect()
  }

  #handle(name: string, owner: number): SegmentFile {
    return {
      write: (bytes) => this.#write(name, bytes, owner),
      sync: () => this.#sync(name, owner),
      close: () => this.#enter('close', owner),
    }
  }

  async #sync(name: string, owner: number): Promise<void> {
    const { length } = this.#file(name).bytes
    await this.syncGate
    try {
      await this.#enter('sync', owner, () => {
        const file = this.#file(name)
        if (!file.poisoned) file.durableBytes = length
      })
    } catch (error) {
      // As Linux does: the pages are lost but count as clean, and the next sync of the file reports success.
      if (owner === this.#process) this.#file(name).poisoned = true
      throw error
    }
  }

  async #write(name: string, bytes: Buffer, owner: number): Promise<number> {
    const taken = bytes.subarray(0, this.writeBytesMax)
    try {
      await this.#enter('write', owner, () => this.#append(name, taken))
    } catch (error) {
      if (owner === this.#process) this.#append(name, taken.subarray(0, Math.floor(taken.length / 2)))
      throw error
    }
    return taken.length
  }

  #append(name: string, bytes: Buffer): void {
    const file = this.#file(name)
    file.bytes = Buffer.concat([file.bytes, bytes])
  }
}
