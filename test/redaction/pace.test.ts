import t from 'tap'
import { Pace } from '../../src/redaction/pace.ts'

t.test('a turn of the event loop where the units are used up, and only there', async (t) => {
  const pace = new Pace(10, new AbortController().signal)
  let turned = false
  setImmediate(() => {
    turned = true
  })
  await pace.spend(4)
  await pace.spend(5)
  t.strictSame([pace.unitsLeft, turned], [1, false])
  await pace.spend(3)
  t.strictSame([pace.unitsLeft, turned], [10, true])
})

t.test('an abort is heard at the turn', async (t) => {
  const controller = new AbortController()
  const pace = new Pace(10, controller.signal)
  controller.abort(new Error('gone'))
  await pace.spend(9)
  await t.rejects(pace.spend(1), /gone/)
})
