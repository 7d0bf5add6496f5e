// The driver for real: model server, gateway and bare relay as processes, and every call paired with what the server knows.
import t from 'tap'
import {
  measurePrompts,
  measureStreams,
  measureWhole,
  STREAM_TOKENS,
} from '../../loadtest/bench/latency/measure.ts'
import { startStand, ways } from '../../loadtest/bench/latency/stand.ts'
import { withEnding } from '../../loadtest/driver/ending.ts'
import { readsAndWrites } from '../../loadtest/driver/measured-process.ts'

t.test('each way: calls, streams and a long prompt', async (t) => {
  await withEnding(async (ending, folder) => {
    const stand = await startStand(ending, folder)
    for (const way of ways) {
      const load = { seconds: 1, seed: 5 }
      const whole = await measureWhole(stand, way, { ...load, perSecond: 10 })
      t.match(whole, { faults: 0, firstFault: undefined, dropped: 0 }, `${way}: whole`)
      t.ok(whole.calls > 0 && whole.times['outside']?.count === whole.calls)
      t.ok(Number(whole.times['outside']?.p50) > 0, 'more than the server took')

      const streams = await measureStreams(stand, way, { ...load, perSecond: 10 * STREAM_TOKENS }, 'trailing')
      t.match(streams, { faults: 0, firstFault: undefined, dropped: 0 }, `${way}: streams`)
      t.equal(streams.times['firstToken']?.count, streams.calls)
      t.equal(streams.times['gap']?.count, streams.calls * (STREAM_TOKENS - 1))
      // A token cannot have arrived before it was sent: the clocks of the processes are one.
      t.equal(streams.times['delay']?.count, streams.calls * STREAM_TOKENS)
      t.ok(Number(streams.times['delay']?.p50) > 0)

      const prompts = await measurePrompts(stand, way, 1)
      t.match(prompts, { calls: 1, faults: 0, times: { outside: { count: 1 } } }, `${way}: a long prompt`)
      const turn = prompts.times['longestTurn']?.max
      t.equal(Number.isFinite(turn), way !== 'direct', 'the gateways say how long their loop was busy')
    }
    const { measured } = stand.sides.sallyport
    const [before, io] = [await measured.allocatedBytes(), measured.readsAndWrites()]
    await measureWhole(stand, 'sallyport', { seconds: 0.5, seed: 6, perSecond: 20 })
    t.ok((await measured.allocatedBytes()) > before)
    t.ok(measured.readsAndWrites() > io)
    t.ok((await measured.cpuMs()) > 0)
  })
})

t.test('reads and writes of /proc/PID/io', (t) => {
  t.equal(readsAndWrites('rchar: 9\nwchar: 8\nsyscr: 40\nsyscw: 2\nread_bytes: 7\nwrite_bytes: 6\n'), 42)
  t.ok(Number.isNaN(readsAndWrites('nothing')), 'what is not there is no 0')
  t.end()
})
