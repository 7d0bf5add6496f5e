import { catalogStats, type FamilyStats } from '../redaction/catalog.ts'
import { tableText } from './redact-score-text.ts'
import { type ExitCode, exitCodes, type Surroundings } from './surroundings.ts'

/** `sallyport redact stats`: what the recognizers are compiled into. */
export async function redactStats(
  { json }: { readonly json?: boolean },
  { out }: Surroundings,
): Promise<ExitCode> {
  const families = catalogStats()
  const total = totalOf(families)
  out(json ? `${JSON.stringify({ families, total }, null, 2)}\n` : statsText([...families, total]))
  return exitCodes.ok
}

const counts = ['recognizers', 'rules', 'states', 'bytes', 'buildMs'] as const
type Stats = Pick<FamilyStats, (typeof counts)[number]> & { readonly family: string }

function totalOf(families: readonly FamilyStats[]): Stats {
  const sum = (key: (typeof counts)[number]): number => families.reduce((total, each) => total + each[key], 0)
  return {
    family: 'all',
    recognizers: sum('recognizers'),
    rules: sum('rules'),
    states: sum('states'),
    bytes: sum('bytes'),
    buildMs: sum('buildMs'),
  }
}

const statsText = (rows: readonly Stats[]): string =>
  tableText([
    ['family', 'recognizers', 'rules', 'states', 'KiB', 'build ms'],
    ...rows.map(({ family, recognizers, rules, states, bytes, buildMs }) => [
      family,
      String(recognizers),
      String(rules),
      String(states),
      (bytes / 1024).toFixed(0),
      buildMs.toFixed(1),
    ]),
  ])
