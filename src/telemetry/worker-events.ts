import type { Log } from './log.ts'

/** Worker processes, as their primary sees them come and go. */
export function workerEvents({ write }: Log) {
  return {
    workerStarted(worker: number): void {
      write('info', 'worker.started', `worker ${worker} serves`, { worker })
    },
    /** It was not asked to. Another takes its place. */
    workerEnded(worker: number, how: string, restartMs: number): void {
      const message = `worker ${worker} ended with ${how}, the next starts in ${restartMs} ms`
      write('error', 'worker.ended', message, { worker, how, restart_ms: restartMs })
    },
    /** `reason` names files, lines and rules; never a value. */
    workerStartFailed(worker: number, reason: string): void {
      write('error', 'worker.start_failed', `worker ${worker} cannot start`, { worker, reason })
    },
    /** The primary process asks all of them to drain. */
    workersDraining(workers: number): void {
      write('info', 'workers.draining', 'all workers drain', { workers })
    },
  }
}
