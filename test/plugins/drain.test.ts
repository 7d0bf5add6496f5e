// The order of an ending, on a fake clock and a fake server.

import assert from 'node:assert/strict'
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
}

/** Runs a drain to its end; says what happened when. */
async function play({ delayMs, deadlineMs, endsAt, lingersMs }: Scene) {
  let now = 0
  let cutAt: number | undefined
  let destroyedAt: number | undefined
  const log: [number, string][] = []
  const endOf = (at: number): number => {
    const cut = cutAt === undefined ? Number.POSITIVE_INFINITY : cutAt + lingersMs
    return Math.min(at, cut, destroyedAt ?? Number.POSITIVE_INFINITY)
  }
  const server = {
    close: () => {
      log.push([now, 'close'])
    },
    closeIdleConnections: () => {
      log.push([now, 'sweep'])
    },
  }
  const cut = await drain(server as never, {
    delayMs,
    deadlineMs,
    sleep: async (ms) => {
      assert.ok(ms >= 0)
      now += ms
    },
    now: () => now,
    inFlight: () => endsAt.filter((at) => endOf(at) > now).length,
    cutAll: () => {
      cutAt = now
      log.push([now, 'cut'])
    },
    destroyAll: () => {
      destroyedAt = now
      log.push([now, 'destroy'])
    },
  })
  const at = (what: string): number | undefined => log.find(([, event]) => event === what)?.[0]
  return { cut, now, log, at, left: endsAt.filter((end) => endOf(end) > now).length }
}

t.test('nothing under way: the delay passes all the same, then it is over', async (t) => {
  const { cut, now, log } = await play({ delayMs: 5_000, deadlineMs: 60_000, endsAt: [], lingersMs: 0 })
  t.equal(cut, 0)
  t.equal(now, 5_000)
  t.same(log, [
    [5_000, 'close'],
    [5_000, 'sweep'],
    [5_000, 'destroy'],
    [5_000, 'sweep'],
  ])
})

t.test('what ends before the deadline is not cut, and idle connections are swept meanwhile', async (t) => {
  const { cut, at, log, now } = await play({
    delayMs: 100,
    deadlineMs: 9_000,
    endsAt: [50, 1_000, 1_950],
    lingersMs: 0,
  })
  t.equal(cut, 0)
  t.equal(at('cut'), undefined)
  t.ok(now < 2_200)
  t.ok(log.filter(([, event]) => event === 'sweep').length > 15)
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
    assert.ok((at('destroy') ?? -1) >= (at('cut') ?? at('close') ?? 0))
  })
  await t.resolves(fc.assert(property, { numRuns: 300 }))
})
