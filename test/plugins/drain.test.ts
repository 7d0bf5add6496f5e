// The order of an ending, on a fake clock.

import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:https'
import fc from 'fast-check'
import t from 'tap'
import { drain } from '../../plugins/drain.ts'

interface Scene {
  readonly delayMs: number
  readonly deadlineMs: number
  /** When each exchange ends by itself. */
  readonly endsAt: readonly number[]
  /** How long each lives on after it was cut; above the grace it takes the destroyed connection to end it. */
  readonly lingersMs: number
  /** When callers come on open connections, to stay until they are cut. */
  readonly beginsAt?: readonly number[]
}

const listening = async (): Promise<Server> => {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server
}

/** Runs a drain to its end; says what happened when. */
async function play({ delayMs, deadlineMs, endsAt, lingersMs, beginsAt = [] }: Scene) {
  let now = 0
  let cutAt: number | undefined
  let destroyedAt: number | undefined
  const cuts: number[] = []
  const log: [number, string][] = []
  const server = await listening()
  /** Everything that the gateway does is done between two looks at the clock. */
  const look = (): void => {
    if (!server.listening && !log.some(([, event]) => event === 'close')) log.push([now, 'close'])
  }
  const endOf = (at: number): number => {
    const cut = cutAt === undefined ? Number.POSITIVE_INFINITY : cutAt + lingersMs
    return Math.min(at, cut, destroyedAt ?? Number.POSITIVE_INFINITY)
  }
  /** Those who come late run until they are cut, or their connection is destroyed. */
  const late = (): number => {
    const come = beginsAt.filter((at) => at <= now && at < (destroyedAt ?? Number.POSITIVE_INFINITY))
    return destroyedAt === undefined ? come.filter((at) => !cuts.some((cut) => cut >= at)).length : 0
  }
  const cut = await drain(server, {
    delayMs,
    deadlineMs,
    sleep: async (ms) => {
      assert.ok(ms >= 0)
      look()
      now += ms
    },
    now: () => now,
    inFlight: () => endsAt.filter((at) => endOf(at) > now).length + late(),
    cutAll: () => {
      cutAt ??= now
      cuts.push(now)
      log.push([now, 'cut'])
    },
    destroyAll: () => {
      look()
      destroyedAt = now
      log.push([now, 'destroy'])
    },
  })
  server.close()
  const at = (what: string): number | undefined => log.find(([, event]) => event === what)?.[0]
  return { cut, now, log, at, left: endsAt.filter((end) => endOf(end) > now).length + late() }
}

t.test('nothing under way: the delay passes all the same, and a second for who is just coming', async (t) => {
  const { cut, now, log } = await play({ delayMs: 5_000, deadlineMs: 60_000, endsAt: [], lingersMs: 0 })
  t.equal(cut, 0)
  t.equal(now, 6_000)
  t.same(log, [
    [5_000, 'close'],
    [6_000, 'destroy'],
  ])
})

t.test('without a delay nobody is waited for', async (t) => {
  const { now, log } = await play({ delayMs: 0, deadlineMs: 60_000, endsAt: [], lingersMs: 0 })
  t.equal(now, 0)
  t.same(log, [
    [0, 'close'],
    [0, 'destroy'],
  ])
})

t.test('what ends before the deadline is not cut, and its connection is left for a second', async (t) => {
  const { cut, at, now } = await play({
    delayMs: 5_000,
    deadlineMs: 9_000,
    endsAt: [50, 6_000, 6_950],
    lingersMs: 0,
  })
  t.equal(cut, 0)
  t.equal(at('cut'), undefined)
  t.equal(at('close'), 5_000)
  t.ok((at('destroy') ?? 0) >= 7_900)
  t.ok(now < 8_200)
})

t.test('a caller who comes within that second is served', async (t) => {
  const { cut, at } = await play({
    delayMs: 1_000,
    deadlineMs: 9_000,
    endsAt: [1_500],
    beginsAt: [2_300],
    lingersMs: 0,
  })
  t.equal(cut, 1, 'until the deadline')
  t.equal(at('cut'), 10_000)
})

t.test('what runs at the deadline is cut then, and destroyed two seconds later', async (t) => {
  const { cut, at, left } = await play({
    delayMs: 0,
    deadlineMs: 1_000,
    endsAt: [1e9, 1e9, 500],
    lingersMs: 1e9,
  })
  t.equal(cut, 2)
  t.equal(at('cut'), 1_000)
  t.equal(at('destroy'), 3_000)
  t.equal(left, 0)
})

t.test('what begins after the deadline is cut, too, and not broken off', async (t) => {
  const { log, at } = await play({
    delayMs: 0,
    deadlineMs: 1_000,
    endsAt: [1e9],
    beginsAt: [1_750],
    lingersMs: 900,
  })
  t.ok(log.some(([now, event]) => event === 'cut' && now >= 1_750))
  t.ok((at('destroy') ?? 0) < 3_000, 'both had ended before that')
})

t.test('a deadline of nothing cuts at once', async (t) => {
  const { cut, at } = await play({ delayMs: 0, deadlineMs: 0, endsAt: [1e9], lingersMs: 10 })
  t.equal(cut, 1)
  t.equal(at('cut'), 0)
})

t.test('property: bounded, in order, and nobody is cut early', async (t) => {
  const scene = fc.record({
    delayMs: fc.integer({ min: 0, max: 10_000 }),
    deadlineMs: fc.integer({ min: 0, max: 60_000 }),
    endsAt: fc.array(fc.integer({ min: 0, max: 100_000 }), { maxLength: 8 }),
    lingersMs: fc.integer({ min: 0, max: 10_000 }),
  })
  const property = fc.asyncProperty(scene, async (scene) => {
    const { cut, now, at, left } = await play(scene)
    const deadline = scene.delayMs + scene.deadlineMs
    assert.ok(now <= deadline + 4_000)
    assert.equal(left, 0)
    assert.equal(at('close'), scene.delayMs)
    assert.equal(cut, scene.endsAt.filter((end) => end > deadline).length)
    if (cut > 0) assert.equal(at('cut'), deadline)
    const destroyed = at('destroy') ?? -1
    assert.ok(destroyed >= (at('cut') ?? at('close') ?? 0))
    const quiet = Math.min(1_000, scene.delayMs)
    const ended = Math.max(scene.delayMs, ...scene.endsAt)
    if (destroyed < deadline)
      assert.ok(destroyed >= ended + quiet - 100, 'nobody was cut off who may just be coming')
  })
  await t.resolves(fc.assert(property, { numRuns: 300 }))
})
