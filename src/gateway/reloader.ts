import type { AuditLog } from '../audit/record.ts'
import type { Clock } from '../clock.ts'
import { formatProblem } from '../config/check.ts'
import { type Config, type Loaded, loadConfig } from '../config/load.ts'
import type { FileSource } from '../config/source.ts'
import { type Watch, type WatchOptions, watchFiles } from '../config/watch.ts'
import type { Events } from '../telemetry/events.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { knowledge } from './knowledge.ts'

export interface ReloaderOptions {
  readonly source: FileSource
  readonly clock: Clock
  readonly metrics: Pick<Metrics, 'configReloaded'>
  readonly events: Pick<Events, 'configReloaded' | 'configRejected'>
  readonly audit: Pick<AuditLog, 'append'>
  /** Puts a checked configuration into service, whole; throws when it cannot, with everything as it was. */
  apply(config: Config): Promise<void>
  /** Reads the files of the running configuration again, when a newer one was refused. Never throws. */
  renew(): void
  readonly watch?: Omit<WatchOptions, 'onError'>
}

/** Each reading may name files that the one before did not; somebody who edits faster than this is read again soon. */
const READINGS_MAX = 4

/**
 * Follows the configuration and every file that it names.
 *
 * 1. What runs is always one whole configuration that passed every check; an invalid one leaves the old one serving.
 * 2. One reload at a time; however many are asked for meanwhile, they lead to one more.
 * 3. Files that a configuration names are watched from before it is read: no change falls between the two. A refused
 *    configuration's files are watched too, so that mending any of them brings it into service.
 * 4. After `close` has resolved nothing is read, applied or watched any more.
 */
export class Reloader {
  readonly #options: ReloaderOptions
  #config: Config
  #watched: readonly string[]
  #watch: Watch
  #last: Promise<unknown> = Promise.resolve()
  /** The reload that has not begun yet: whoever asks meanwhile shares it. */
  #next: Promise<void> | undefined
  #closed = false

  /** `config` tells which files there are; what runs is what `start` reads. */
  constructor(config: Config, options: ReloaderOptions) {
    this.#options = options
    this.#config = config
    this.#watched = config.files
    this.#watch = this.#follow()
  }

  /**
   * Applies the configuration as it is now that it is watched, or the one given if it has become invalid since.
   * Throws what `apply` throws.
   */
  start(): Promise<Config> {
    const started = this.#start()
    // A reload that is asked for meanwhile waits for it, however it ends.
    this.#last = started.catch(() => {})
    return started
  }

  /** Reads everything again, whether or not a file changed. Never rejects: what is wrong is logged and counted. */
  reload(): Promise<void> {
    this.#next ??= this.#last.then(() => {
      this.#next = undefined
      return this.#reload()
    })
    this.#last = this.#next
    return this.#next
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#watch.close()
    await this.#last
  }

  async #start(): Promise<Config> {
    const loaded = await this.#load()
    if ('config' in loaded) this.#config = loaded.config
    await this.#options.apply(this.#config)
    return this.#config
  }

  async #reload(): Promise<void> {
    if (this.#closed) return
    try {
      const loaded = await this.#load()
      if ('problems' in loaded) {
        const { directory } = this.#options.source
        return this.#rejected(loaded.problems.map((problem) => formatProblem(problem, directory)))
      }
      await this.#options.apply(loaded.config)
      this.#config = loaded.config
    } catch (error) {
      return this.#rejected([error instanceof Error ? error.message : 'unknown failure'])
    }
    await this.#applied()
  }

  /** Reads until every file that was read had been watched before: a change in between would be missed. */
  async #load(): Promise<Loaded> {
    const { source, clock } = this.#options
    let wanted = this.#config.files
    for (let reading = 1; ; reading += 1) {
      this.#watchOnly(wanted)
      const loaded = await loadConfig(source, knowledge(clock.now()))
      const files = 'config' in loaded ? loaded.config.files : loaded.files
      if (reading === READINGS_MAX || files.every((file) => wanted.includes(file))) return loaded
      wanted = [...this.#config.files, ...files]
    }
  }

  async #applied(): Promise<void> {
    const { clock, metrics, events, audit } = this.#options
    const { hash } = this.#config
    metrics.configReloaded('applied')
    events.configReloaded(hash)
    const time = new Date(clock.now()).toISOString()
    // A log that cannot be written has said so itself. The change stands: every record of an exchange names its policy.
    await audit.append({ event: 'config.reloaded', time, policy: hash }).catch(() => {})
  }

  #watchOnly(files: readonly string[]): void {
    const wanted = [...new Set(files)].sort()
    if (this.#closed || wanted.join('\n') === this.#watched.toSorted().join('\n')) return
    this.#watched = wanted
    this.#watch.close()
    this.#watch = this.#follow()
  }

  #rejected(problems: readonly string[]): void {
    this.#options.metrics.configReloaded('rejected')
    this.#options.events.configRejected(problems, this.#config.hash)
    this.#options.renew()
  }

  #follow(): Watch {
    return watchFiles(this.#watched, () => this.reload(), {
      ...this.#options.watch,
      onError: (error) => this.#rejected([error instanceof Error ? error.message : 'watch failed']),
    })
  }
}
