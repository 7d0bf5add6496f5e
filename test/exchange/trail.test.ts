import t from 'tap'
import { jsonHead, refusalHead, streamHead } from '../../src/exchange/reply-head.ts'
import { openTrail } from '../../src/exchange/trail.ts'
import { LimitRefusal } from '../../src/quota/limit-refusal.ts'
import type { Admission } from '../../src/quota/quota.ts'
import type { LimitState } from '../../src/quota/store.ts'
import { Refusal, type RefusalCode, refusals } from '../../src/refusal.ts'
import { outcomes } from '../../src/telemetry/outcome.ts'
import { fakeClock } from '../quota/fake-clock.ts'
import { limitOf } from '../quota/simulated-limit.ts'
import { heldAnswerOf, permitOf, policy, principal, targetOf, trailOf } from './fake-parts.ts'

const limit = limitOf({ burst: 2 })
const states = [{ limit, used: 1, remaining: 1, resetMs: 1_000 }]
const admission = {} as Admission
const reservation = {
  inputTokens: 1,
  outputTokens: 2,
  outputTokensMax: 2,
  decision: { allowed: true, states, shadowed: [], by: 'store' },
  settle: async () => {},
} as const

t.test('each phase is the time since the one before', (t) => {
  const { trail, clock } = trailOf()
  clock.advance(3)
  trail.authenticated(principal)
  clock.advance(4)
  trail.admitted(admission)
  clock.advance(5)
  trail.read('body')
  clock.advance(2)
  trail.reserved(reservation)
  clock.advance(6)
  trail.sent(targetOf())
  trail.attemptFailed('http://a', new Refusal('upstream_unavailable', 'test'))
  clock.advance(1)
  trail.sent(targetOf('http://b'))
  trail.answered(heldAnswerOf([], { target: targetOf('http://b') }))
  t.same(trail.phases, { authenticate: 3, admit: 4, read: 5, reserve: 2, upstream: 7 })
  t.match(trail, { principal, limits: states, attempts: 2, elapsedMs: 21 })
  t.equal(trail.target?.endpoint.origin, 'http://b')
  t.same(trail.failedAttempts, [{ upstream: 'http://a', code: 'upstream_unavailable' }])
  t.end()
})

t.test('the first byte and the first token are the first', (t) => {
  const { trail, clock } = trailOf()
  clock.advance(7)
  trail.firstByte()
  clock.advance(7)
  trail.firstByte()
  trail.firstToken()
  clock.advance(7)
  trail.firstToken()
  t.same([trail.firstByteMs, trail.firstTokenMs], [7, 14])
  t.end()
})

t.test('a refusal is kept, a limit brings its states, anything else is a failure of ours', (t) => {
  for (const code of Object.keys(refusals) as RefusalCode[]) {
    const { trail } = trailOf()
    const refusal = new Refusal(code, 'test')
    t.equal(trail.failed(refusal), refusal)
    t.not(trail.outcome, 'completed')
    t.ok(outcomes.includes(trail.outcome))
    t.equal(trail.failure, undefined)
  }
  const limited = trailOf().trail
  limited.failed(new LimitRefusal({ state: states[0] as LimitState, asked: 1, waitMs: 5 }, states))
  t.equal(limited.limits, states)
  const broken = trailOf().trail
  const bug = new TypeError('what bob@example.com sent')
  t.match(broken.failed(bug), { code: 'internal_error', cause: bug })
  t.match(broken, { outcome: 'failed', failure: bug })
  t.end()
})

t.test('a path that is not in the table has no name of its own', (t) => {
  let started = 0
  const metrics = {
    exchangeStarted: () => {
      started += 1
      return { streamBegan() {}, ended() {} }
    },
  }
  const open = (target: string) =>
    openTrail({ id: 'i', method: 'POST', target, remoteAddress: undefined } as never, {
      clock: fakeClock(),
      metrics,
    })
  t.equal(open('/v1/embeddings').endpoint, 'embeddings')
  t.equal(open('/v1/secret?x').endpoint, 'unmatched')
  t.equal(started, 2)
  t.end()
})

t.test('heads: our own headers, the limits, and what was found, each reply alike', (t) => {
  const { trail } = trailOf()
  trail.admitted(admission)
  trail.reserved(reservation)
  t.notOk('x-sallyport-redactions' in jsonHead(200, trail, { policy }).headers, 'nothing was screened')
  trail.permitted(permitOf())
  trail.promptFound = {
    findings: [],
    places: [],
    tallies: [
      { entity: 'EMAIL_ADDRESS', action: 'mask', count: 1 },
      { entity: 'PERSON', action: 'shadow', count: 5 },
    ],
  }
  for (const head of [jsonHead(200, trail, { policy }), streamHead(trail, { policy })]) {
    t.match(head.headers, {
      'x-request-id': 'id-1',
      'x-sallyport-policy': policy.hash,
      'x-sallyport-redactions': '1',
      'x-content-type-options': 'nosniff',
      'x-ratelimit-remaining-requests': '1',
      'cache-control': /^no-store/,
      'server-timing': /admit;dur=/,
    })
  }
  t.end()
})

t.test('heads of refusals: how to authenticate, when to come back, whether to come back at all', (t) => {
  const headers = (code: RefusalCode, retryAfterMs?: number): Readonly<Record<string, string>> => {
    const refusal = new Refusal(code, 'inside', retryAfterMs === undefined ? {} : { retryAfterMs })
    return refusalHead(refusal, trailOf().trail, { policy }).headers
  }
  t.equal(headers('missing_token')['www-authenticate'], 'Bearer realm="sallyport"')
  t.equal(headers('invalid_token')['www-authenticate'], 'Bearer realm="sallyport", error="invalid_token"')
  t.match(headers('rate_limit_exceeded', 1_234), { 'retry-after': '2', 'retry-after-ms': '1234' })
  t.equal(headers('upstream_timeout')['x-should-retry'], 'false')
  t.equal(headers('upstream_error')['x-should-retry'], undefined)
  for (const code of Object.keys(refusals) as RefusalCode[]) {
    t.notMatch(JSON.stringify(headers(code)), 'inside')
    t.equal('www-authenticate' in headers(code), refusals[code].status === 401)
  }
  t.end()
})

t.test('sendings are counted, with or without an answer', (t) => {
  const { trail } = trailOf()
  trail.sent(targetOf())
  trail.sent(targetOf())
  t.equal(trail.attempts, 2)
  t.end()
})
