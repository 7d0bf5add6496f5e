// Sallyport's redaction behind the line protocol of loadtest/bench/redaction/line-worker.ts: what a benchmark cannot see
// from outside the process, such as the time of one push. All recognizers are on, guesses included.
//   node scripts/redaction-worker.ts

import { createInterface } from 'node:readline'
import { setImmediate } from 'node:timers/promises'
import { cpuMs, jsonLine } from '../loadtest/bench/redaction/worker-side.ts'
import { rulesOf } from '../src/commands/redact-rules.ts'
import type { RuleSet } from '../src/redaction/finding.ts'
import { PacedScreening } from '../src/redaction/paced-screening.ts'

interface Request {
  readonly op: 'mask' | 'time' | 'events' | 'turns' | 'splits'
  readonly texts: readonly string[]
  /** Code units of an event. */
  readonly size?: number
}

const { rules: strict } = await rulesOf({ config: 'config', preset: 'strict', direction: 'reply' })

const quantile = (sorted: Float64Array, share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN

const summary = (values: readonly number[]) => {
  const sorted = Float64Array.from(values).sort()
  return { p50: quantile(sorted, 0.5), p99: quantile(sorted, 0.99), max: quantile(sorted, 1) }
}

function time(texts: readonly string[]): { ms: number } {
  const start = cpuMs()
  for (const text of texts) strict.screen(text)
  return { ms: cpuMs() - start }
}

const pieces = (text: string, size: number): string[] =>
  Array.from({ length: Math.ceil(text.length / size) }, (_, index) =>
    text.slice(index * size, (index + 1) * size),
  )

/** Each text is a stream of its own. The first pass is timed as a whole, the second push by push. */
function events(texts: readonly string[], size: number) {
  const streams = texts.map((text) => pieces(text, size))
  const start = cpuMs()
  for (const stream of streams) {
    const window = strict.open('text')
    for (const piece of stream) window.push(piece)
    window.flush()
  }
  const ms = cpuMs() - start
  const pushUs: number[] = []
  const held: number[] = []
  for (const stream of streams) {
    const window = strict.open('text')
    for (const piece of stream) {
      const before = performance.now()
      window.push(piece)
      pushUs.push((performance.now() - before) * 1_000)
      held.push(window.held)
    }
    window.flush()
  }
  return { ms, pushUs: summary(pushUs), held: summary(held) }
}

/** The longest time that a prompt keeps the event loop for itself. */
async function turns([text = '']: readonly string[]): Promise<{ longestMs: number; ms: number }> {
  const state = { running: true, longestMs: 0 }
  const start = performance.now()
  const screening = new PacedScreening(strict, new AbortController().signal).screen({ kind: 'text', text })
  const ended = screening.finally(() => {
    state.running = false
  })
  for (let last = start; state.running; ) {
    await setImmediate()
    const now = performance.now()
    state.longestMs = Math.max(state.longestMs, now - last)
    last = now
  }
  await ended
  return { longestMs: state.longestMs, ms: performance.now() - start }
}

/** Every single cut is tried for texts up to this length. */
const CUT_UNITS_MAX = 400

function* cuts(text: string): Generator<readonly string[]> {
  yield pieces(text, 1)
  yield pieces(text, 4)
  // Sizes from 1 to 9 that look random and are the same in every run.
  const random: string[] = []
  for (let from = 0, state = text.length + 1; from < text.length; ) {
    state = (state * 48_271) % 0x7fffffff
    const to = from + 1 + (state % 9)
    random.push(text.slice(from, to))
    from = to
  }
  yield random
  for (let at = 1; at < text.length && text.length <= CUT_UNITS_MAX; at++)
    yield [text.slice(0, at), text.slice(at)]
}

function joined(rules: RuleSet, stream: readonly string[]): string {
  const window = rules.open('text')
  return stream.map((piece) => window.push(piece)).join('') + window.flush()
}

function splits(texts: readonly string[]): { checked: number; different: number } {
  let [checked, different] = [0, 0]
  for (const text of texts) {
    const whole = strict.screen(text).text
    for (const stream of cuts(text)) {
      checked++
      if (joined(strict, stream) !== whole) different++
    }
  }
  return { checked, different }
}

async function answer({ op, texts, size = 4 }: Request): Promise<object> {
  if (op === 'mask') return { rows: texts.map((text) => ({ masked: strict.screen(text).text })) }
  if (op === 'time') return time(texts)
  if (op === 'events') return events(texts, size)
  if (op === 'turns') return await turns(texts)
  return splits(texts)
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(jsonLine(await answer(JSON.parse(line) as Request)))
}
