/** A labeled stretch of a text, in UTF-16 code units. */
export interface Span {
  readonly start: number
  readonly end: number
  readonly label: string
}

/** One text of a corpus, with what is sensitive in it. */
export interface Sample {
  readonly id: string
  readonly text: string
  readonly spans: readonly Span[]
  /** Where the text comes from: samples of one source share a set of labels. */
  readonly source: string
  /** Labels that were looked for; without it, every label of the source was. */
  readonly scope?: readonly string[]
  /** Provenance; `evasion:<class>` names the disguise of the values. */
  readonly note?: string
}

/** A corpus that cannot be used, and the line that is to blame. */
export class CorpusError extends Error {
  constructor(line: number, problem: string) {
    super(`line ${line}: ${problem}`)
    this.name = 'CorpusError'
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** JSON Lines, empty lines aside. */
export function parseLines<Row>(text: string, read: (row: Record<string, unknown>) => Row): Row[] {
  return text.split('\n').flatMap((line, index) => {
    if (line.trim() === '') return []
    try {
      const row: unknown = JSON.parse(line)
      if (!isRecord(row)) throw new Error('is not an object')
      return [read(row)]
    } catch (error) {
      throw new CorpusError(
        index + 1,
        error instanceof SyntaxError ? 'is not JSON' : (error as Error).message,
      )
    }
  })
}

/** One sample a line, as test/corpora/README.md describes them; throws `CorpusError`. */
export const parseSamples = (text: string): Sample[] => parseLines(text, readSample)

function readSample(row: Record<string, unknown>): Sample {
  const text = stringOf(row, 'text')
  const { scope, note } = row
  return {
    id: stringOf(row, 'id'),
    text,
    spans: listOf(row, 'spans').map((span) => readSpan(span, text)),
    source: typeof row['source'] === 'string' ? row['source'] : '',
    ...(Array.isArray(scope) ? { scope: scope.map(String) } : {}),
    ...(typeof note === 'string' ? { note } : {}),
  }
}

export function stringOf(row: Record<string, unknown>, name: string): string {
  const value = row[name]
  if (typeof value !== 'string') throw new Error(`${name} is not a string`)
  return value
}

export function listOf(row: Record<string, unknown>, name: string): readonly unknown[] {
  const value = row[name]
  if (!Array.isArray(value)) throw new Error(`${name} is not a list`)
  return value
}

/** `text` is what the span is a part of. */
export function readSpan(span: unknown, text: string): Span {
  if (!isRecord(span)) throw new Error('a span is not an object')
  const { start, end, value } = span
  if (!Number.isInteger(start) || !Number.isInteger(end)) throw new Error('a span has no start and end')
  const [from, to] = [start as number, end as number]
  if (from < 0 || to <= from || to > text.length) throw new Error(`span ${from}-${to} is outside the text`)
  if (value !== undefined && value !== text.slice(from, to))
    throw new Error(`span ${from}-${to} does not hold its value`)
  return { start: from, end: to, label: stringOf(span, 'label') }
}
