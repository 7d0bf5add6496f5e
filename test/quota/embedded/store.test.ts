import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { openEmbeddedStore } from '../../../src/quota/embedded/open.ts'
import { fakeClock } from '../fake-clock.ts'
import { storeContract } from '../store-contract.ts'

const root = mkdtempSync(join(tmpdir(), 'sallyport-quota-store-'))
t.teardown(() => rmSync(root, { recursive: true, force: true }))

const newClock = () => fakeClock(Date.UTC(2026, 10, 28, 12))
const subjectOf = (clock: ReturnType<typeof newClock>) => ({
  exactTime: true,
  elapse: async (ms: number) => clock.advance(ms),
  turnDay: async () => clock.advance(86_400_000),
})

storeContract('embedded', async () => {
  const clock = newClock()
  const store = await openEmbeddedStore({ clock })
  return { ...subjectOf(clock), store, close: () => store.close() }
})

storeContract('embedded, on disk', async () => {
  const clock = newClock()
  const directory = mkdtempSync(join(root, 'f'))
  const store = await openEmbeddedStore({ clock, directory })
  return {
    ...subjectOf(clock),
    store,
    // What another process finds when this one was killed; a real one is killed in crash.test.ts.
    abandon: async () => {
      const copy = mkdtempSync(join(root, 'f'))
      cpSync(directory, copy, { recursive: true })
      return openEmbeddedStore({ clock, directory: copy })
    },
    close: () => store.close(),
  }
})
