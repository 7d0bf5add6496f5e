import { listOf, parseLines, readSpan, type Sample, type Span, stringOf } from './sample.ts'

/** What a tool made of one sample. */
export interface Detection {
  /** The text that the tool would let go on. */
  readonly masked: string
  /** What it found, where it says so. */
  readonly findings?: readonly Span[]
}

/**
 * The output of another tool, one line a sample: `id`, and `masked` or `findings` or both. From `findings` alone the
 * masked text is made here.
 */
export function parseDetections(text: string, samples: readonly Sample[]): ReadonlyMap<string, Detection> {
  const texts = new Map(samples.map((sample) => [sample.id, sample.text]))
  const rows = parseLines(text, (row) => {
    const id = stringOf(row, 'id')
    const original = texts.get(id)
    return [id, original === undefined ? undefined : readDetection(row, original)] as const
  })
  return new Map(rows.filter((row): row is [string, Detection] => row[1] !== undefined))
}

function readDetection(row: Record<string, unknown>, text: string): Detection {
  if (row['findings'] === undefined) return { masked: stringOf(row, 'masked') }
  const findings = listOf(row, 'findings').map((span) => readSpan(span, text))
  const masked = row['masked'] === undefined ? without(text, findings) : stringOf(row, 'masked')
  return { masked, findings }
}

/** The text with a placeholder for each finding; findings may overlap. */
export function without(text: string, findings: readonly Span[]): string {
  let masked = ''
  let from = 0
  for (const { start, end, label } of findings.toSorted((a, b) => a.start - b.start || b.end - a.end)) {
    if (end <= from) continue
    if (start >= from) masked += `${text.slice(from, start)}[${label}]`
    from = end
  }
  return masked + text.slice(from)
}
