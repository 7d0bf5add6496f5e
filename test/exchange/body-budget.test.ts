import fc from 'fast-check'
import t from 'tap'
import { BodyBudget, type BodyShare } from '../../src/exchange/body-budget.ts'
import { readBody } from '../../src/exchange/inbound/read-body.ts'
import { refusalOf } from './fake-parts.ts'

const { signal } = new AbortController()
const inspected = { contentType: 'application/json', contentLength: 0 } as Parameters<typeof readBody>[1]
const bounds = { bodyBytesMax: 100, bodyTimeoutMs: 5_000 }

async function* chunks(...lengths: number[]): AsyncGenerator<Uint8Array> {
  for (const length of lengths) yield new Uint8Array(length)
}

t.test('what the others leave can be held, and what is released can be held again', async (t) => {
  const budget = new BodyBudget()
  const [first, second] = [budget.share(100), budget.share(100)]
  first.hold(60)
  second.hold(40)
  t.equal(await refusalOf(() => second.hold(41)), 'overloaded bodiesBytesMax')
  t.equal(budget.held, 100)
  first.release()
  second.hold(100)
  t.equal(budget.held, 100)
  first.hold(100)
  t.equal(budget.held, 100, 'a share that was released holds nothing')
  second.release()
  second.release()
  t.equal(budget.held, 0)
})

t.test('a body that is alone is let in, whatever the bound', async (t) => {
  const budget = new BodyBudget()
  using alone = budget.share(10)
  t.equal(await refusalOf(() => alone.hold(50)), 'none')
  t.equal(await refusalOf(() => budget.share(10).hold(1)), 'overloaded bodiesBytesMax')
})

const boundMax = 50
const action = fc.record({
  at: fc.nat(4),
  /** `undefined` releases. */
  bytes: fc.option(fc.integer({ min: 0, max: 60 }), { nil: undefined }),
})

/** What a share should hold, kept by the simplest means. */
interface Mirror {
  readonly share: BodyShare
  own: number
  gone: boolean
}

const sumOf = (all: readonly Mirror[]): number => all.reduce((sum, { own }) => sum + own, 0)

/** Does it to the share and to its mirror; says whether both agree on what fits. */
function act(all: readonly Mirror[], one: Mirror, bytes: number | undefined): boolean {
  if (bytes === undefined) {
    one.share.release()
    Object.assign(one, { own: 0, gone: true })
    return true
  }
  const others = sumOf(all) - one.own
  const fits = one.gone || others === 0 || others + bytes <= boundMax
  if (fits && !one.gone) one.own = bytes
  try {
    one.share.hold(bytes)
    return fits
  } catch {
    return !fits
  }
}

const isWithin = (all: readonly Mirror[]): boolean =>
  sumOf(all) <= boundMax || all.filter(({ own }) => own > 0).length === 1

t.test('whatever is held and released, the sum is right and within the bound', (t) => {
  const property = fc.property(fc.array(action, { maxLength: 40 }), (actions) => {
    const budget = new BodyBudget()
    const all = Array.from({ length: 5 }, (): Mirror => {
      return { share: budget.share(boundMax), own: 0, gone: false }
    })
    const isRight = actions.every(
      ({ at, bytes }) => act(all, all[at] as Mirror, bytes) && budget.held === sumOf(all) && isWithin(all),
    )
    for (const { share } of all) share.release()
    return isRight && budget.held === 0
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 200 }))
  t.end()
})

t.test('a body holds its buffer, never more than a body may be long', async (t) => {
  const budget = new BodyBudget()
  using share = budget.share(1_000)
  const body = await readBody(chunks(40, 30, 1, 25), inspected, bounds, share, signal)
  t.equal(body.byteLength, 96)
  t.equal(budget.held, 100)
})

t.test('a body that finds no room is refused while it is read, with a time to wait', async (t) => {
  const budget = new BodyBudget()
  using other = budget.share(100)
  other.hold(50)
  using share = budget.share(100)
  const reading = readBody(chunks(30, 30, 30), inspected, bounds, share, signal)
  await t.rejects(reading, { code: 'overloaded', retryAfterMs: 1_000 })
  t.equal(budget.held, 80)
  share.release()
  t.equal(budget.held, 50)
})
