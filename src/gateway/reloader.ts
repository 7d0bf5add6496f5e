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
 * 3. Files that a new configuration names are watched from then on, and those that it no longer names are not.
 */
export class Reloader {
  readonly #options: ReloaderOptions
  #config: Config
  #watch: Watch
  #reloading: Promise<void> = Promise.resolve()

  constructor(config: Config, options: ReloaderOptions) {
    this.#options = options
    this.#config = config
    this.#watch = this.#follow(config)
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
      if ('problems' in loaded)
        return this.#rejected(loaded.problems.map((problem) => formatProblem(problem, source.directory)))
      await apply(loaded.config)
      this.#applied(loaded.config)
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

  #applied(config: Config): void {
    const same = config.files.join('\n') === this.#config.files.join('\n')
    this.#config = config
    if (same) return
    this.#watch.close()
    this.#watch = this.#follow(config)
  }

  #rejected(problems: readonly string[]): void {
    this.#options.metrics.configReloaded('rejected')
    this.#options.events.configRejected(problems, this.#config.hash)
  }

  #follow(config: Config): Watch {
    return watchFiles(config.files, () => this.reload(), {
      onError: (error) => this.#rejected([error instanceof Error ? error.message : 'watch failed']),
    })
  }
}
