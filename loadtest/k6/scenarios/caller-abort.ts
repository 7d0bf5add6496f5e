// Callers who hang up: before the first token, and after a few. Others go on. That nothing of the former stays, at the
// gateway or at the model server, the runner looks at afterwards.
import { Counter } from 'k6/metrics'
import { anyone, stream } from '../calls.ts'
import { latency } from '../measures.ts'
import { settings } from '../settings.ts'
import { arrival, suite } from '../suite.ts'

export { handleSummary } from '../report.ts'

const leftEarly = new Counter('left_before_first_token')
const leftWithin = new Counter('left_within_stream')
const { rate, seconds } = settings

export const options = suite(
  {
    stay: arrival({ exec: 'stay', rate: rate / 2, seconds, callSeconds: 1 }),
    early: arrival({ exec: 'early', rate: rate / 4, seconds, callSeconds: 1 }),
    within: arrival({ exec: 'within', rate: rate / 4, seconds, callSeconds: 1 }),
  },
  {
    ...latency({ of: '{scenario:stay}' }),
    left_before_first_token: ['count>0'],
    left_within_stream: ['count>0'],
  },
)

export function stay(): void {
  stream(anyone(), { reply: { words: 24, firstTokenMs: 50, gapMs: 15 } })
}

export function early(): void {
  const timeoutMs = 50 + Math.floor(Math.random() * 400)
  const reply = { words: 24, firstTokenMs: 30_000 }
  const { ended } = stream(anyone(), { reply, timeoutMs, leaves: true })
  leftEarly.add(ended === 'timeout' ? 1 : 0)
}

export function within(): void {
  const last = 1 + Math.floor(Math.random() * 20)
  let events = 0
  const { ended } = stream(anyone(), { reply: { words: 200, firstTokenMs: 20, gapMs: 15 } }, () => {
    events += 1
    return events < last
  })
  leftWithin.add(ended === 'stopped' ? 1 : 0)
}
