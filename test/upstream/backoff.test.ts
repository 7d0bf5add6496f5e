import { assert, constantFrom, double, integer, property } from 'fast-check'
import t from 'tap'
import { backoff, retryDelayMs } from '../../src/upstream/backoff.ts'

t.test('every delay but that of the first failover is between its bounds', (t) => {
  const servers = constantFrom('another server' as const, 'the same server' as const)
  assert(
    property(
      integer({ min: 1, max: 5 }),
      servers,
      double({ min: 0, max: 0.999_999, noNaN: true }),
      (retry, to, share) => {
        const delayMs = retryDelayMs(retry, to, () => share)
        if (retry === 1 && to === 'another server') return delayMs === 0
        return delayMs >= backoff.delayMsMin && delayMs < backoff.delayMsMax
      },
    ),
  )
  t.pass()
  t.end()
})

t.test('it depends on chance', (t) => {
  const delays = [0, 0.5, 0.9].map((share) => retryDelayMs(2, 'another server', () => share))
  t.same(delays, [25, 62.5, 92.5])
  t.end()
})
