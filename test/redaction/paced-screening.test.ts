import t from 'tap'
import { PacedScreening, unitsPerTurn } from '../../src/redaction/paced-screening.ts'
import { rulesOf } from './rules.ts'
import { turnsDuring } from './turns.ts'

const rules = rulesOf({
  direction: 'prompt',
  actions: { US_SSN: 'block' },
  default: 'mask',
})
const { signal } = new AbortController()

t.test('the event loop has a turn after every so many code units of one text', async (t) => {
  const text = 'ada@example.com '.repeat(8 * (unitsPerTurn / 16))
  const turns = await turnsDuring(() => new PacedScreening(rules, signal).screen({ kind: 'text', text }))
  t.ok(turns >= 8, `${turns} turns`)
  t.ok(turns <= 12, `${turns} turns`)
})

t.test('and of many texts, however short they are', async (t) => {
  const paced = new PacedScreening(rules, signal)
  const turns = await turnsDuring(async () => {
    for (let index = 0; index < 4096; index++) await paced.screen({ kind: 'text', text: 'a' })
  })
  t.ok(turns >= 8, `${turns} turns`)
})

t.test('the result is that of one shot', async (t) => {
  const filling = 'word 8.8.8.8 '.repeat(unitsPerTurn / 13)
  for (const edge of ['4111 1111 1111 1111', '\u{1f600}', 'ada@example.com', '123-45-6789']) {
    for (let shift = 0; shift < edge.length + 2; shift++) {
      const text = `${filling.slice(0, unitsPerTurn - 64 - shift)} ${edge} end`
      const [plain, json] = [text, JSON.stringify({ a: text })]
      t.same(
        await new PacedScreening(rules, signal).screen({ kind: 'text', text: plain }),
        rules.screen(plain),
      )
      t.same(
        await new PacedScreening(rules, signal).screen({ kind: 'json', text: json }),
        rules.screenJson(json),
      )
    }
  }
})

t.test('an abort ends it at the next pause, with its reason', async (t) => {
  const controller = new AbortController()
  const reason = new Error('gone')
  setImmediate(() => controller.abort(reason))
  const text = 'a '.repeat(4 * unitsPerTurn)
  await t.rejects(new PacedScreening(rules, controller.signal).screen({ kind: 'text', text }), reason)
})
