// What is measured, of which texts, and what it must reach.
export interface LabelCounts {
  readonly label: string
  readonly values: number
  readonly truePositives: number
  readonly falsePositives: number
  readonly falseNegatives: number
  readonly masked: number
}

export interface Hits {
  readonly of: number
  readonly count: number
}

export interface CorpusCounts {
  readonly corpus: string
  readonly labels: readonly LabelCounts[]
  readonly touched: Hits
  readonly touchedByScope: Readonly<Record<string, Hits>>
  readonly evasion: Readonly<Record<string, Hits>>
}

/** Scores of one tool on one part of the corpora, by corpus. */
export type Scores = ReadonlyMap<string, CorpusCounts>

export interface Measure {
  readonly name: string
  readonly bar: string
  /** NaN when there is nothing to measure, or the tool does not say what is needed. */
  readonly of: (scores: Scores) => number
  readonly unit: 'share' | 'percent'
  /** Only for tools that say what they found, not only what they made of the text. */
  readonly needsFindings?: true
  /** With the preset for everything, guesses included. */
  readonly strict?: true
}

export const structured = [
  'CREDIT_CARD',
  'IBAN_CODE',
  'US_SSN',
  'EMAIL_ADDRESS',
  'PHONE_NUMBER',
  'IP_ADDRESS',
  'UK_NHS',
  'IN_AADHAAR',
  'ABA_ROUTING_NUMBER',
  'CRYPTO',
  'MAC_ADDRESS',
  'US_NPI',
  'PL_PESEL',
  'ES_NIF',
] as const

const withValues = [
  'synthetic-fresh',
  'presidio-recognizer-tests',
  'presidio-research-synth-v2',
  'presidio-research-generated-large',
]
const genericSecrets = [
  'credsweeper-samples',
  'detect-secrets-plugin-tests',
  'detect-secrets-keyword-tests',
  'secretlint-snapshots',
]
const benign = ['gsm8k-test', 'humaneval', 'self-instruct-seeds', 'synthetic-benign']
const research = ['presidio-research-synth-v2', 'presidio-research-generated-large']

/** The corpora that all tools are run on. */
export const compared = [
  ...new Set([
    ...withValues,
    ...genericSecrets,
    ...benign,
    'gitleaks-rule-cases',
    'synthetic-nearmiss',
    'synthetic-evasion',
  ]),
]
/** Real text with names, for Sallyport alone. */
export const named = ['wikigold', 'wnut17']

function pick(scores: Scores, corpora: readonly string[], labels: readonly string[]): LabelCounts[] {
  return corpora.flatMap((corpus) =>
    (scores.get(corpus)?.labels ?? []).filter(({ label }) => labels.includes(label)),
  )
}

type CountKey = Exclude<keyof LabelCounts, 'label'>
const sum = (counts: readonly LabelCounts[], key: CountKey): number =>
  counts.reduce((total, each) => total + each[key], 0)

type Figure = (counts: readonly LabelCounts[]) => number
const masked: Figure = (counts) => sum(counts, 'masked') / sum(counts, 'values')
const recall: Figure = (counts) => sum(counts, 'truePositives') / sum(counts, 'values')
const precision: Figure = (counts) =>
  sum(counts, 'truePositives') / (sum(counts, 'truePositives') + sum(counts, 'falsePositives'))
const f1: Figure = (counts) =>
  (2 * sum(counts, 'truePositives')) /
  (2 * sum(counts, 'truePositives') + sum(counts, 'falsePositives') + sum(counts, 'falseNegatives'))

const over =
  (figure: Figure, corpora: readonly string[], labels: readonly string[]) =>
  (scores: Scores): number =>
    figure(pick(scores, corpora, labels))

const shareOf = (hits: readonly Hits[]): number =>
  hits.reduce((total, { count }) => total + count, 0) / hits.reduce((total, { of }) => total + of, 0)

const touched =
  (...corpora: readonly string[]) =>
  (scores: Scores): number =>
    shareOf(corpora.flatMap((corpus) => scores.get(corpus)?.touched ?? []))

/**
 * Tokens whose CRC32 does not fit are masked on purpose: a mistyped one gives most of the right one away. The corpus says of
 * each that it "may still" be masked.
 */
const mistypedTokens: readonly string[] = ['SECRET:github-pat', 'SECRET:npm-access-token']

const touchedNumbers = (scores: Scores): number =>
  shareOf(
    Object.entries(scores.get('synthetic-nearmiss')?.touchedByScope ?? {}).flatMap(([scope, hits]) =>
      mistypedTokens.includes(scope) ? [] : [hits],
    ),
  )

/** Disguises that no scanner can be expected to see through: said so in the documents. */
export const unclaimed: readonly string[] = ['leet', 'reversed']

const evaded =
  (isCounted: (disguise: string) => boolean) =>
  (scores: Scores): number => {
    const classes = Object.entries(scores.get('synthetic-evasion')?.evasion ?? {})
    return shareOf(classes.flatMap(([name, hits]) => (isCounted(name) ? [hits] : [])))
  }

export const measures: readonly Measure[] = [
  ...structured.map(
    (label): Measure => ({
      name: `${label}: masked`,
      bar: '',
      unit: 'share',
      of: over(masked, withValues, [label]),
    }),
  ),
  {
    name: 'structured types: masked',
    bar: '>= 0.98',
    unit: 'share',
    of: over(masked, withValues, structured),
  },
  {
    name: 'structured types: recall by label',
    bar: '>= 0.98',
    unit: 'share',
    needsFindings: true,
    of: over(recall, withValues, structured),
  },
  {
    name: 'structured types: precision by label',
    bar: '>= 0.98',
    unit: 'share',
    needsFindings: true,
    of: over(precision, withValues, structured),
  },
  {
    name: 'prefix secrets: masked',
    bar: '>= 0.99',
    unit: 'share',
    of: over(masked, ['synthetic-fresh'], ['SECRET']),
  },
  {
    name: "secrets of gitleaks' rules: masked",
    bar: '',
    unit: 'share',
    of: over(masked, ['gitleaks-rule-cases'], ['SECRET']),
  },
  {
    name: 'generic secrets: masked',
    bar: '>= 0.85',
    unit: 'share',
    of: over(masked, genericSecrets, ['SECRET']),
  },
  {
    name: 'generic secrets: F1',
    bar: '>= 0.85',
    unit: 'share',
    needsFindings: true,
    of: over(f1, genericSecrets, ['SECRET']),
  },
  { name: 'benign texts touched', bar: '<= 0.5 %', unit: 'percent', of: touched(...benign) },
  { name: 'GSM8K and HumanEval touched', bar: '0', unit: 'percent', of: touched('gsm8k-test', 'humaneval') },
  { name: 'near-misses touched', bar: '<= 2 %', unit: 'percent', of: touched('synthetic-nearmiss') },
  {
    name: 'near-misses touched, GitHub and npm tokens with a wrong CRC aside',
    bar: '<= 2 %',
    unit: 'percent',
    of: touchedNumbers,
  },
  {
    name: 'disguised values of the classes claimed: masked',
    bar: '1',
    unit: 'share',
    of: evaded((disguise) => !unclaimed.includes(disguise)),
  },
  { name: 'disguised values, all classes: masked', bar: '>= 0.80', unit: 'share', of: evaded(() => true) },
  ...(['PERSON', 'ADDRESS'] as const).map(
    (label): Measure => ({
      name: `${label} without a model: F1`,
      bar: label === 'PERSON' ? '>= 0.70' : '>= 0.75',
      unit: 'share',
      needsFindings: true,
      strict: true,
      of: over(f1, research, [label]),
    }),
  ),
  ...named.flatMap((corpus): Measure[] =>
    (
      [
        ['precision', precision],
        ['recall', recall],
      ] as const
    ).map(([name, figure]) => ({
      name: `PERSON in real text (${corpus}): ${name}`,
      bar: '',
      unit: 'share',
      needsFindings: true,
      strict: true,
      of: over(figure, [corpus], ['PERSON']),
    })),
  ),
]
