import t from 'tap'
import { Refusal, type RefusalCode, refusals } from '../../src/refusal.ts'
import { type Outcome, outcomeOf, outcomes, streamEndOf, streamEnds } from '../../src/telemetry/outcome.ts'

t.test('what an error means for the outcome', (t) => {
  const expected: [unknown, Outcome][] = [
    [undefined, 'completed'],
    [new Error('bug'), 'failed'],
    ['a string', 'failed'],
    [null, 'failed'],
    [new Refusal('invalid_token', 'x'), 'refused'],
    [new Refusal('rate_limit_exceeded', 'x'), 'refused'],
    [new Refusal('caller_gone', 'x'), 'client_abort'],
    [new Refusal('upstream_truncated', 'x'), 'upstream_error'],
    [new Refusal('upstream_timeout', 'x'), 'timeout'],
    [new Refusal('draining', 'x'), 'drain'],
    [new Refusal('content_blocked', 'x'), 'policy'],
    [new Refusal('internal_error', 'x'), 'failed'],
  ]
  for (const [error, outcome] of expected) t.equal(outcomeOf(error), outcome)
  t.end()
})

t.test('each refusal has an outcome and each outcome an end of a stream', (t) => {
  for (const code of Object.keys(refusals) as RefusalCode[]) {
    const outcome = outcomeOf(new Refusal(code, 'x'))
    t.ok(outcomes.includes(outcome), code)
    t.not(outcome, 'completed', code)
  }
  for (const outcome of outcomes) t.ok(streamEnds.includes(streamEndOf(outcome)), outcome)
  t.same(
    outcomes.filter((outcome) => streamEndOf(outcome) === 'done'),
    ['completed'],
  )
  t.end()
})
