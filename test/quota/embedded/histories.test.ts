// 10 000 random histories: the embedded store decides and shows what the naive limits do, and nothing is left behind.
import t from 'tap'
import { openEmbeddedStore } from '../../../src/quota/embedded/open.ts'
import { fakeClock } from '../fake-clock.ts'
import { checkHistories } from '../histories.ts'

/** More for a night: SALLYPORT_HISTORIES=1000000. */
const histories = Number(process.env['SALLYPORT_HISTORIES'] ?? 10_000)

t.test('the store is the textbook, but for the work it does', async (t) => {
  const make = async () => {
    const clock = fakeClock(Date.UTC(2026, 10, 28, 12))
    let aheadMs = 0
    const jumping = { ...clock, now: () => clock.now() + aheadMs }
    const store = await openEmbeddedStore({ clock: jumping })
    return {
      store,
      exactTime: true,
      now: () => ({ monotonicMs: clock.monotonic(), wallMs: jumping.now() }),
      jump: (ms: number) => {
        aheadMs = ms
      },
      elapse: async (ms: number) => clock.advance(ms),
      close: () => store.close(),
    }
  }
  await t.resolves(checkHistories(make, { numRuns: histories, steps: 24 }))
})
