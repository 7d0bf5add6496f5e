import { array, assert, double, property, tuple } from 'fast-check'
import t from 'tap'
import { Descent, factorMax, fallenTo } from '../../../src/upstream/concurrency/descent.ts'

/** Latency of a server whose step takes `1 + calls / 20` when idle it takes 1, times how slow it is. */
const batch = (calls: number, slowness: number): number => slowness * (1 + calls / 20)
/** A server with 8 places: whoever comes beyond waits. */
const line = (calls: number): number => Math.max(1, calls / 8)

function descend(latency: (calls: number) => number, from: number): number {
  const descent = new Descent(2)
  let usual = 1
  for (let calls = from; calls > 1; calls *= 0.9) usual *= descent.correction(calls, latency(calls) / usual)
  return usual
}

t.test('1: corrections are bounded and come after a fall alone', (t) => {
  const point = tuple(double({ min: 0, max: 300, noNaN: true }), double({ min: 0.01, max: 1e6, noNaN: true }))
  assert(
    property(array(point, { maxLength: 100, size: 'max' }), (points) => {
      const descent = new Descent(2)
      let most = 0
      return points.every(([calls, congestion]) => {
        most = congestion > 2 ? Math.max(most, calls) : 0
        const factor = descent.correction(calls, congestion)
        const isAllowed = factor <= 1 || (factor <= factorMax && calls <= most * fallenTo)
        return Number.isFinite(factor) && factor > 0 && isAllowed
      })
    }),
  )
  t.pass()
  t.end()
})

t.test('a server that is merely full is not taken for a slower one', (t) => {
  t.equal(
    descend((calls) => batch(calls, 1), 100),
    1,
  )
  t.equal(descend(line, 100), 1)
  t.end()
})

t.test('a server that became slower is', (t) => {
  const usual = descend((calls) => batch(calls, 3), 40)
  t.ok(usual > 2.9 && usual < 3.1, String(usual))
  t.end()
})

t.test('2: corrections are taken back once, when they are not needed any more', (t) => {
  const descent = new Descent(2)
  t.equal(descent.correction(40, 9), 1)
  t.equal(descent.correction(20, 6), 3)
  t.equal(descent.correction(20, 2), 1, 'six times what was usual')
  t.equal(descent.correction(20, 0.5), 1 / 3, 'one and a half times what was usual')
  t.equal(descent.correction(20, 1.5), 1)
  t.end()
})

t.test('what is measured is not presumed', (t) => {
  const descent = new Descent(2)
  descent.correction(40, 9)
  descent.correction(20, 6)
  descent.measured()
  t.equal(descent.correction(20, 0.5), 1)
  t.end()
})
