import { cleanText } from './clean-text.ts'
import { failureLines } from './failure-lines.ts'
import type { Log } from './log.ts'
import type { StoreFault } from './store-fault.ts'

/** The shared store of limits: when it goes, when it is back. */
export function quotaEvents({ write }: Log) {
  return {
    /** Until it is back each limit does as its `onStoreFailure` says. */
    quotaStoreAway(cause: StoreFault, error: unknown): void {
      const message = 'the store of limits does not answer, limits do as onStoreFailure says'
      write('error', 'quota.store_away', message, { cause, error: failureLines(error) })
    },
    /** What was used meanwhile has been charged. */
    quotaStoreBack(awayMs: number): void {
      write('info', 'quota.store_back', 'the store of limits answers again', { away_ms: Math.round(awayMs) })
    },
    /** Somebody else had written under the name of a bucket. */
    quotaKeyRepaired(key: string): void {
      write('error', 'quota.key_repaired', 'a bucket held something else and was deleted', {
        key: cleanText(key).slice(0, 200),
      })
    },
  }
}
