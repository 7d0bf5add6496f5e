/** Upper bounds of the histograms. Those of the GenAI metrics are the semantic conventions' own, with two extensions. */

const doubling = (first: number, count: number): number[] =>
  Array.from({ length: count }, (_, power) => Number((first * 2 ** power).toFixed(6)))

/** OpenTelemetry GenAI: 0.01 s to 81.92 s, doubling. */
export const durationSeconds: readonly number[] = doubling(0.01, 14)

/** OpenTelemetry GenAI, plus 15 to 60 s: the convention's 10 s cap is too low for long prompts. */
export const firstTokenSeconds: readonly number[] = [
  0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 15, 20, 30, 45, 60,
]

/** OpenTelemetry GenAI, plus 1 to 5 ms: the convention's 10 ms floor is too coarse for fast models. */
export const tokenSeconds: readonly number[] = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5,
]

/** Gaps between two tokens as the caller sees them: as `tokenSeconds`, with a tail for stalls. */
export const gapSeconds: readonly number[] = [...tokenSeconds, 5, 10, 30]

/** OpenTelemetry GenAI: powers of four to 67 108 864. */
export const tokenCounts: readonly number[] = Array.from({ length: 14 }, (_, power) => 4 ** power)

/** Time that is ours, not the model server's: 0.1 ms to 1 s. */
export const overheadSeconds: readonly number[] = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1,
]

/** Connecting to a model server, TLS included. */
export const connectSeconds: readonly number[] = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5,
]

/** UTF-16 code units that a stream window held back at its fullest. */
export const heldChars: readonly number[] = [0, 8, 16, 32, 64, 128, 256, 512, 1024, 4096]
