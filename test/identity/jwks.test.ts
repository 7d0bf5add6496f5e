import fc from 'fast-check'
import t from 'tap'
import { RemoteKeys } from '../../src/identity/jwks.ts'
import { Refusal } from '../../src/refusal.ts'
import { FakeClock, turn } from './fake-clock.ts'
import { SimulatedFetcher } from './simulated-fetcher.ts'
import { jwksOf, makeKey } from './token-maker.ts'

const k1 = makeKey('k1')
const k2 = makeKey('k2')
const first = jwksOf(k1)
const second = jwksOf(k2)
const hour = 3_600_000

async function started(answer: Uint8Array | 'down' = first) {
  const clock = new FakeClock()
  const fetcher = new SimulatedFetcher(answer)
  const results: string[] = []
  const onRefresh = (result: string, fault?: string) => results.push(fault ?? result)
  const keys = new RemoteKeys({ url: 'https://idp.test/jwks', fetcher, clock, onRefresh })
  await keys.refresh()
  return { clock, fetcher, results, keys }
}

const unknown = { code: 'invalid_token', detail: 'unknown_key' }

t.test('keys are fetched once at the start and found without another fetch', async (t) => {
  const { fetcher, keys, results } = await started()
  t.equal((await keys.find('k1')).key.kid, 'k1')
  t.equal(fetcher.fetches, 1)
  t.same(results, ['changed'])
  t.equal(keys.ageSeconds, 0)
  await keys.close()
})

t.test('keys are asked for again at 80 % of their age; the same bytes keep the same set', async (t) => {
  const { clock, fetcher, keys, results } = await started()
  const { set } = await keys.find('k1')
  await clock.advance(239_000)
  t.equal(fetcher.fetches, 1)
  t.equal(keys.ageSeconds, 239)
  await clock.advance(2000)
  t.equal(fetcher.fetches, 2)
  t.same(results, ['changed', 'unchanged'])
  t.equal(keys.current, set)
  fetcher.answer = second
  await clock.advance(240_000)
  await t.rejects(keys.find('k1'), unknown, 'a removed key is gone within its age')
  t.equal((await keys.find('k2')).key.kid, 'k2')
  await keys.close()
})

t.test('five hundred unknown ids at once cost one fetch, and none before the cool-down', async (t) => {
  const { clock, fetcher, keys } = await started()
  const ask = () => Promise.allSettled(Array.from({ length: 500 }, (_, index) => keys.find(`random${index}`)))
  t.ok((await ask()).every(({ status }) => status === 'rejected'))
  t.equal(fetcher.fetches, 1)
  await clock.advance(30_000)
  await ask()
  t.equal(fetcher.fetches, 2)
  await ask()
  t.equal(fetcher.fetches, 2)
  await keys.close()
})

t.test('whoever keeps asking for unknown ids is granted fewer and fewer fetches', async (t) => {
  const clock = new FakeClock()
  const fetcher = new SimulatedFetcher(first)
  const keys = new RemoteKeys({ url: 'https://idp.test/jwks', fetcher, clock, maxAgeSeconds: 86_400 })
  await keys.refresh()
  for (let minute = 0; minute < 40; minute += 1) {
    await clock.advance(30_000)
    await t.rejects(keys.find(`random${minute}`), unknown)
  }
  t.equal(
    fetcher.fetches,
    1 + 4 + 9,
    'the start, a full bucket, and what 20 minutes refill while it is not full',
  )
  await keys.close()
})

t.test('a new key is found after the cool-down, without waiting for the schedule', async (t) => {
  const { clock, fetcher, keys } = await started()
  fetcher.answer = jwksOf(k1, k2)
  await clock.advance(30_000)
  t.equal((await keys.find('k2')).key.kid, 'k2')
  await keys.close()
})

t.test('a known key never waits for a fetch that hangs', async (t) => {
  const { clock, fetcher, keys } = await started()
  let open = (): void => undefined
  fetcher.gate = new Promise((resolve) => {
    open = resolve
  })
  await clock.advance(30_000)
  const waiting = keys.find('k9')
  t.equal((await keys.find('k1')).key.kid, 'k1')
  t.equal(fetcher.inFlight, 1)
  open()
  await t.rejects(waiting, unknown)
  await keys.close()
})

t.test('a caller who comes before the first keys waits for the fetch under way', async (t) => {
  const clock = new FakeClock()
  const fetcher = new SimulatedFetcher(first)
  const keys = new RemoteKeys({ url: 'https://idp.test/jwks', fetcher, clock })
  t.equal((await keys.find('k1')).key.kid, 'k1')
  t.equal(fetcher.fetches, 1)
  await keys.close()
})

t.test('an outage serves what is there for a day, then nothing', async (t) => {
  const { clock, fetcher, keys, results } = await started()
  fetcher.answer = 'down'
  await clock.advance(23 * hour)
  t.equal((await keys.find('k1')).key.kid, 'k1')
  t.ok(results.includes('fetch_failed'))
  await clock.advance(hour + 1)
  t.equal(keys.current, undefined)
  await t.rejects(keys.find('k1'), { code: 'keys_unavailable' })
  fetcher.answer = first
  await clock.advance(30_000)
  t.equal((await keys.find('k1')).key.kid, 'k1', 'and comes back by itself')
  await keys.close()
})

t.test('without any keys yet callers are told so, and cause no fetch', async (t) => {
  const { clock, fetcher, keys } = await started('down')
  await Promise.allSettled(Array.from({ length: 20 }, () => keys.find('k1')))
  await t.rejects(keys.find('k1'), { code: 'keys_unavailable', retryAfterMs: 1000 })
  t.equal(fetcher.fetches, 1)
  t.equal(keys.ageSeconds, undefined)
  fetcher.answer = first
  await clock.advance(1000)
  t.equal((await keys.find('k1')).key.kid, 'k1')
  await keys.close()
})

t.test('a set that is refused leaves the old one in force', async (t) => {
  const { fetcher, keys, results } = await started()
  for (const answer of ['<html>', '{"keys":[]}', JSON.stringify({ keys: [{ ...k2.jwk, d: 'AAAA' }] })]) {
    fetcher.answer = Buffer.from(answer)
    await keys.refresh()
    t.equal((await keys.find('k1')).key.kid, 'k1')
  }
  t.same(results, ['changed', 'not_json', 'no_keys', 'private_key'])
  await keys.close()
})

t.test('closing ends the fetch under way and the schedule', async (t) => {
  const { clock, fetcher, keys, results } = await started()
  await keys.close()
  await clock.advance(24 * hour)
  t.equal(fetcher.fetches, 1)
  t.same(results, ['changed'])
})

type Step =
  | { readonly kind: 'ask'; readonly kid: 'k1' | 'k2' | 'x' }
  | { readonly kind: 'advance'; readonly ms: number }
  | { readonly kind: 'serve'; readonly what: 'first' | 'second' | 'down' | 'junk' }

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constant('ask' as const),
    kid: fc.constantFrom('k1' as const, 'k2' as const, 'x' as const),
  }),
  fc.record({
    kind: fc.constant('advance' as const),
    ms: fc.constantFrom(1000, 29_000, 31_000, 240_000, 25 * hour),
  }),
  fc.record({
    kind: fc.constant('serve' as const),
    what: fc.constantFrom('first' as const, 'second' as const, 'down' as const, 'junk' as const),
  }),
)
const answers = { first, second, down: 'down' as const, junk: Buffer.from('{') }

t.test('properties 1-5 over any course of asking, waiting, rotating and failing', async (t) => {
  const held = fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (script) => {
      const { clock, fetcher, keys } = await started()
      for (const each of script) {
        if (each.kind === 'serve') fetcher.answer = answers[each.what]
        else if (each.kind === 'advance') await clock.advance(each.ms)
        else await askFourTimes(keys, fetcher, each.kid)
        if (fetcher.inFlightMax > 1) throw new Error('1: two fetches in flight')
        if ((keys.ageSeconds ?? 0) > 86_400 && keys.current) throw new Error('4: keys too old')
      }
      await keys.close()
    }),
    { numRuns: 40 },
  )
  await t.resolves(held)
})

async function askFourTimes(keys: RemoteKeys, fetcher: SimulatedFetcher, kid: string): Promise<void> {
  const before = fetcher.fetches
  const set = keys.current
  const isKnown = set?.choose(kid) !== undefined
  const asked = await Promise.allSettled([1, 2, 3, 4].map(() => keys.find(kid)))
  await turn()
  if (fetcher.fetches > before + (isKnown ? 0 : 1)) throw new Error('2, 5: too many fetches')
  if (isKnown && asked.some(({ status }) => status === 'rejected'))
    throw new Error('5: a known key was refused')
  if ((fetcher.answer === 'down' || fetcher.answer === answers.junk) && keys.current !== set) {
    throw new Error('3: a failure changed the set')
  }
  const others = asked.filter((each) => each.status === 'rejected' && !(each.reason instanceof Refusal))
  if (others.length > 0) throw new Error('something else than a Refusal was thrown')
}
