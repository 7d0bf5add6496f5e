import type { AuditLog } from '../audit/record.ts'
import type { Clock } from '../clock.ts'
import { formatProblem } from '../config/check.ts'
import { type Config, loadConfig } from '../config/load.ts'
import type { FileSource } from '../config/source.ts'
import { type Watch, watchFiles } from '../config/watch.ts'
import type { Events } from '../telemetry/events.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { knowledge } from './knowledge.ts'

export interface ReloaderOptions {
  readonly source: FileSource
  readonly clock: Clock
  readonly metrics: Metrics
  readonly events: Events
  readonly audit: AuditLog
  /** Puts a checked configuration into service, whole; throws when it cannot, with everything as it was. */
  apply(config: Config): Promise<void>
}

/**
 * Follows the configuration and every file that it names.
 *
 * 1. What runs is always one whole configuration that passed every check; an invalid one leaves the old one serving.
 * 2. One reload at a time; changes that come meanwhile lead to one more.
 * 3. Files that a configuration names are watched from before it is read: no change falls between the two. A refused
 *    configuration's files are watched too, so that mending any of them brings it into service.
 */
export class Reloader {
  readonly #options: ReloaderOptions
  #config: Config
  #watched: readonly string[]
  #watch: Watch
  #reloading: Promise<void> = Promise.resolve()

  /** `config` tells which files there are; what runs is what `first` reads. */
  constructor(config: Config, options: ReloaderOptions) {
    this.#options = options
    this.#config = config
    this.#watched = config.files
    this.#watch = this.#follow()
  }

  /** The configuration as it is now that it is watched; the one given, if it has become invalid since. */
  async first(): Promise<Config> {
    const { source, clock } = this.#options
    const loaded = await loadConfig(source, knowledge(clock.now()))
    if ('config' in loaded) this.#config = loaded.config
    return this.#config
  }

  /** Reads everything again, whether or not a file changed. Never rejects: what is wrong is logged and counted. */
  reload(): Promise<void> {
    this.#reloading = this.#reloading.then(() => this.#reload())
    return this.#reloading
  }

  async close(): Promise<void> {
    this.#watch.close()
    await this.#reloading
  }

  async #reload(): Promise<void> {
    const { source, clock, metrics, events, audit, apply } = this.#options
    try {
      const loaded = await loadConfig(source, knowledge(clock.now()))
      if ('problems' in loaded) {
        this.#followAlso([...this.#config.files, ...loaded.files])
        return this.#rejected(loaded.problems.map((problem) => formatProblem(problem, source.directory)))
      }
      await apply(loaded.config)
      this.#config = loaded.config
      this.#followAlso(loaded.config.files)
      metrics.configReloaded('applied')
      events.configReloaded(loaded.config.hash)
      await audit.append({
        event: 'config.reloaded',
        time: new Date(clock.now()).toISOString(),
        policy: loaded.config.hash,
      })
    } catch (error) {
      this.#rejected([error instanceof Error ? error.message : 'unknown failure'])
    }
  }

  /** Watches these files from now on. A file that is new here may have changed since it was read: one more look. */
  #followAlso(files: readonly string[]): void {
    const wanted = [...new Set(files)].sort()
    const isNew = wanted.some((file) => !this.#watched.includes(file))
    if (wanted.join('\n') === this.#watched.toSorted().join('\n')) return
    this.#watched = wanted
    this.#watch.close()
    this.#watch = this.#follow()
    if (isNew) void this.reload()
  }

  #rejected(problems: readonly string[]): void {
    this.#options.metrics.configReloaded('rejected')
    this.#options.events.configRejected(problems, this.#config.hash)
  }

  #follow(): Watch {
    return watchFiles(this.#watched, () => this.reload(), {
      onError: (error) => this.#rejected([error instanceof Error ? error.message : 'watch failed']),
    })
  }
}
