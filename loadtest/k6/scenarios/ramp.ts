// Eight steps of an open model, each at a multiple of the rate. The knee is the last step that still keeps the bars of the
// first one. Beyond it the gateway may turn callers away, with 503 or 429; it may not cut streams.
import { anyone, stream } from '../calls.ts'
import { latency, type Thresholds } from '../measures.ts'
import { report, type SummaryData } from '../report.ts'
import { settings } from '../settings.ts'
import { arrival, suite } from '../suite.ts'

const STEPS = 8
const ADDED_P95_MS = 250
const { rate, seconds, latencyFactor } = settings
const stepSeconds = Math.max(2, Math.round(seconds / STEPS))
const steps = Array.from({ length: STEPS }, (_, index) => index + 1)
const reply = { words: 24, firstTokenMs: 50, gapMs: 15 }

const nameOf = (step: number): string => `step${step}`

/** A bar that is always kept: k6 shows the values of a step only where there is one. */
const shown = (step: number): Thresholds => ({
  [`added_time_to_first_token{part:${nameOf(step)}}`]: ['p(95)>=0'],
  [`dropped_iterations{scenario:${nameOf(step)}}`]: ['count>=0'],
  [`refused_calls{part:${nameOf(step)}}`]: ['count>=0'],
})

export const options = suite(
  Object.fromEntries(
    steps.map((step) => [
      nameOf(step),
      arrival({
        exec: 'streams',
        rate: rate * step,
        seconds: stepSeconds,
        startSeconds: (step - 1) * stepSeconds,
        callSeconds: 1.5,
        tags: { part: nameOf(step) },
      }),
    ]),
  ),
  {
    ...Object.assign({}, ...steps.map(shown)),
    ...latency({ of: '{part:step1}', addedP95Ms: ADDED_P95_MS }),
    'dropped_iterations{scenario:step1}': ['count==0'],
    'refused_calls{part:step1}': ['count==0'],
    // Far beyond the knee there is nothing more to learn.
    added_time_to_first_token: [
      { threshold: `med<${20 * ADDED_P95_MS * latencyFactor}`, abortOnFail: true, delayAbortEval: '10s' },
    ],
    // Callers that k6 could not make in time are beyond the knee, too.
    dropped_iterations: ['count>=0'],
  },
)

export function streams(): void {
  stream(anyone(), { reply, refusals: [429, 503] })
}

export function handleSummary(data: SummaryData): Record<string, string> {
  // What was never made bears the name of the scenario alone.
  const value = (metric: string, step: number, key: string, tag = 'part'): number =>
    data.metrics[`${metric}{${tag}:${nameOf(step)}}`]?.values[key] ?? 0
  const rows = steps.map((step) => ({
    rate: rate * step,
    calls: value('added_time_to_first_token', step, 'count'),
    p95: value('added_time_to_first_token', step, 'p(95)'),
    dropped: value('dropped_iterations', step, 'count', 'scenario'),
    refused: value('refused_calls', step, 'count'),
  }))
  const beyond = rows.findIndex(
    ({ calls, p95, dropped, refused }) =>
      calls === 0 || p95 >= ADDED_P95_MS * latencyFactor || dropped + refused > 0,
  )
  const knee = beyond === -1 ? `above ${rate * STEPS}` : `${rows[beyond - 1]?.rate ?? `below ${rate}`}`
  return report(data, [
    `knee: ${knee} streams a second`,
    ...rows.map(
      (row) =>
        `${row.rate} a second: added time to first token p95 ${row.p95.toFixed(1)} ms, ${row.refused} refused, ${row.dropped} not made`,
    ),
  ])
}
