// The usual load for long. What must not grow (memory, handles) the runner looks at from outside.
import { anyone, stream, whole } from '../calls.ts'
import { checked, latency } from '../measures.ts'
import { settings } from '../settings.ts'
import { arrival, suite } from '../suite.ts'

export { handleSummary } from '../report.ts'

const { rate, seconds } = settings
const reply = { words: 40, firstTokenMs: 80, gapMs: 25 }

export const options = suite(
  {
    streams: arrival({ exec: 'streams', rate: rate * 0.8, seconds, callSeconds: 1.5 }),
    calls: arrival({ exec: 'calls', rate: rate * 0.2, seconds, callSeconds: 1.5 }),
  },
  { ...latency(), ...checked },
)

export function streams(): void {
  stream(anyone(), { reply })
}

export function calls(): void {
  whole(anyone(), { reply })
}
