import { createHistogram, performance } from 'node:perf_hooks'

/** How the event loop did since it was last read. */
export interface LoopWindow {
  /** What 99 of 100 timers were late by at most, milliseconds. */
  readonly delayMs: number
  /** Share of the time in which the loop did not wait for something to do, 0 to 1. */
  readonly utilization: number
}

export interface EventLoopMeter {
  /** Ends a window and begins the next. */
  read(): LoopWindow
  close(): void
}

/**
 * Measures this thread by a timer every `periodMs` that does not keep the process alive. Node's own `monitorEventLoopDelay`
 * cannot be read in windows: `reset` also forgets when its timer last ticked, so of a loop whose every tick is as long as
 * a window it tells nothing (measured, Node.js 26).
 */
export function openEventLoopMeter(periodMs = 20): EventLoopMeter {
  const lateness = createHistogram()
  let tickedAt = performance.now()
  let before = performance.eventLoopUtilization()
  const tick = (): void => {
    const now = performance.now()
    // Microseconds; a histogram holds whole numbers from 1.
    lateness.record(Math.max(1, Math.round((now - tickedAt - periodMs) * 1000)))
    tickedAt = now
  }
  const timer = setInterval(tick, periodMs).unref()
  return {
    read: () => {
      const now = performance.eventLoopUtilization()
      const { utilization } = performance.eventLoopUtilization(now, before)
      before = now
      const delayMs = lateness.count === 0 ? 0 : lateness.percentile(99) / 1000
      lateness.reset()
      return { delayMs, utilization: Math.max(0, Math.min(1, utilization)) }
    },
    close: () => clearInterval(timer),
  }
}
