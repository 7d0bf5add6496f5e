/**
 * What must survive a crash, in one append-only file. Invariants:
 *
 * 1. What `append` has resolved for is on the disk (written and fdatasync'ed; many entries share one sync), and is found
 *    by the next `open`.
 * 2. One write is one line with a checksum. What a crash, or a power cut, has left of the last write is dropped; any
 *    other damage is an error, never a guess.
 * 3. After a failed write the file is cut back to its last good length before anything else is written.
 * 4. The file is rewritten (aside, synced, renamed) without what is over, when most of it is outdated: its size, and what
 *    is kept of it in memory, are bounded by what it holds. One that cannot be rewritten goes on as it is.
 */
import { constants } from 'node:fs'
import { type FileHandle, open, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'

/** The counter of a budget in one calendar period is at most `used`; or a document of the operators. */
export type JournalEntry =
  | { readonly kind: 'budget'; readonly bucket: string; readonly used: number; readonly endMs: number }
  | {
      readonly kind: 'document'
      readonly name: string
      readonly version: number
      readonly text: string | null
    }

/** The newest entry of each bucket and document. */
export type JournalState = ReadonlyMap<string, JournalEntry>

/** The journal is damaged where no crash can have damaged it. */
export class JournalError extends Error {
  constructor(path: string, line: number) {
    super(
      `${path} is damaged at line ${line}. Restore it from a copy; or move it away, and every budget and quota of operators begins anew.`,
    )
    this.name = 'JournalError'
  }
}

const { O_APPEND, O_CREAT, O_NOFOLLOW, O_TRUNC, O_WRONLY } = constants
const fileName = 'quota.journal'
/** Entries beyond as many as were live after the last rewriting, before the file is rewritten. */
const outdatedMax = 10_000

interface Waiting {
  readonly entries: readonly JournalEntry[]
  resolve(): void
  reject(error: unknown): void
}

export class Journal {
  readonly #directory: string
  readonly #isOver: (entry: JournalEntry) => boolean
  readonly #live: Map<string, JournalEntry>
  #file: FileHandle
  #size: number
  /** Entries that may be appended before the file is rewritten. */
  #room: number
  #damaged = false
  /** The file was put in place, and its name may not be on the disk yet. */
  #nameless = false
  #queue: Waiting[] = []
  #writing: Promise<void> | undefined
  /** Whether the last write succeeded. */
  healthy = true

  private constructor({ directory, isOver, live, file, size }: Opened) {
    this.#directory = directory
    this.#isOver = isOver
    this.#live = live
    this.#file = file
    this.#size = size
    this.#room = live.size + outdatedMax
  }

  /** Reads what is there, and rewrites it without what `isOver`; so does every later rewriting. */
  static async open(directory: string, isOver: (entry: JournalEntry) => boolean): Promise<Journal> {
    const live = await read(join(directory, fileName))
    dropOver(live, isOver)
    const { file, size } = await rewrite(directory, live)
    try {
      await syncFolder(directory)
    } catch (error) {
      await file.close()
      throw error
    }
    return new Journal({ directory, isOver, live, file, size })
  }

  get state(): JournalState {
    return this.#live
  }

  /** Resolves when the entries are durable; rejects when they may not be. */
  append(...entries: readonly JournalEntry[]): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#queue.push({ entries, resolve, reject })
    this.#writing ??= this.#write()
    return promise
  }

  /** Writes the last word and gives the file free. */
  async close(entries: readonly JournalEntry[]): Promise<void> {
    await this.#writing
    try {
      for (const entry of entries) this.#live.set(keyOf(entry), entry)
      dropOver(this.#live, this.#isOver)
      const { file } = await rewrite(this.#directory, this.#live)
      await file.close()
      await syncFolder(this.#directory)
    } finally {
      await this.#file.close()
    }
  }

  async #write(): Promise<void> {
    // The turn that brought one entry may bring more; they share its sync.
    await Promise.resolve()
    while (this.#queue.length > 0) {
      const batch = this.#queue
      this.#queue = []
      try {
        await this.#commit(batch)
        for (const { resolve } of batch) resolve()
      } catch (error) {
        this.healthy = false
        this.#damaged = true
        for (const { reject } of batch) reject(error)
      }
    }
    this.#writing = undefined
  }

  async #commit(batch: readonly Waiting[]): Promise<void> {
    if (this.#damaged) await this.#file.truncate(this.#size)
    this.#damaged = false
    await this.#nameOnDisk()
    const entries = batch.flatMap((waiting) => waiting.entries)
    const bytes = Buffer.from(lineOf(entries))
    await this.#file.appendFile(bytes)
    await this.#file.datasync()
    this.#size += bytes.length
    for (const entry of entries) this.#live.set(keyOf(entry), entry)
    this.#room -= entries.length
    this.healthy = true
    // What was asked for is durable, whatever becomes of the rewriting.
    if (this.#room < 0) await this.#compact().catch(() => this.#later())
  }

  async #compact(): Promise<void> {
    dropOver(this.#live, this.#isOver)
    const { file, size } = await rewrite(this.#directory, this.#live)
    // From here on the new file is the journal: whoever opens the folder finds it, or the old one that says the same.
    const old = this.#file
    this.#file = file
    this.#size = size
    this.#room = this.#live.size + outdatedMax
    this.#nameless = true
    await old.close()
    await this.#nameOnDisk()
  }

  /** Nothing counts as durable in a file whose name a power cut could take back. */
  async #nameOnDisk(): Promise<void> {
    if (this.#nameless) await syncFolder(this.#directory)
    this.#nameless = false
  }

  #later(): void {
    this.healthy = false
    this.#room = Math.max(this.#room, outdatedMax)
  }
}

interface Opened {
  readonly directory: string
  readonly isOver: (entry: JournalEntry) => boolean
  readonly live: Map<string, JournalEntry>
  readonly file: FileHandle
  readonly size: number
}

function dropOver(live: Map<string, JournalEntry>, isOver: (entry: JournalEntry) => boolean): void {
  for (const [key, entry] of live) if (isOver(entry)) live.delete(key)
}

const keyOf = (entry: JournalEntry): string =>
  entry.kind === 'budget' ? `b ${entry.bucket}` : `d ${entry.name}`

function lineOf(entries: readonly JournalEntry[]): string {
  const json = JSON.stringify(entries)
  return `${crc32(json).toString(16).padStart(8, '0')} ${json}\n`
}

async function read(path: string): Promise<Map<string, JournalEntry>> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return ''
    throw error
  })
  const entries = new Map<string, JournalEntry>()
  const lines = text.split('\n')
  const unfinished = lines.pop()
  for (const [index, line] of lines.entries()) {
    const written = parse(line)
    // A power cut may leave the blocks of the last write in any state, also with its end there and its middle not.
    const isLast = index === lines.length - 1 && unfinished === ''
    if (written === undefined && !isLast) throw new JournalError(path, index + 1)
    for (const entry of written ?? []) entries.set(keyOf(entry), entry)
  }
  return entries
}

function parse(line: string): readonly JournalEntry[] | undefined {
  const json = line.slice(9)
  if (line[8] !== ' ' || line.slice(0, 8) !== crc32(json).toString(16).padStart(8, '0')) return undefined
  return JSON.parse(json) as readonly JournalEntry[]
}

/** Writes a file with these entries alone, and puts it in the old one's place; its name is still to be synced. */
async function rewrite(
  directory: string,
  live: ReadonlyMap<string, JournalEntry>,
): Promise<{ readonly file: FileHandle; readonly size: number }> {
  const path = join(directory, fileName)
  const aside = `${path}.new`
  const mode = O_CREAT | O_TRUNC | O_WRONLY | O_APPEND | O_NOFOLLOW
  const file = await open(aside, mode, 0o600)
  try {
    const bytes = Buffer.from([...live.values()].map((entry) => lineOf([entry])).join(''))
    await file.writeFile(bytes)
    await file.datasync()
    await rename(aside, path)
    return { file, size: bytes.length }
  } catch (error) {
    await file.close()
    throw error
  }
}

async function syncFolder(directory: string): Promise<void> {
  const folder = await open(directory, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
