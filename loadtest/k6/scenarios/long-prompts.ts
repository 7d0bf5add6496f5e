// Lengths of prompts and replies of the Azure traces: code (long prompts, short replies) and conversation. The text is
// words, with the figures and signs of real prompts: how long it takes to look through them is what is measured.
import { SharedArray } from 'k6/data'
import { anyone, stream } from '../calls.ts'
import { latency } from '../measures.ts'
import { settings } from '../settings.ts'
import { arrival, suite } from '../suite.ts'

export { handleSummary } from '../report.ts'

interface Lengths {
  readonly trace: 'code' | 'conversation'
  readonly promptTokens: number
  readonly replyTokens: number
}

const CHARACTERS_A_TOKEN = 4
const lengths = new SharedArray<Lengths>('lengths', () => JSON.parse(open(settings.files['lengths'] ?? '')))
const { rate, seconds } = settings

export const options = suite(
  // The longest replies have a thousand tokens.
  { prompts: arrival({ exec: 'prompts', rate, seconds, callSeconds: 3 }) },
  {
    ...latency({ of: '{trace:code}', addedP95Ms: 500, overheadP95Ms: 400 }),
    ...latency({ of: '{trace:conversation}', addedP95Ms: 500, overheadP95Ms: 400 }),
  },
)

const sentences = [
  'The quick brown fox jumps over the lazy dog, and line 42 of the file says why. ',
  'const total = items.reduce((sum, item) => sum + item.price * 1.19, 0); ',
  'On 12 March 2024 the second meeting took place; nobody took any notes. ',
  'SELECT name, count(*) FROM orders WHERE year >= 2023 GROUP BY name; ',
]
const text = sentences.join('').repeat(300)

export function prompts(): void {
  const { trace, promptTokens, replyTokens } = lengths[Math.floor(Math.random() * lengths.length)] as Lengths
  const characters = Math.min(promptTokens * CHARACTERS_A_TOKEN, text.length - 500)
  const from = Math.floor(Math.random() * 500)
  stream(anyone(), {
    reply: { words: replyTokens },
    prompt: text.slice(from, from + characters),
    spoken: `say ${replyTokens} 4 2`,
    tags: { trace },
  })
}
