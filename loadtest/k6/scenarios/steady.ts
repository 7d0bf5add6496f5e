// The usual load: three streams to one whole reply, over all tenants and roles.
import { anyone, stream, whole } from '../calls.ts'
import { checked, latency } from '../measures.ts'
import { settings } from '../settings.ts'
import { arrival, suite } from '../suite.ts'

export { handleSummary } from '../report.ts'

const { rate, seconds } = settings
const reply = { words: 32, firstTokenMs: 50, gapMs: 15 }

export const options = suite(
  {
    streams: arrival({ exec: 'streams', rate: rate * 0.75, seconds, callSeconds: 1 }),
    calls: arrival({ exec: 'calls', rate: rate * 0.25, seconds, callSeconds: 1 }),
  },
  { ...latency(), ...checked },
)

export function streams(): void {
  stream(anyone(), { reply })
}

export function calls(): void {
  whole(anyone(), { reply })
}
