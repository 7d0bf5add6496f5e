import type { Config } from '../config/load.ts'
import type { AnalyzerConfig } from '../config/schema/redaction.ts'
import type { Events } from '../telemetry/events.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import {
  type Analyzer,
  type AnalyzerFaultReason,
  type AnalyzerObserver,
  createAnalyzer,
} from '../upstream/recognizer/analyzer.ts'
import { connectionDigest, readApiKey, readUpstreamTls } from './upstream-files.ts'

export interface AnalyzersParts {
  readonly clock: { now(): number }
  readonly metrics: Pick<Metrics, 'recognizerAnswered' | 'recognizerFailed'>
  readonly events: Pick<Events, 'recognizerDown' | 'recognizerUp'>
}

/** A client of the recognizer service with what it was made from. */
interface BuiltAnalyzer {
  readonly madeFrom: string
  readonly analyzer: Analyzer
}

/** The client of a configuration that is ready and not yet in service. */
export interface PreparedAnalyzer {
  readonly analyzer: Analyzer | undefined
  /** Puts it into service; returns how to close the one that it replaces. */
  takeOver(): () => Promise<void>
}

/**
 * The client of the recognizer service, over all configuration versions.
 *
 * 1. While its configuration and files do not change it is kept, with its connections and its circuit breaker.
 * 2. `prepare` changes nothing of what is in service; only `takeOver` does, and it cannot fail.
 * 3. No client is made from files that cannot be used: `prepare` throws.
 */
export class Analyzers {
  readonly #clock: AnalyzersParts['clock']
  readonly #watch: Watch
  #built: BuiltAnalyzer | undefined

  constructor(parts: AnalyzersParts) {
    this.#clock = parts.clock
    this.#watch = new Watch(parts)
  }

  prepare({ redaction: { recognizerService } }: Pick<Config, 'redaction'>): PreparedAnalyzer {
    const before = this.#built
    const after = recognizerService && this.#build(recognizerService, before)
    return {
      analyzer: after?.analyzer,
      takeOver: () => {
        this.#built = after
        return async () => {
          if (before !== after) await closed(before)
        }
      },
    }
  }

  close(): Promise<void> {
    return closed(this.#built)
  }

  #build(config: AnalyzerConfig, old: BuiltAnalyzer | undefined): BuiltAnalyzer {
    const tls = readUpstreamTls(config.tls, this.#clock.now())
    const key = config.apiKeyFile === undefined ? undefined : readApiKey(config.apiKeyFile)
    const madeFrom = connectionDigest(config, tls, [key])
    if (old?.madeFrom === madeFrom) return old
    const { url, language, entities, scoreMin, timeoutMs, failOpen } = config
    const analyzer = createAnalyzer({
      url,
      ...(tls === undefined ? {} : { tls }),
      apiKey: () => key?.reveal(),
      language,
      entities,
      scoreMin,
      bounds: { timeoutMs },
      failOpen,
      observer: this.#watch,
    })
    return { madeFrom, analyzer }
  }
}

const closed = async (built: BuiltAnalyzer | undefined): Promise<void> => {
  await built?.analyzer.close().catch(() => {})
}

/** Counts every request, and logs where a row of failures begins and where it ends. */
class Watch implements AnalyzerObserver {
  readonly #parts: Pick<AnalyzersParts, 'metrics' | 'events'>
  #isDown = false

  constructor(parts: Pick<AnalyzersParts, 'metrics' | 'events'>) {
    this.#parts = parts
  }

  answered(ms: number): void {
    this.#parts.metrics.recognizerAnswered(ms)
    if (!this.#isDown) return
    this.#isDown = false
    this.#parts.events.recognizerUp()
  }

  failed(reason: AnalyzerFaultReason): void {
    this.#parts.metrics.recognizerFailed(reason)
    // A text that is too long says nothing about the service.
    if (this.#isDown || reason === 'text_too_long') return
    this.#isDown = true
    this.#parts.events.recognizerDown(reason)
  }
}
