import { setTimeout as delay } from 'node:timers/promises'
import fc from 'fast-check'
import t from 'tap'
import { systemClock } from '../../src/clock.ts'
import { Refusal } from '../../src/refusal.ts'
import { IpcPeer, PeerAway } from '../../src/workers/ipc-peer.ts'
import { simulatedChannel } from './simulated-channel.ts'

const clock = systemClock
// The sleeps of calls do not keep a process; the channel of a real one does.
const alive = setInterval(() => {}, 1_000)
t.teardown(() => clearInterval(alive))

function pair(
  bounds: { readonly deadlineMs?: number; readonly callsMax?: number; readonly unsentMax?: number } = {},
) {
  const [here, there, close] = simulatedChannel()
  return {
    here,
    there,
    close,
    asks: new IpcPeer({ port: here, clock, ...bounds }),
    answers: new IpcPeer({ port: there, clock }),
  }
}

const awayBy = (reason: string) => (error: unknown) => error instanceof PeerAway && error.reason === reason

t.test('each call gets its own answer, in whatever order the answers come', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat({ max: 5 }), { minLength: 1, maxLength: 30 }), async (waits) => {
      const { asks, answers } = pair()
      answers.on('double', async ([value, ms]) => {
        await delay(Number(ms))
        return Number(value) * 2
      })
      const replies = await Promise.all(waits.map((ms, index) => asks.call('double', [index, ms])))
      t.same(
        replies,
        waits.map((_, index) => index * 2),
      )
      t.equal(asks.waiting, 0)
    }),
    { numRuns: 20 },
  )
})

t.test('a refusal is the same on both sides; of another error the message passes', async (t) => {
  const { asks, answers } = pair()
  answers.on('refuse', () => {
    throw new Refusal('overloaded', 'full', { retryAfterMs: 7 })
  })
  answers.on('fail', () => {
    throw new TypeError('disk')
  })
  const refusal = await asks.call('refuse').catch((error: unknown) => error)
  t.ok(refusal instanceof Refusal)
  t.match(refusal, { code: 'overloaded', detail: 'full', retryAfterMs: 7 })
  await t.rejects(asks.call('fail'), { message: 'disk' })
  await t.rejects(asks.call('nothing'), { message: 'nobody answers nothing' })
})

t.test('who does not answer in time is given up; what comes late or twice changes nothing', async (t) => {
  const { asks, answers, here, there } = pair({ deadlineMs: 50 })
  answers.on('echo', ([value]) => value)
  there.stop()
  const late = asks.call('echo', [1])
  t.ok(await late.then(() => false, awayBy('unanswered')))
  there.go()
  await delay(5)
  t.equal(await asks.call('echo', [2]), 2)
  for (const junk of [
    undefined,
    null,
    7,
    'x',
    [],
    {},
    { answers: 99, value: 1 },
    { answers: 'x' },
    { name: 1, args: [] },
    { name: 'echo' },
  ])
    (here as unknown as { hear(message: unknown): void }).hear(junk)
  t.equal(await asks.call('echo', [3]), 3)
})

t.test('calls and messages that wait are bounded, and one above is not sent', async (t) => {
  const { asks, answers, here, there } = pair({ callsMax: 3, unsentMax: 5, deadlineMs: 5_000 })
  let heard = 0
  answers.on('count', () => {
    heard += 1
  })
  there.stop()
  const waiting = [1, 2, 3].map(() => asks.call('count'))
  t.ok(await asks.call('count').then(() => false, awayBy('not_sent')))
  there.go()
  await Promise.all(waiting)
  t.equal(heard, 3)
  here.stop()
  for (let told = 0; told < 50; told += 1) asks.tell('count')
  t.equal(here.held, 5)
  t.ok(await asks.call('count').then(() => false, awayBy('not_sent')))
  here.go()
  await delay(1)
  t.equal(heard, 8)
})

t.test('the other process goes: every call ends, and none is sent any more', async (t) => {
  const { asks, answers, close } = pair()
  answers.on('never', () => new Promise(() => {}))
  const call = asks.call('never')
  let told = 0
  asks.closed.addEventListener('abort', () => {
    told += 1
  })
  close()
  t.ok(await call.then(() => false, awayBy('unanswered')))
  t.ok(await asks.call('never').then(() => false, awayBy('not_sent')))
  t.equal(told, 1)
  t.equal(asks.waiting, 0)
})
