import type { Detection } from './detection.ts'
import { labelGroup } from './labels.ts'
import { isLeft } from './remainder.ts'
import type { Sample, Span } from './sample.ts'

/** How much of a value a finding must cover to have found it, and of the shorter of both to be right. */
const overlapShareMin = 0.5

export interface Counts {
  /** Values found under their label. */
  readonly truePositives: number
  /** Findings of the label where the corpus has no such value, in texts that were searched for them. */
  readonly falsePositives: number
  readonly falseNegatives: number
  /** Values of which nothing worth having is left, under whatever label: what the one who masks cares for. */
  readonly masked: number
}

export interface LabelScore extends Counts {
  readonly label: string
  readonly values: number
  /** NaN where there is nothing to divide by, which JSON writes as null. */
  readonly precision: number
  readonly recall: number
  readonly f1: number
  readonly maskedShare: number
}

export interface Share {
  readonly of: number
  readonly count: number
  readonly share: number
}

export interface CorpusScore {
  readonly corpus: string
  readonly texts: number
  readonly labels: readonly LabelScore[]
  /** All labels together. */
  readonly total: LabelScore
  /** Texts without a value that were altered all the same: benign ones and near-misses. */
  readonly touched: Share
  /** The same by what they nearly are: the labels that they were searched for, joined with a comma. */
  readonly touchedByScope: Readonly<Record<string, Share>>
  /** Values masked, by the disguise that `note` names. */
  readonly evasion: Readonly<Record<string, Share>>
}

/** A value that was not found, or a finding that is wrong. */
export interface Mistake {
  readonly kind: 'missed' | 'wrong'
  readonly id: string
  readonly label: string
  readonly value: string
}

export interface Corpus {
  readonly name: string
  readonly samples: readonly Sample[]
}

export interface ScoreOptions {
  /** Only these labels; all of them where it is left out. */
  readonly labels?: readonly string[]
  readonly onMistake?: (mistake: Mistake) => void
}

const overlap = (a: Span, b: Span): number => Math.max(0, Math.min(a.end, b.end) - Math.max(a.start, b.start))
const unitsOf = ({ start, end }: Span): number => end - start

/** The share of a value that findings cover; they do not overlap one another much, and 1 is the most. */
const covered = (value: Span, findings: readonly Span[]): number =>
  findings.reduce((units, finding) => units + overlap(value, finding), 0) / unitsOf(value)

const agrees = (finding: Span, value: Span): boolean =>
  overlap(finding, value) >= overlapShareMin * Math.min(unitsOf(finding), unitsOf(value))

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] }

const shareOf = (count: number, of: number): Share => ({ of, count, share: count / of })

class Tally {
  readonly #counts = new Map<string, Mutable<Counts>>()

  of(label: string): Mutable<Counts> {
    const known = this.#counts.get(label)
    if (known !== undefined) return known
    const counts = { truePositives: 0, falsePositives: 0, falseNegatives: 0, masked: 0 }
    this.#counts.set(label, counts)
    return counts
  }

  scores(): LabelScore[] {
    return [...this.#counts]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([label, counts]) => scoreOf(label, counts))
  }
}

function scoreOf(label: string, counts: Counts): LabelScore {
  const { truePositives, falsePositives, falseNegatives, masked } = counts
  const values = truePositives + falseNegatives
  return {
    label,
    values,
    ...counts,
    precision: truePositives / (truePositives + falsePositives),
    recall: truePositives / values,
    f1: (2 * truePositives) / (2 * truePositives + falsePositives + falseNegatives),
    maskedShare: masked / values,
  }
}

/** Adds labels up: `ALL` of one corpus, or one label over several. */
export function sumOf(label: string, scores: readonly Counts[]): LabelScore {
  const sum = (key: keyof Counts): number => scores.reduce((total, counts) => total + counts[key], 0)
  return scoreOf(label, {
    truePositives: sum('truePositives'),
    falsePositives: sum('falsePositives'),
    falseNegatives: sum('falseNegatives'),
    masked: sum('masked'),
  })
}

/** The same labels over several corpora. */
export function sumByLabel(scores: readonly CorpusScore[]): LabelScore[] {
  const byLabel = Object.groupBy(
    scores.flatMap(({ labels }) => labels),
    ({ label }) => label,
  )
  return Object.keys(byLabel)
    .sort()
    .map((label) => sumOf(label, byLabel[label] ?? []))
}

/** Scores what a tool made of a corpus. A sample that `detect` knows nothing of was left as it is. */
export function scoreCorpus(
  { name, samples }: Corpus,
  detect: (sample: Sample) => Detection | undefined,
  { labels: wanted, onMistake = () => {} }: ScoreOptions = {},
): CorpusScore {
  const tally = new Tally()
  const labelsOf = labelSets(samples)
  const valuesOf = valuesByText(samples)
  const isWanted = (label: string): boolean => wanted === undefined || wanted.includes(label)
  const evasion = new Map<string, Hits>()
  const scopes = new Map<string, Hits>()
  for (const sample of samples) {
    const { masked, findings = [] } = detect(sample) ?? { masked: sample.text }
    const mistakes = (kind: Mistake['kind'], { start, end }: Span, label: string): void =>
      onMistake({ kind, id: sample.id, label, value: sample.text.slice(start, end) })
    const judged = {
      sample,
      masked,
      findings,
      searched: labelsOf(sample),
      values: valuesOf.get(sample.text) ?? [],
    }
    countValues(judged, tally, isWanted, mistakes)
    countFindings(judged, tally, isWanted, mistakes)
    countEvasion(judged, evasion)
    countTouched(judged, scopes)
  }
  const labels = tally.scores()
  const all = [...scopes.values()]
  return {
    corpus: name,
    texts: samples.length,
    labels,
    total: sumOf('ALL', labels),
    touched: shareOf(sumHits(all, 'count'), sumHits(all, 'of')),
    touchedByScope: sharesOf(scopes),
    evasion: sharesOf(evasion),
  }
}

/** How many there are, and how many of them were hit. */
interface Hits {
  of: number
  count: number
}

const sumHits = (all: readonly Hits[], key: keyof Hits): number =>
  all.reduce((total, hits) => total + hits[key], 0)

const sharesOf = (groups: ReadonlyMap<string, Hits>): Record<string, Share> =>
  Object.fromEntries([...groups].sort().map(([name, { of, count }]) => [name, shareOf(count, of)]))

function hitsOf(groups: Map<string, Hits>, name: string): Hits {
  const hits = groups.get(name) ?? { of: 0, count: 0 }
  groups.set(name, hits)
  return hits
}

interface Judged {
  readonly sample: Sample
  readonly masked: string
  readonly findings: readonly Span[]
  /** Groups of labels that the sample was searched for; undefined: for everything. */
  readonly searched: ReadonlySet<string> | undefined
  /** Of every sample with this text: one may name a value that another one did not look for. */
  readonly values: readonly Span[]
}

type OnMistake = (kind: Mistake['kind'], span: Span, label: string) => void

/** Which labels a sample was searched for: its scope, or all that its source knows. */
function labelSets(samples: readonly Sample[]): (sample: Sample) => ReadonlySet<string> | undefined {
  const bySource = new Map<string, Set<string>>()
  for (const { source, spans } of samples) {
    const known = bySource.get(source) ?? new Set()
    for (const { label } of spans) known.add(labelGroup(label))
    bySource.set(source, known)
  }
  return ({ source, scope }) => {
    if (scope !== undefined) return new Set(scope.map(labelGroup))
    const known = bySource.get(source)
    // A source without any label holds nothing sensitive at all.
    return known === undefined || known.size === 0 ? undefined : known
  }
}

function valuesByText(samples: readonly Sample[]): ReadonlyMap<string, readonly Span[]> {
  const values = new Map<string, Span[]>()
  for (const { text, spans } of samples) {
    const known = values.get(text)
    if (known === undefined) values.set(text, [...spans])
    else known.push(...spans)
  }
  return values
}

function countValues(
  { sample, masked, findings }: Judged,
  tally: Tally,
  isWanted: (label: string) => boolean,
  onMistake: OnMistake,
): void {
  for (const span of sample.spans) {
    const label = labelGroup(span.label)
    if (!isWanted(label)) continue
    const counts = tally.of(label)
    const same = findings.filter((finding) => labelGroup(finding.label) === label)
    if (covered(span, same) >= overlapShareMin) counts.truePositives++
    else {
      counts.falseNegatives++
      onMistake('missed', span, span.label)
    }
    if (!isLeft(sample.text.slice(span.start, span.end), masked)) counts.masked++
  }
}

function countFindings(
  { findings, searched, values }: Judged,
  tally: Tally,
  isWanted: (label: string) => boolean,
  onMistake: OnMistake,
): void {
  for (const finding of findings) {
    const label = labelGroup(finding.label)
    if (!isWanted(label) || (searched !== undefined && !searched.has(label))) continue
    const right = values.some((value) => labelGroup(value.label) === label && agrees(finding, value))
    if (right) continue
    tally.of(label).falsePositives++
    onMistake('wrong', finding, label)
  }
}

function countTouched({ sample, masked, findings }: Judged, scopes: Map<string, Hits>): void {
  if (sample.spans.length > 0) return
  const counts = hitsOf(scopes, sample.scope?.join() ?? '')
  counts.of++
  if (masked !== sample.text || findings.length > 0) counts.count++
}

function countEvasion({ sample, masked }: Judged, evasion: Map<string, Hits>): void {
  const disguise = /^evasion:(.+)$/.exec(sample.note ?? '')?.[1]
  if (disguise === undefined) return
  const counts = hitsOf(evasion, disguise)
  for (const { start, end } of sample.spans) {
    counts.of++
    if (!isLeft(sample.text.slice(start, end), masked)) counts.count++
  }
}
