import { basename } from 'node:path'
import { recognizers } from '../redaction/catalog.ts'
import { type Detection, parseDetections } from '../redaction/scoring/detection.ts'
import { CorpusError, parseSamples, type Sample } from '../redaction/scoring/sample.ts'
import {
  type Corpus,
  type CorpusScore,
  type Mistake,
  type ScoreOptions,
  scoreCorpus,
  sumByLabel,
  sumOf,
} from '../redaction/scoring/score.ts'
import { readInput } from './redact-input.ts'
import { type RulesOptions, rulesOf, type Tested } from './redact-rules.ts'
import { scoreText } from './redact-score-text.ts'
import { CommandFailed, type ExitCode, exitCodes, type Surroundings } from './surroundings.ts'

export interface RedactScoreOptions extends RulesOptions {
  /** Only these labels. */
  readonly label?: readonly string[]
  /** How many mistakes are listed. */
  readonly mistakes: number
  /** File with what another tool made of the same texts. */
  readonly findings?: string
  readonly json?: boolean
}

/** `sallyport redact score`: precision, recall and F1 per label over labeled texts. */
export async function redactScore(
  files: readonly string[],
  options: RedactScoreOptions,
  { out }: Surroundings,
): Promise<ExitCode> {
  const corpora: Corpus[] = []
  for (const file of files) corpora.push({ name: nameOf(file), samples: await readWith(file, parseSamples) })
  const detect = await detector(options, corpora)
  const mistakes: Mistake[] = []
  const onMistake = (mistake: Mistake): void => {
    if (mistakes.length < options.mistakes) mistakes.push(mistake)
  }
  const scoring: ScoreOptions = {
    onMistake,
    ...(options.label === undefined ? {} : { labels: options.label }),
  }
  const report = reportOf(
    corpora.map((corpus) => scoreCorpus(corpus, detect, scoring)),
    mistakes,
  )
  out(options.json ? `${JSON.stringify(report, null, 2)}\n` : scoreText(report))
  return exitCodes.ok
}

const nameOf = (file: string): string => basename(file).replace(/\.jsonl(\.gz)?$/, '')

export interface ScoreReport {
  readonly labels: ReturnType<typeof sumByLabel>
  readonly total: ReturnType<typeof sumOf>
  readonly corpora: readonly CorpusScore[]
  readonly mistakes: readonly Mistake[]
}

function reportOf(corpora: readonly CorpusScore[], mistakes: readonly Mistake[]): ScoreReport {
  const labels = sumByLabel(corpora)
  return { labels, total: sumOf('ALL', labels), corpora, mistakes }
}

async function readWith<Result>(file: string, parse: (text: string) => Result): Promise<Result> {
  const text = await readInput(file)
  try {
    return parse(text)
  } catch (error) {
    if (error instanceof CorpusError) throw new CommandFailed(`${file}: ${error.message}`)
    throw error
  }
}

/** What was made of a sample: by the findings of another tool, or by Sallyport. */
async function detector(
  options: RedactScoreOptions,
  corpora: readonly Corpus[],
): Promise<(sample: Sample) => Detection | undefined> {
  const { findings } = options
  const samples = corpora.flatMap((corpus) => corpus.samples)
  if (findings !== undefined) {
    const theirs = await readWith(findings, (text) => parseDetections(text, samples))
    return ({ id }) => theirs.get(id)
  }
  const tested = await rulesOf(options)
  const ours = new Map<Sample, Detection>()
  for (const sample of samples) ours.set(sample, await detection(tested, sample.text))
  return (sample) => ours.get(sample)
}

const secrets: ReadonlySet<string> = new Set(
  recognizers.filter(({ category }) => category === 'secret').map(({ id }) => id),
)

async function detection(tested: Tested, text: string): Promise<Detection> {
  const { text: masked, findings } = await tested.screen(text)
  return {
    masked,
    findings: findings.map(({ start, end, entity, recognizer }) => ({
      start,
      end,
      label: secrets.has(recognizer) ? 'SECRET' : entity,
    })),
  }
}
