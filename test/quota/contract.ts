/** What every quota store must do. Each store's test file runs this suite over its own factory. */
import assert from 'node:assert/strict'

import t, { type Test } from 'tap'

import type { Limit } from '../../src/policy/policy.ts'
import type { Admission } from '../../src/quota/quota.ts'
import { Refusal, type RefusalCode } from '../../src/refusal.ts'
import { checkHistories } from './histories.ts'
import { inFlight, release, requests, type Subject } from './subject.ts'

/** The refusal of an admission, or undefined when it was let in. */
async function refusalOf(admission: Promise<Admission>): Promise<Refusal | undefined> {
  try {
    await admission
    return undefined
  } catch (error) {
    assert.ok(error instanceof Refusal, String(error))
    return error
  }
}

export function quotaContract(name: string, make: () => Promise<Subject>): void {
  const test = (title: string, run: (t: Test, subject: Subject) => Promise<void>): void => {
    t.test(`${name}: ${title}`, async (t) => {
      const subject = await make()
      try {
        await run(t, subject)
      } finally {
        await subject.close()
      }
    })
  }
  rateContract(test)
  slotContract(test)
  allOrNothingContract(test)
  tokenContract(test)
  t.test(`${name}: random histories never exceed a limit and leak nothing`, async (t) => {
    await t.resolves(checkHistories(make))
  })
}

type Case = (title: string, run: (t: Test, subject: Subject) => Promise<void>) => void

function rateContract(test: Case): void {
  test('of 200 at once exactly the burst passes', async (t, { quota }) => {
    const limits = [requests('tenant:a', 60, 13)]
    const outcomes = await Promise.all(
      Array.from({ length: 200 }, (_, n) => refusalOf(quota.admit(`e${n}`, limits))),
    )
    t.equal(outcomes.filter((refusal) => refusal === undefined).length, 13)
    t.same([...new Set(outcomes.map((refusal) => refusal?.code))], [undefined, 'rate_limit_exceeded'])
  })

  test('the wait is exact: too early is refused, on time passes', async (t, { quota, elapse }) => {
    const limits = [requests('tenant:a', 60, 2)]
    await quota.admit('e1', limits)
    await quota.admit('e2', limits)
    const refusal = await refusalOf(quota.admit('e3', limits))
    const waitMs = Number(refusal?.retryAfterMs)
    t.ok(waitMs > 0 && waitMs <= 1000)
    await elapse(waitMs - 200)
    t.match(await refusalOf(quota.admit('e4', limits)), { code: 'rate_limit_exceeded' })
    await elapse(200)
    t.equal(await refusalOf(quota.admit('e5', limits)), undefined)
  })

  test('a request stays counted when its exchange ends', async (t, { quota }) => {
    const limits = [requests('tenant:a', 60, 1)]
    await release(await quota.admit('e1', limits))
    t.match(await refusalOf(quota.admit('e2', limits)), { code: 'rate_limit_exceeded' })
  })

  test('a key is a bucket: others do not feel it', async (t, { quota }) => {
    await quota.admit('e1', [requests('tenant:a', 60, 1)])
    t.equal(await refusalOf(quota.admit('e2', [requests('tenant:b', 60, 1)])), undefined)
    t.equal(
      await refusalOf(quota.admit('e3', [inFlight('tenant:a', 1)])),
      undefined,
      'nor another limit of the key',
    )
  })

  test('the states say what is left', async (t, { quota }) => {
    const limit = requests('tenant:a', 60, 3)
    const slots = inFlight('tenant:a', 2)
    const { states } = await quota.admit('e1', [limit, slots])
    t.match(states, [
      { limit, remaining: 2 },
      { limit: slots, remaining: 1 },
    ])
    t.ok(Number(states[0]?.resetMs) > 0 && Number(states[0]?.resetMs) <= 1000)
  })
}

function slotContract(test: Case): void {
  test('the slot after the last is refused until one is given back', async (t, { quota }) => {
    const limits = [inFlight('tenant:a', 2)]
    const first = await quota.admit('e1', limits)
    await quota.admit('e2', limits)
    const refusal = await refusalOf(quota.admit('e3', limits))
    t.equal(refusal?.code, 'concurrency_limit_exceeded')
    t.ok(Number(refusal?.retryAfterMs) > 0)
    await release(first)
    t.equal(await refusalOf(quota.admit('e4', limits)), undefined)
    t.match(await refusalOf(quota.admit('e5', limits)), { code: 'concurrency_limit_exceeded' })
  })

  test('of 200 at once exactly as many pass as there are slots', async (t, { quota }) => {
    const limits = [inFlight('tenant:a', 7)]
    const outcomes = await Promise.all(
      Array.from({ length: 200 }, (_, n) => refusalOf(quota.admit(`e${n}`, limits))),
    )
    t.equal(outcomes.filter((refusal) => refusal === undefined).length, 7)
    t.equal(quota.inFlight, 7)
  })

  test('a slot is given back once, however often it is released', async (t, { quota }) => {
    const limits = [inFlight('tenant:a', 2)]
    const first = await quota.admit('e1', limits)
    await quota.admit('e2', limits)
    await Promise.all([release(first), release(first)])
    await release(first)
    t.equal(quota.inFlight, 1)
    await quota.admit('e1', limits)
    await release(first)
    t.equal(quota.inFlight, 2, 'nor does it take the slot of a later exchange of the same id')
  })

  test('an exchange id in use is a mistake, not a second lease', async (t, { quota }) => {
    await quota.admit('e1', [inFlight('tenant:a', 5)])
    await t.rejects(quota.admit('e1', [inFlight('tenant:a', 5)]))
    t.equal(quota.inFlight, 1)
  })
}

function allOrNothingContract(test: Case): void {
  test('a refusal changes no bucket and no slot, wherever in the list the refusing limit stands', async (t, {
    quota,
  }) => {
    const wide = requests('tenant:a', 60, 5)
    const slots = inFlight('tenant:a', 5)
    const empty = requests('role:x', 60, 1)
    await quota.admit('e0', [empty])
    for (const limits of [
      [empty, wide, slots],
      [wide, slots, empty],
      [slots, empty, wide],
    ]) {
      const refusal = await refusalOf(quota.admit('e1', limits))
      t.equal(refusal?.code, 'rate_limit_exceeded')
      t.match(refusal?.detail, 'role:x')
    }
    const { states } = await quota.admit('e2', [wide, slots])
    t.match(states, [{ remaining: 4 }, { remaining: 4 }])
  })

  test('the limit with the longest wait decides and is named', async (t, { quota }) => {
    const slow = requests('tenant:slow', 1, 1)
    const quick = requests('tenant:quick', 600, 1)
    const slots = inFlight('tenant:slots', 1)
    await quota.admit('e1', [slow, quick, slots])
    const expected: readonly (readonly [readonly Limit[], string, RefusalCode])[] = [
      [[quick, slow, slots], 'tenant:slow', 'rate_limit_exceeded'],
      [[slots, quick], 'tenant:slots', 'concurrency_limit_exceeded'],
      [[quick], 'tenant:quick', 'rate_limit_exceeded'],
    ]
    for (const [limits, key, code] of expected) {
      const refusal = await refusalOf(quota.admit('e2', limits))
      t.equal(refusal?.code, code)
      t.match(refusal?.detail, key)
    }
  })

  test('no limits: let in, and counted in flight', async (t, { quota }) => {
    const admission = await quota.admit('e1', [])
    t.same(admission.states, [])
    t.equal(quota.inFlight, 1)
    await release(admission)
    t.equal(quota.inFlight, 0)
  })
}

function tokenContract(test: Case): void {
  test('a reservation carries its numbers; settling, once or twice, frees and takes no slot', async (t, {
    quota,
  }) => {
    const limits = [requests('tenant:a', 60, 5), inFlight('tenant:a', 5)]
    const admission = await quota.admit('e1', limits)
    const reservation = await quota.reserve('e1', limits, { inputTokens: 10, outputTokens: 20 })
    t.match(reservation, { inputTokens: 10, outputTokens: 20 })
    await quota.settle('e1', { inputTokens: 10, outputTokens: 3 })
    await quota.settle('e1', { inputTokens: 99, outputTokens: 99 })
    await reservation[Symbol.asyncDispose]()
    await reservation[Symbol.asyncDispose]()
    t.equal(quota.inFlight, 1)
    await release(admission)
    await quota.settle('e1', { inputTokens: 1, outputTokens: 1 })
    await quota.settle('unknown', { inputTokens: 1, outputTokens: 1 })
    t.equal(quota.inFlight, 0)
  })
}
