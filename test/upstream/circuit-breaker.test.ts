import t from 'tap'
import { CircuitBreaker } from '../../src/upstream/circuit-breaker.ts'

const simulatedClock = () => {
  const clock = { at: 0, now: () => clock.at, monotonic: () => clock.at, sleep: () => Promise.resolve() }
  return clock
}

t.test('failures in a row open it, an answer between them does not', (t) => {
  const breaker = new CircuitBreaker({ failuresMax: 2, openMs: 100, clock: simulatedClock() })
  for (const end of ['failed', 'answered', 'failed', 'abandoned'] as const) {
    t.ok(breaker.enter())
    breaker.settle(end)
  }
  t.ok(breaker.enter())
  breaker.settle('failed')
  t.notOk(breaker.enter())
  t.end()
})

t.test('one at a time may try again, and its end decides', (t) => {
  const clock = simulatedClock()
  const breaker = new CircuitBreaker({ failuresMax: 1, openMs: 100, clock })
  breaker.enter()
  breaker.settle('failed')
  clock.at = 99
  t.notOk(breaker.enter())
  clock.at = 100
  t.ok(breaker.enter())
  t.notOk(breaker.enter(), 'while it is under way')
  breaker.settle('abandoned')
  t.ok(breaker.enter(), 'one that was given up decides nothing')
  breaker.settle('failed')
  t.notOk(breaker.enter())
  clock.at = 200
  t.ok(breaker.enter())
  breaker.settle('answered')
  t.ok(breaker.enter() && breaker.enter())
  t.end()
})
