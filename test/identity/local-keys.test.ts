import t from 'tap'
import { LocalKeys } from '../../src/identity/local-keys.ts'
import { FakeClock } from './fake-clock.ts'
import { faultOf, jwksOf, makeKey, refusedAs } from './token-maker.ts'

const k1 = makeKey('k1')
const k2 = makeKey('k2')

t.test('a file that cannot be used stops the start', async (t) => {
  t.throws(() => new LocalKeys({ read: () => Buffer.from('x'), clock: new FakeClock() }), faultOf('not_json'))
})

t.test('a refresh swaps the set; a bad file keeps the old one and says so', async (t) => {
  const clock = new FakeClock()
  const results: string[] = []
  let bytes: Buffer = jwksOf(k1)
  const keys = new LocalKeys({
    read: () => bytes,
    clock,
    onRefresh: (result, fault) => results.push(fault ?? result),
  })
  const { set } = await keys.find('k1')
  await clock.advance(5000)
  t.equal(keys.ageSeconds, 5)
  await keys.refresh()
  t.equal(keys.current, set, 'the same bytes are the same set')
  bytes = Buffer.from('{"keys":[]}')
  await keys.refresh()
  t.equal(keys.current, set)
  bytes = jwksOf(k2)
  await keys.refresh()
  await t.rejects(keys.find('k1'), refusedAs('unknown_key'))
  t.same(results, ['unchanged', 'no_keys', 'changed'])
  t.throws(() => keys.replace(Buffer.from('')), faultOf('not_json'))
  t.equal((await keys.find('k2')).key.kid, 'k2')
  await keys.close()
})
