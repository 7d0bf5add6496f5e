// From what a process holds to what a stream costs.
import t from 'tap'
import { missedBars, parseMemoryOptions, perStream } from '../../loadtest/bench/memory.ts'

const held = (rssMiB: number, heapMiB: number) => ({ rssMiB, heapMiB, handles: 30, inFlight: 0 })
const result = {
  streams: 1024,
  before: held(200, 50),
  held: held(250, 70),
  after: held(240, 60),
  heldAgain: held(260, 70),
  afterAgain: held(250, 60),
  lost: [],
}

t.test('what a stream costs is the growth over what was there before', (t) => {
  t.match(perStream(result), { streams: 1024, kib: 50, kibAgain: 60, heapKib: 20, lost: [] })
  t.end()
})

t.test('bars: met at the bar, missed above it, by lost streams, and by what is no number', (t) => {
  const row = { streams: 1000, kib: 60, kibAgain: 90, heapKib: 1, lost: [] }
  t.same(missedBars(150, [row]), [])
  t.match(missedBars(150.6, [row]), [/^idle: 151 MiB, at most 150$/])
  t.match(missedBars(100, [{ ...row, kib: 60.5 }]), [/^1000 streams: 60\.5 KiB each, at most 60$/])
  t.match(missedBars(100, [{ ...row, lost: ['503'] }]), [/^1 of 1000 streams were lost: 503$/])
  t.equal(missedBars(Number.NaN, [{ ...row, kib: Number.NaN }]).length, 2)
  t.end()
})

t.test('options have bounds', (t) => {
  t.match(parseMemoryOptions([]), { streams: [1000, 5000], settleSeconds: 15, json: false })
  t.match(parseMemoryOptions(['--streams', '20,30']), { streams: [20, 30] })
  t.equal(parseMemoryOptions(['--help']), 'help')
  for (const streams of ['', '5', '1e9', '10,x'])
    t.throws(() => parseMemoryOptions(['--streams', streams]), /--streams needs/)
  t.throws(() => parseMemoryOptions(['--settle-seconds', '0']), /--settle-seconds needs/)
  t.end()
})
