/**
 * Watches files by their content. Invariants:
 *
 * 1. `onChange` is called only when the bytes of a watched file differ from what was last seen of it.
 * 2. A file that vanishes is no change: what was last seen of it stays, until it returns with other bytes.
 * 3. A change is seen at the latest one poll after it, even if the system tells nothing about it.
 * 4. One look at a time, and one `onChange` at a time; events in between lead to one more look.
 * 5. After `close()` nothing is called any more, and nothing keeps the process alive.
 *
 * Folders are watched, not files: Kubernetes swaps a `..data` symlink beside the file and never touches the file itself.
 * Every folder that holds a link on the way to a file is watched as well, because a release tool may swap the folder.
 */
import { createHash } from 'node:crypto'
import { type FSWatcher, readFileSync, readlinkSync, statSync, watch } from 'node:fs'
import { dirname, join, parse, resolve, sep } from 'node:path'

/** Files above this size are taken to be something else and looked at no further. */
const WATCHED_BYTES_MAX = 64 * 1024 * 1024
/** As the kernel's own bound (path_resolution(7)); a circle of links ends here. */
const LINKS_MAX = 40

export interface WatchOptions {
  /** Look at every file this often, whatever the system says. */
  readonly pollMs?: number
  /** Wait this long after an event: an editor or a tool writes in several steps. */
  readonly debounceMs?: number
  /** Told what `onChange` threw. Without it the error ends the process, as every error that nobody expects. */
  readonly onError?: (error: unknown) => void
}

export interface Watch {
  /** Looks at the files now; resolves when a change, if there is one, has been dealt with. */
  check(): Promise<void>
  close(): void
}

interface WatchedFolder {
  readonly watcher: FSWatcher
  /** A folder that was removed and made again has the same path, and may even have the same inode. */
  readonly identity: string
}

type OnChange = (changed: readonly string[]) => void | Promise<void>

/** Starts watching. The content at the time of this call is the first that is known: call it before you load the files. */
export function watchFiles(paths: readonly string[], onChange: OnChange, options: WatchOptions = {}): Watch {
  return new FolderWatch(paths, onChange, options)
}

class FolderWatch implements Watch {
  readonly #digests = new Map<string, string | undefined>()
  readonly #watchers = new Map<string, WatchedFolder>()
  readonly #onChange: OnChange
  readonly #options: WatchOptions
  readonly #poll: NodeJS.Timeout
  #debounce: NodeJS.Timeout | undefined
  #looking: Promise<void> = Promise.resolve()
  /** The look that has not begun yet: whoever asks meanwhile shares it. */
  #next: Promise<void> | undefined
  #closed = false

  constructor(paths: readonly string[], onChange: OnChange, options: WatchOptions) {
    this.#onChange = onChange
    this.#options = options
    for (const path of paths) this.#digests.set(resolve(path), digestOf(path))
    this.#watchFolders()
    this.#poll = setInterval(() => this.#checkAlone(), options.pollMs ?? 10_000)
    this.#poll.unref()
  }

  check(): Promise<void> {
    this.#next ??= this.#looking
      .catch(() => {})
      .then(() => {
        this.#next = undefined
        return this.#look()
      })
    this.#looking = this.#next
    return this.#looking
  }

  close(): void {
    this.#closed = true
    clearInterval(this.#poll)
    clearTimeout(this.#debounce)
    for (const { watcher } of this.#watchers.values()) watcher.close()
    this.#watchers.clear()
  }

  async #look(): Promise<void> {
    if (this.#closed) return
    this.#watchFolders()
    const changed = [...this.#digests.keys()].filter((path) => this.#isChanged(path))
    if (changed.length > 0) await this.#onChange(changed)
  }

  #isChanged(path: string): boolean {
    const digest = digestOf(path)
    if (digest === undefined || digest === this.#digests.get(path)) return false
    this.#digests.set(path, digest)
    return true
  }

  #checkAlone(): void {
    const { onError } = this.#options
    const looked = this.check()
    void (onError ? looked.catch(onError) : looked)
  }

  #soon(): void {
    if (this.#closed) return
    clearTimeout(this.#debounce)
    this.#debounce = setTimeout(() => this.#checkAlone(), this.#options.debounceMs ?? 100)
    this.#debounce.unref()
  }

  /** A folder that is not there yet, or was removed, is tried again at every look. */
  #watchFolders(): void {
    const folders = new Set([...this.#digests.keys()].flatMap((path) => foldersOf(path)))
    for (const folder of this.#watchers.keys()) if (!folders.has(folder)) this.#unwatch(folder)
    for (const folder of folders) this.#watchFolder(folder)
  }

  #watchFolder(folder: string): void {
    try {
      const { dev, ino, birthtimeMs } = statSync(folder)
      const identity = `${dev}:${ino}:${birthtimeMs}`
      if (this.#watchers.get(folder)?.identity === identity) return
      this.#unwatch(folder)
      const watcher = watch(folder, { persistent: false }, () => this.#soon())
      watcher.on('error', () => this.#unwatch(folder))
      this.#watchers.set(folder, { watcher, identity })
    } catch {
      // Missing folder, or no watches left in the system: the poll finds the change.
      this.#unwatch(folder)
    }
  }

  #unwatch(folder: string): void {
    this.#watchers.get(folder)?.watcher.close()
    this.#watchers.delete(folder)
  }
}

/** The folders in which a change can make the path lead to other bytes: its own, and those of the links on the way. */
function foldersOf(path: string): string[] {
  const { root } = parse(path)
  const folders: string[] = []
  let steps = path.slice(root.length).split(sep)
  let at = root
  for (let links = 0; steps.length > 0; ) {
    const step = join(at, steps.shift() as string)
    const target = links < LINKS_MAX ? linkAt(step) : undefined
    if (target === undefined) {
      if (steps.length === 0) folders.push(dirname(step))
      at = step
      continue
    }
    links += 1
    folders.push(at)
    const absolute = resolve(at, target)
    steps = [...absolute.slice(root.length).split(sep), ...steps]
    at = root
  }
  return folders
}

const linkAt = (path: string): string | undefined => {
  try {
    return readlinkSync(path)
  } catch {
    return undefined
  }
}

/** `undefined` for what cannot be read as a file at this moment. */
function digestOf(path: string): string | undefined {
  try {
    const found = statSync(path)
    if (!found.isFile() || found.size > WATCHED_BYTES_MAX) return undefined
    return createHash('sha256').update(readFileSync(path)).digest('base64')
  } catch {
    return undefined
  }
}
