import type { FetchFault, FetchLimits, KeyFetcher } from '../../src/identity/key-fetching.ts'
import { turn } from './fake-clock.ts'

/** Serves whatever `answer` holds, counts fetches, and can hold one back. */
export class SimulatedFetcher implements KeyFetcher {
  answer: Uint8Array | 'down'
  fetches = 0
  inFlight = 0
  inFlightMax = 0
  gate: Promise<void> | undefined

  constructor(answer: Uint8Array | 'down') {
    this.answer = answer
  }

  async fetchKeys(_url: string, { signal }: FetchLimits): Promise<Uint8Array | FetchFault> {
    this.fetches += 1
    this.inFlight += 1
    this.inFlightMax = Math.max(this.inFlightMax, this.inFlight)
    try {
      await (this.gate ?? turn())
      return signal.aborted || this.answer === 'down' ? 'fetch_failed' : this.answer
    } finally {
      this.inFlight -= 1
    }
  }
}
