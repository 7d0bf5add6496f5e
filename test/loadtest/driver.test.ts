// The arithmetic of the driver: what is paired with what, and what it makes of it.
import fc from 'fast-check'
import t from 'tap'
import { openArrivals, schedule } from '../../loadtest/driver/open-arrivals.ts'
import { faultOf, pairStream, pairWhole } from '../../loadtest/driver/pairing.ts'
import { SentLog } from '../../loadtest/driver/sent-log.ts'
import { readPrompt, timedBody, tokensOf, writePrompt } from '../../loadtest/driver/timed-call.ts'
import type { Receipt, Received } from '../../loadtest/driver/timed-client.ts'
import { tokenArrivals } from '../../loadtest/driver/token-arrivals.ts'

const event = (content: string): string =>
  `data: {"choices":[{"index":0,"delta":{"content":"${content}"}}]}\n\n`
const role = 'data: {"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}\n\n'
const done = 'data: [DONE]\n\n'
const at = (atMs: number, text: string): Receipt => ({ atMs, bytes: Buffer.from(text) })
const received = (receipts: readonly Receipt[], times: { startedMs: number; endedMs: number }): Received => ({
  ...times,
  status: 200,
  receipts,
  fault: undefined,
})

t.test('a token has arrived when its last character has', (t) => {
  const tokens = ['the ', 'quick ', 'fox ']
  const each = [at(1, role), at(2, event('the ')), at(3, event('quick ')), at(4, event('fox ')), at(5, done)]
  t.same(tokenArrivals(each, tokens), [2, 3, 4], 'one event each')
  const joined = [at(1, role + event('the ') + event('quick ')), at(4, event('fox ') + done)]
  t.same(tokenArrivals(joined, tokens), [1, 1, 4], 'two events in one read')
  const held = [at(1, event('th')), at(2, event('e qui')), at(3, event('ck fox ')), at(4, done)]
  t.same(tokenArrivals(held, tokens), [2, 3, 3], 'texts that were held and cut elsewhere')
  const comment = [at(1, ': keep-alive\n\n'), at(2, event('the quick fox ') + done)]
  t.same(tokenArrivals(comment, tokens), [2, 2, 2], 'a comment is no text')
  t.end()
})

t.test(
  'however the bytes are cut into reads, a token has the time of the read that completed its event',
  (t) => {
    const tokens = ['häuser ', '屋 ', 'x ']
    const bytes = Buffer.from(role + tokens.map(event).join('') + done)
    const ends = tokens.map((_, n) =>
      Buffer.byteLength(
        role +
          tokens
            .slice(0, n + 1)
            .map(event)
            .join(''),
      ),
    )
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: bytes.length - 1 }), { maxLength: 12 }), (cuts) => {
        const places = [0, ...new Set(cuts)].sort((a, b) => a - b)
        const receipts = places.map((from, n) => ({ atMs: n, bytes: bytes.subarray(from, places[n + 1]) }))
        const read = ends.map((end) => places.findLastIndex((from) => from < end))
        return JSON.stringify(tokenArrivals(receipts, tokens)) === JSON.stringify(read)
      }),
    )
    t.pass('held for every cut')
    t.end()
  },
)

t.test('a stream that says something else, or has no end, is no measurement', (t) => {
  t.throws(
    () => tokenArrivals([at(1, event('the ') + done)], ['the ', 'fox ']),
    /said 4 characters, not these 8/,
  )
  t.throws(() => tokenArrivals([at(1, event('[EMAIL] ') + done)], ['the ']), /said 8 characters, not these 4/)
  t.throws(() => tokenArrivals([at(1, event('the '))], ['the ']), /without \[DONE\]/)
  t.end()
})

t.test('a stream: the time outside of the server, and gaps beside gaps', (t) => {
  const answer = received(
    [at(115, role), at(121, event('a ')), at(132, event('b ')), at(141, event('c ') + done)],
    { startedMs: 100, endedMs: 142 },
  )
  const sent = { id: 1, arrivedMs: 103, sentMs: [118, 128, 138] }
  const times = pairStream(answer, sent, ['a ', 'b ', 'c '])
  t.equal(times.firstTokenMs, 121 - 100 - (118 - 103), 'the way there and the way back')
  t.same(times.delaysMs, [3, 4, 3])
  t.same(times.gapsMs, [1, -1], 'a gap of 11 that was 10, then one of 9: it caught up')
  t.throws(() => pairStream(answer, { ...sent, sentMs: [1] }, ['a ', 'b ', 'c ']), /1 tokens sent, 3 arrived/)
  t.end()
})

t.test('the gaps of a stream add up to the change of its delay', (t) => {
  const times = fc.array(fc.integer({ min: 0, max: 1000 }), { minLength: 1, maxLength: 30 })
  fc.assert(
    fc.property(times, times, (sentGaps, delays) => {
      const count = Math.min(sentGaps.length, delays.length)
      const sentMs = sentGaps.slice(0, count).map((_, n) => sentGaps.slice(0, n + 1).reduce((a, b) => a + b))
      const tokens = sentMs.map((_, n) => `w${n} `)
      const ordered = sentMs.map((ms, n) => ms + (delays[n] as number)).sort((a, b) => a - b)
      const receipts = ordered.map((ms, n) => at(ms, event(tokens[n] as string)))
      const answer = received([...receipts, at(1e6, done)], { startedMs: 0, endedMs: 1e6 })
      const { gapsMs, delaysMs } = pairStream(answer, { id: 1, arrivedMs: 0, sentMs }, tokens)
      const sum = gapsMs.reduce((a, b) => a + b, 0)
      return sum === (delaysMs.at(-1) as number) - (delaysMs[0] as number)
    }),
  )
  t.pass('held for every stream')
  t.end()
})

t.test('a whole answer: the call without what the server took', (t) => {
  const answer = received([], { startedMs: 10, endedMs: 20 })
  t.same(pairWhole(answer, { id: 1, arrivedMs: 12, sentMs: [13, 18] }), { outsideMs: 4 })
  t.throws(() => pairWhole(answer, { id: 7, arrivedMs: 12, sentMs: [] }), /call 7: the server sent nothing/)
  t.equal(faultOf(answer, undefined), 'the model server knows nothing of it')
  t.match(faultOf({ ...answer, fault: 'status 429' }, undefined), /^status 429/)
  t.equal(faultOf(answer, { id: 1, arrivedMs: 1, sentMs: [] }), undefined)
  t.end()
})

t.test('the log of the server gives each call once, and is bounded', (t) => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.nat(1000), { maxLength: 40 }),
      fc.integer({ min: 1, max: 20 }),
      (ids, most) => {
        let now = 0
        const log = new SentLog(most, () => {
          now += 1
          return now
        })
        for (const id of ids) {
          const sent = log.arrived(id)
          sent()
          sent()
        }
        const { calls, dropped } = log.take()
        const isOrdered = calls.every(
          ({ arrivedMs, sentMs: [a, b] }) => arrivedMs < Number(a) && Number(a) < Number(b),
        )
        const kept = JSON.stringify(calls.map(({ id }) => id)) === JSON.stringify(ids.slice(-most))
        const again = log.take()
        return (
          isOrdered &&
          kept &&
          dropped === Math.max(0, ids.length - most) &&
          again.calls.length + again.dropped === 0
        )
      },
    ),
  )
  t.pass('invariants 1 to 3')
  t.end()
})

t.test('what is asked for in a prompt is read there again', (t) => {
  const order = fc.record({
    id: fc.nat(999_999_999),
    tokens: fc.integer({ min: 1, max: 10_000 }),
    gapMs: fc.nat(60_000),
    blanks: fc.constantFrom('leading' as const, 'trailing' as const),
  })
  fc.assert(
    fc.property(order, fc.nat(5000), (asked, bytes) => {
      const prompt = writePrompt(asked, bytes)
      return prompt.length >= bytes && JSON.stringify(readPrompt(prompt)) === JSON.stringify(asked)
    }),
  )
  const asked = { id: 1, tokens: 3, gapMs: 0, blanks: 'leading' } as const
  t.equal(readPrompt('hello'), undefined)
  t.equal(readPrompt(writePrompt({ ...asked, tokens: 99_999 }, 0)), undefined, 'out of bounds')
  t.same(tokensOf(asked), [' the', ' quick', ' brown'])
  t.same(tokensOf({ ...asked, blanks: 'trailing' }), ['the ', 'quick ', 'brown '])
  const bytes = Buffer.byteLength(timedBody(asked, { stream: true, bytes: 1024 }))
  t.ok(bytes > 1024 && bytes < 1400, 'about 1 KB')
  t.end()
})

t.test('arrivals depend on the seed alone, and come at the rate', (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 50, max: 500 }), fc.nat(1000), (perSecond, seed) => {
      const load = { perSecond, seconds: 20, seed }
      const times = schedule(load)
      const isAscending = times.every((ms, n) => ms < 20_000 && ms > (times[n - 1] ?? 0))
      // Six standard deviations of a Poisson count.
      const isNear = Math.abs(times.length - perSecond * 20) < 6 * Math.sqrt(perSecond * 20)
      return isAscending && isNear && JSON.stringify(times) === JSON.stringify(schedule(load))
    }),
    { numRuns: 20 },
  )
  t.pass('invariant 1')
  t.end()
})

t.test('calls begin although none has ended, up to the bound, and all are waited for', async (t) => {
  const load = { perSecond: 2000, seconds: 0.05, seed: 3 }
  const due = schedule(load).length
  const { promise, resolve } = Promise.withResolvers<void>()
  let ended = 0
  const making = openArrivals({ ...load, openMax: 7 }, async (n) => {
    if (n === due - 1 || n < 7) await promise
    ended += 1
  })
  setTimeout(resolve, 200)
  const made = await making
  t.equal(made.begun, 7)
  t.equal(made.begun + made.dropped, due)
  t.equal(ended, 7)
})
