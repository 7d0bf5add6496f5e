// The runner replaces the server certificate, the authority of client certificates and the key of tokens. Callers have a
// certificate of either authority and show the one that they are asked for; they read their token anew for each call, as
// callers with mounted tokens do; each call is on a connection of its own, as a new Pod's first one is.
import { readFile } from 'k6/x/sse'
import { type Ask, anyone, stream } from '../calls.ts'
import { latency } from '../measures.ts'
import { settings } from '../settings.ts'
import { arrival, suite } from '../suite.ts'

export { handleSummary } from '../report.ts'

const { rate, seconds } = settings
const ask: Ask = {
  reply: { words: 12, firstTokenMs: 50, gapMs: 40 },
  tokenFrom: ({ tokenFile }) => readFile(tokenFile),
}

export const options = suite(
  { streams: arrival({ exec: 'streams', rate, seconds, callSeconds: 1.5 }) },
  latency({ addedP95Ms: 1_000, overheadP95Ms: 400 }),
  { noConnectionReuse: true },
)

export function streams(): void {
  stream(anyone(), ask)
}
