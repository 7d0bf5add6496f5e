// Secrets that the simulated model server plants in its replies, cut at any place over two or more events. None may
// leave, not a half of one either. A caller whose role screens nothing must see them: otherwise nothing was planted.
import { check } from 'k6'
import { SharedArray } from 'k6/data'
import { Counter } from 'k6/metrics'
import { callerOf, isWhole, stream } from '../calls.ts'
import { checked, latency } from '../measures.ts'
import { type Caller, settings } from '../settings.ts'
import { arrival, suite } from '../suite.ts'

export { handleSummary } from '../report.ts'

interface Planted {
  readonly entity: string
  readonly value: string
  readonly before: string
  readonly after: string
}

const planted = new SharedArray<Planted>('planted', () => JSON.parse(open(settings.files['planted'] ?? '')))
const leaks = new Counter('redaction_leaks')
const masked = new Counter('redaction_masked')
const seenUnscreened = new Counter('redaction_seen_unscreened')

const { rate, seconds } = settings

export const options = suite(
  {
    screened: arrival({ exec: 'screened', rate, seconds, callSeconds: 0.5 }),
    unscreened: arrival({ exec: 'unscreened', rate: Math.max(1, rate / 10), seconds, callSeconds: 0.5 }),
  },
  {
    redaction_leaks: ['count==0', { threshold: 'count<1', abortOnFail: true }],
    redaction_masked: ['count>0'],
    redaction_seen_unscreened: ['count>0'],
    ...latency({ of: '{scenario:screened}' }),
    ...checked,
  },
)

export const setup = (): void => leaks.add(0)

/** The text of a reply with that value planted; `undefined` when the call failed. */
function replyWith(caller: Caller, index: number): string | undefined {
  const pieces: string[] = []
  // The plan of the server: which value, and how it is cut.
  const cut = Math.floor(Math.random() * 1_000_000)
  const spoken = `plant ${index} ${cut}`
  const outcome = stream(caller, { reply: { words: 64 }, spoken }, ({ data }) => {
    if (data !== '[DONE]') pieces.push(JSON.parse(data).choices[0]?.delta.content ?? '')
    return true
  })
  return isWhole(outcome) ? pieces.join('') : undefined
}

/** Letters and digits alone: a value without its blanks is still the value. */
const bare = (text: string): string => text.replace(/[^A-Za-z0-9]/g, '')

/** The whole of a value, or one of its halves, wherever signs stand in between. */
function shows(text: string, { value }: Planted): boolean {
  const [said, secret] = [bare(text), bare(value)]
  const half = Math.ceil(secret.length / 2)
  return said.includes(secret.slice(0, half)) || said.includes(secret.slice(-half))
}

const anyIndex = (): number => Math.floor(Math.random() * planted.length)

export function screened(): void {
  const index = anyIndex()
  const { entity, before, after } = planted[index] as Planted
  const text = replyWith(
    callerOf(({ role }) => role === 'app'),
    index,
  )
  if (text === undefined) return
  const isLeak = shows(text, planted[index] as Planted)
  if (isLeak) console.error(`${entity} ${index} left: ${text}`)
  leaks.add(isLeak ? 1 : 0, { entity })
  masked.add(text.includes('[') ? 1 : 0, { entity })
  check(text, {
    'what stands around a value is left alone': (said) => said.startsWith(before) && said.endsWith(after),
    'something stands for the value': (said) => said.includes('['),
  })
}

export function unscreened(): void {
  const index = anyIndex()
  const text = replyWith(
    callerOf(({ role }) => role === 'unscreened'),
    index,
  )
  if (text === undefined) return
  const value = planted[index] as Planted
  seenUnscreened.add(text.includes(value.value) ? 1 : 0)
  // It also shows that a leak would be noticed.
  check(text, { 'without screening the value is there': (said) => shows(said, value) })
}
