import type { LabelScore, Mistake, Share } from '../redaction/scoring/score.ts'
import type { ScoreReport } from './redact-score.ts'

const ratio = (value: number): string => (Number.isNaN(value) ? '-' : value.toFixed(3))
const percent = ({ of, share }: Share): string => (of === 0 ? '-' : `${(share * 100).toFixed(2)} %`)

type Row = readonly string[]

/** Columns as wide as they must be: the first to the left, the others to the right. */
export function tableText(rows: readonly Row[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  )
  const line = (row: Row): string =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd()
  return `${rows.map(line).join('\n')}\n`
}

const labelRow = (score: LabelScore): Row => [
  score.label,
  ...[score.values, score.truePositives, score.falsePositives, score.falseNegatives].map(String),
  ...[score.precision, score.recall, score.f1, score.maskedShare].map(ratio),
]

/** The report for people. */
export function scoreText({ labels, total, corpora, mistakes }: ScoreReport): string {
  const byLabel = tableText([
    ['label', 'values', 'found', 'wrong', 'missed', 'precision', 'recall', 'F1', 'masked'],
    ...[...labels, total].map(labelRow),
  ])
  const byCorpus = tableText([
    ['corpus', 'texts', 'values', 'masked', 'clean texts', 'touched', 'share'],
    ...corpora.map(({ corpus, texts, total, touched }) => [
      corpus,
      String(texts),
      String(total.values),
      ratio(total.maskedShare),
      String(touched.of),
      String(touched.count),
      percent(touched),
    ]),
  ])
  const parts = [byLabel, byCorpus, evasionText(corpora), mistakes.map(mistakeLine).join('')]
  return parts.filter((part) => part !== '').join('\n')
}

function evasionText(corpora: ScoreReport['corpora']): string {
  const rows = corpora.flatMap(({ evasion }) =>
    Object.entries(evasion).map(([disguise, share]) => [
      disguise,
      String(share.of),
      String(share.count),
      percent(share),
    ]),
  )
  return rows.length === 0 ? '' : tableText([['disguise', 'values', 'masked', 'share'], ...rows])
}

const mistakeLine = ({ kind, id, label, value }: Mistake): string =>
  `${kind}  ${id}  ${label}  ${JSON.stringify(value)}\n`
