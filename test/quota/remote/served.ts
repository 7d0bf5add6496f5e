import { systemClock } from '../../../src/clock.ts'
import { openEmbeddedStore } from '../../../src/quota/embedded/open.ts'
import { ServedStore } from '../../../src/quota/remote/served-store.ts'
import { RemoteStore } from '../../../src/quota/remote/store.ts'
import type { QuotaStore } from '../../../src/quota/store.ts'
import { IpcPeer } from '../../../src/workers/ipc-peer.ts'
import { simulatedChannel } from '../../workers/simulated-channel.ts'
import { type FakeClock, fakeClock } from '../fake-clock.ts'

/** A store of one process, and the stores of its workers. */
export interface Served {
  readonly clock: FakeClock
  readonly store: QuotaStore
  worker(deadlineMs?: number): ServedWorker
  close(): Promise<void>
}

export interface ServedWorker {
  readonly store: RemoteStore
  readonly observed: string[]
  /** The other process does nothing for a while. */
  stop(): void
  go(): void
  /** The worker dies without a word. */
  die(): Promise<void>
}

export async function serveStore(directory?: string): Promise<Served> {
  const clock = fakeClock(Date.UTC(2026, 10, 28, 12))
  const store = await openEmbeddedStore({ clock, ...(directory === undefined ? {} : { directory }) })
  const served = new ServedStore({ store, clock: systemClock, stateMs: 20 })
  return {
    clock,
    store,
    worker: (deadlineMs = 2_000) => {
      const [here, there, cut] = simulatedChannel()
      const line = new IpcPeer({ port: here, clock: systemClock, deadlineMs })
      const leave = served.serve(new IpcPeer({ port: there, clock: systemClock }))
      const observed: string[] = []
      const observer = { away: () => void observed.push('away'), back: () => void observed.push('back') }
      return {
        store: new RemoteStore({ line, clock, observer, settlementsMax: 100 }),
        observed,
        // What the primary says does not leave: it does what it was asked, and nobody hears of it.
        stop: () => there.stop(),
        go: () => there.go(),
        die: async () => {
          cut()
          await leave()
        },
      }
    },
    close: async () => {
      served.close()
      await store.close()
    },
  }
}
